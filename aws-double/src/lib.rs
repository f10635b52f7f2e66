//! A double of the AWS APIs that the operator reads, on one port, over the real wire protocols: awsQuery for RDS and
//! STS, rpc-v2-cbor for CloudWatch and Database Insights (`pi`). It checks no signature.
//!
//! A test scripts what it answers, and what goes wrong:
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use aws_double::{Double, Fault, FaultKind, Instance, Series};
//!
//! let double = Double::new();
//! double.script(|state| {
//!     state.instances.push(Instance::postgres("demo-db"));
//!     state.series.push(Series::of("demo-db", "CPUUtilization", [(1_700_000_040, 12.5)]));
//!     state.faults.push(Fault::new(FaultKind::error("Throttling", 400, "Rate exceeded")).times(2));
//! });
//! let running = double.start().await?;
//! let endpoint = running.endpoint(); // for AWS_ENDPOINT_URL
//! # Ok(()) }
//! ```

mod answer;
mod cbor;
mod cloudwatch;
mod connection;
mod insights;
pub mod live;
mod rds;
mod request;
mod server;
mod state;
mod sts;

pub use server::{Double, Running};
pub use state::fault::{Fault, FaultKind};
pub use state::instance::{Instance, Parameter, ParameterGroup, Proxy};
pub use state::series::{InsightsSeries, Point, Series, SeriesStatus};
pub use state::{Call, Service, State};
