//! The figures that CloudWatch has of a database: metric, unit, and which statistic of a minute.
//!
//! Of an instance: RDS user guide, "Amazon CloudWatch metrics for Amazon RDS". Of a proxy: the same guide, "Monitoring RDS Proxy
//! metrics with Amazon CloudWatch" (docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html): each of the metrics
//! here is published with the dimension `ProxyName` alone, a sample for each machine that serves the proxy.

const MIB: f64 = 1_048_576.0;

/// What a metric is of: its only dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// `DBInstanceIdentifier`.
    Instance,
    /// `ProxyName`.
    Proxy,
}

impl Of {
    /// Name of the dimension.
    pub fn dimension(self) -> &'static str {
        match self {
            Self::Instance => "DBInstanceIdentifier",
            Self::Proxy => "ProxyName",
        }
    }
}

/// Which statistics of a minute are its average and its maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The mean of its samples, and the largest.
    OfSamples,
    /// Their sum: each machine of a proxy says once a minute how many connections it has, and the guide names Sum as the statistic.
    Total,
}

impl Statistic {
    /// The statistics to ask for: one, or the average's and the maximum's.
    pub fn asked(self) -> &'static [&'static str] {
        match self {
            Self::OfSamples => &["Average", "Maximum"],
            Self::Total => &["Sum"],
        }
    }
}

/// A figure of the API, and its metric in `AWS/RDS`.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub name: &'static str,
    pub metric: &'static str,
    /// What CloudWatch's value is multiplied by.
    pub factor: f64,
    pub of: Of,
    pub statistic: Statistic,
}

/// All of them.
pub const FIGURES: [Figure; 15] = [
    of_instance("instanceConnections", "DatabaseConnections", 1.0),
    of_instance("cpuPercent", "CPUUtilization", 1.0),
    of_instance("freeableMemoryMiB", "FreeableMemory", 1.0 / MIB),
    of_instance("swapMiB", "SwapUsage", 1.0 / MIB),
    of_instance("readLatencyMs", "ReadLatency", 1000.0),
    of_instance("writeLatencyMs", "WriteLatency", 1000.0),
    of_instance("readIops", "ReadIOPS", 1.0),
    of_instance("writeIops", "WriteIOPS", 1.0),
    of_instance("queueDepth", "DiskQueueDepth", 1.0),
    of_instance("dbLoad", "DBLoad", 1.0),
    of_instance("dbLoadCpu", "DBLoadCPU", 1.0),
    of_instance("dbLoadNonCpu", "DBLoadNonCPU", 1.0),
    // Microseconds; "the time that it takes for the proxy being monitored to get a database connection".
    of_proxy("proxyBorrowLatencyMs", "DatabaseConnectionsBorrowLatency", 0.001, Statistic::OfSamples),
    of_proxy("proxyBorrowedConnections", "DatabaseConnectionsCurrentlyBorrowed", 1.0, Statistic::Total),
    of_proxy("proxyClientConnections", "ClientConnections", 1.0, Statistic::Total),
];

const fn of_instance(name: &'static str, metric: &'static str, factor: f64) -> Figure {
    Figure { name, metric, factor, of: Of::Instance, statistic: Statistic::OfSamples }
}

const fn of_proxy(name: &'static str, metric: &'static str, factor: f64, statistic: Statistic) -> Figure {
    Figure { name, metric, factor, of: Of::Proxy, statistic }
}
