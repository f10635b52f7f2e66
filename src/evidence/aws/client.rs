//! The SDK's clients: region, timeouts, retries, and its errors in our words.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use super::classify::{AwsError, Failure, Stage, classify, no_region};
use super::clock::Skew;

/// One attempt takes no longer than this.
const ATTEMPT: Duration = Duration::from_secs(5);
/// One call takes no longer than this, all attempts and the waits between them included.
const OPERATION: Duration = Duration::from_secs(20);
const ATTEMPTS: u32 = 5;

/// What the SDK finds by itself (environment, profile, web identity, pod identity), with our limits.
pub(super) fn loader(region: Option<&str>) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    match region {
        Some(region) => loader.region(Region::new(region.to_owned())),
        None => loader,
    }
}

/// The clients of one region. Made anew, they forget cached credentials.
#[derive(Clone)]
pub(super) struct Clients {
    pub rds: aws_sdk_rds::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    pub insights: aws_sdk_pi::Client,
    /// How far the clock of AWS is ahead of ours.
    pub skew: Skew,
}

impl Clients {
    /// # Errors
    /// When no region is set: without one the SDK makes no call and says so unclearly.
    pub fn new(config: &SdkConfig) -> Result<Self, AwsError> {
        if config.region().is_none() {
            return Err(no_region());
        }
        let skew = Skew::default();
        let cloudwatch = aws_sdk_cloudwatch::config::Builder::from(config).interceptor(skew.clone()).build();
        Ok(Self {
            rds: aws_sdk_rds::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch),
            insights: aws_sdk_pi::Client::new(config),
            skew,
        })
    }
}

/// What an error of the SDK means. `action` as in an IAM policy: `rds:DescribeDBInstances`.
pub(super) fn failure<E>(action: &str, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let stage = match error {
        SdkError::ConstructionFailure(_) => Stage::Construction,
        SdkError::TimeoutError(_) => Stage::Timeout,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => Stage::Timeout,
        SdkError::DispatchFailure(_) => Stage::Dispatch,
        SdkError::ResponseError(_) => Stage::Response,
        _ => Stage::Service,
    };
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    classify(&Failure { action, stage, status, code, causes: &causes(error) })
}

/// All causes, one after the other. The SDK does not export the type of its credentials' errors to its users.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
