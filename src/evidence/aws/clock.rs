//! How far this machine's clock is off that of AWS, by the Date header of its answers.
//!
//! The SDK corrects its signatures by itself (aws-runtime 1.10, from 4 minutes on); the minutes that are asked for are ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_rds::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_rds::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_rds::error::BoxError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::results::gathered::series::Series;

/// More is too much for figures of minutes, milliseconds.
pub const MOST_MS: i64 = 30_000;

/// AWS's time minus ours when it answered last, milliseconds; shared by the clones.
#[derive(Clone, Debug, Default)]
pub struct Skew(Arc<AtomicI64>);

impl Skew {
    /// Takes the points away when the clock is off, and says so in each series.
    pub fn judge(&self, series: &mut [Series]) {
        let skew = self.0.load(Ordering::Relaxed);
        if skew.abs() <= MOST_MS {
            return;
        }
        let which = if skew > 0 { "behind" } else { "ahead of" };
        for series in series {
            series.points.clear();
            series.problem =
                Some(format!("the operator's clock is about {} s {which} that of AWS", (skew.abs() + 500) / 1000));
        }
    }
}

impl Intercept for Skew {
    fn name(&self) -> &'static str {
        "Skew"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let theirs = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok()?.to_millis().ok());
        if let Some(theirs) = theirs {
            let ours = DateTime::from(std::time::SystemTime::now()).to_millis().unwrap_or(theirs);
            self.0.store(theirs - ours, Ordering::Relaxed);
        }
        Ok(())
    }
}
