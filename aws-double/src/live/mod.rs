//! The demo's mode: figures of a real PostgreSQL, sampled each second and published as minute points, as RDS does.
//!
//! Published, because they are real: `DatabaseConnections` (client backends, its own left out), `CPUUtilization` (CPU
//! time of the server's processes, of the CPU limit) and `FreeableMemory` (memory limit minus the processes' memory).
//! The last two need the processes to be visible and the limits to be given. Latencies and I/O are not published.

mod meter;
mod minutes;
mod processes;

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::time::MissedTickBehavior;
use tokio_postgres::{Client, Config, NoTls};

use crate::Double;
use crate::state::State;
use crate::state::instance::{Instance, Parameter, ParameterGroup};
use meter::{Figures, Meter};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
const PARAMETER_GROUP: &str = "demo";

/// Options of this mode.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Publish the figures of this PostgreSQL: postgres://USER:PASSWORD@HOST:PORT/DATABASE.
    #[arg(long, env = "POSTGRES_URL", hide_env_values = true, value_name = "URL")]
    pub postgres: Option<String>,
    /// DB instance identifier to publish them under.
    #[arg(long, env = "DB_INSTANCE", default_value = "demo-db")]
    pub instance: String,
    /// A minute's point can be read so many seconds after the minute's end.
    #[arg(long, env = "PUBLISH_DELAY_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(i64).range(0..=600))]
    pub publish_delay_seconds: i64,
    /// CPU limit of the server, in millicores; without it no CPUUtilization.
    #[arg(long, env = "DB_CPU_MILLICORES")]
    pub cpu_millicores: Option<u32>,
    /// Memory limit of the server, in bytes; without it no FreeableMemory.
    #[arg(long, env = "DB_MEMORY_BYTES")]
    pub memory_bytes: Option<u64>,
}

/// Why this mode can't begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL (never shown, because it holds the password).
    #[error(
        "POSTGRES_URL is missing or not a PostgreSQL connection URL; write postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    )]
    Url,
}

#[derive(Debug, thiserror::Error)]
enum SampleError {
    #[error("{0}")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("no answer in {} s", QUERY_TIMEOUT.as_secs())]
    Timeout(#[from] tokio::time::error::Elapsed),
    #[error("max_connections is not a number")]
    Settings,
}

/// A double that samples in the background, for ever; the database may come later or go away in between.
///
/// # Errors
/// When the URL is not one.
pub fn start(options: Options) -> Result<Double, Error> {
    let config = options.postgres.as_deref().and_then(|url| Config::from_str(url).ok());
    let mut config = config.ok_or(Error::Url)?;
    config.connect_timeout(CONNECT_TIMEOUT).application_name("aws-double");
    let double =
        Double::with_state(State { publish_delay_seconds: Some(options.publish_delay_seconds), ..State::default() });
    let sampling = double.clone();
    tokio::spawn(async move {
        loop {
            if let Err(error) = sample_connection(&sampling, &config, &options).await {
                tracing::warn!("the database can't be sampled: {error}");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    Ok(double)
}

/// Samples over one connection until it is lost.
async fn sample_connection(double: &Double, config: &Config, options: &Options) -> Result<(), SampleError> {
    let (client, connection) = config.connect(NoTls).await?;
    let driver = tokio::spawn(connection);
    let ended = sample_with(double, &client, options).await;
    driver.abort();
    ended
}

async fn sample_with(double: &Double, client: &Client, options: &Options) -> Result<(), SampleError> {
    let backend = describe(double, client, &options.instance).await?;
    if processes::usage(Path::new("/proc"), backend).is_none() {
        tracing::warn!("the server's processes are not visible: no CPUUtilization, no FreeableMemory");
    }
    let mut meter = Meter::default();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
        let connections = connections(client).await?;
        let usage = processes::usage(Path::new("/proc"), backend);
        let figures = meter.figures(connections, usage, options, Instant::now());
        publish(double, &options.instance, &mut meter, figures, Timestamp::now().as_second());
    }
}

/// Puts the instance and its connection limit into the state; answers the process id of the own backend.
async fn describe(double: &Double, client: &Client, identifier: &str) -> Result<i32, SampleError> {
    let text = "select pg_backend_pid(), current_setting('server_version'), current_setting('max_connections')";
    let row = tokio::time::timeout(QUERY_TIMEOUT, client.query_one(text, &[])).await??;
    let version: String = row.get(1);
    let limit: String = row.get(2);
    limit.parse::<u32>().map_err(|_| SampleError::Settings)?;
    let mut instance = Instance::postgres(identifier);
    // Only the number, without what a distribution adds; no class of AWS, so that no figure is derived from one.
    instance.engine_version = version.split(' ').next().unwrap_or_default().to_owned();
    instance.class = "db.demo".to_owned();
    instance.parameter_group = Some((PARAMETER_GROUP.to_owned(), "in-sync".to_owned()));
    let parameters = vec![Parameter::new("max_connections", &limit, "user")];
    double.script(|state| {
        state.instances = vec![instance];
        state.parameter_groups = vec![ParameterGroup { name: PARAMETER_GROUP.to_owned(), parameters }];
    });
    Ok(row.get(0))
}

async fn connections(client: &Client) -> Result<f64, SampleError> {
    let text =
        "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    let count: i64 = tokio::time::timeout(QUERY_TIMEOUT, client.query_one(text, &[])).await??.get(0);
    Ok(count as f64)
}

fn publish(double: &Double, instance: &str, meter: &mut Meter, figures: Figures, now: i64) {
    let finished = [
        ("DatabaseConnections", meter.connections.sample(now, figures.connections)),
        ("CPUUtilization", figures.cpu_percent.and_then(|value| meter.cpu.sample(now, value))),
        ("FreeableMemory", figures.free_bytes.and_then(|value| meter.memory.sample(now, value))),
    ];
    double.script(|state| {
        for (metric, point) in finished {
            if let Some(point) = point {
                minutes::keep(&mut state.series_mut(instance, metric).points, point);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_stands_under_the_instance() {
        let (double, mut meter) = (Double::new(), Meter::default());
        for now in 0..=60 {
            let figures = Figures { connections: 4.0, cpu_percent: None, free_bytes: None };
            publish(&double, "demo-db", &mut meter, figures, now);
        }
        let metrics: Vec<(String, usize)> =
            double.script(|state| state.series.iter().map(|s| (s.metric.clone(), s.points.len())).collect());
        assert_eq!(metrics, [("DatabaseConnections".to_owned(), 1)]);
    }
}
