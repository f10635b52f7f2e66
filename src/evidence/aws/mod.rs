//! Amazon RDS and CloudWatch: the controller's only.

mod classes;
mod classify;
mod client;
mod clock;
mod cloudwatch;
mod figures;
mod formula;
mod insights;
mod minutes;
mod rds;

use aws_config::ConfigLoader;
use tokio::sync::Mutex;

pub use classify::{AwsError, ErrorKind};
pub use figures::FIGURES;
pub use minutes::settled;
pub use rds::{Instance, ParameterGroup};

use client::{Clients, loader};
use cloudwatch::Asked;

use crate::api::LimitSource;
use crate::results::gathered::series::Series;

/// One RDS instance, and the proxy before it, as a source of figures. Every call ends within its time limit; none is made
/// before the first question.
pub struct DatabaseSource {
    instance: String,
    proxy: Option<String>,
    loader: Box<dyn Fn() -> ConfigLoader + Send + Sync>,
    clients: Mutex<Option<Clients>>,
}

impl DatabaseSource {
    /// `region`: that of the spec, else the operator's default; none: what the SDK finds (`AWS_REGION`, profile).
    pub fn new(instance: &str, region: Option<&str>) -> Self {
        let region = region.map(str::to_owned);
        Self::with_loader(instance, move || loader(region.as_deref()))
    }

    fn with_loader(instance: &str, loader: impl Fn() -> ConfigLoader + Send + Sync + 'static) -> Self {
        Self { instance: instance.to_owned(), proxy: None, loader: Box::new(loader), clients: Mutex::new(None) }
    }

    /// With the figures of the RDS proxy of that name.
    pub fn with_proxy(self, proxy: Option<&str>) -> Self {
        Self { proxy: proxy.map(str::to_owned), ..self }
    }

    /// What RDS says about the instance.
    ///
    /// # Errors
    /// NotFound when there is none of that name in the region; else why there is no answer.
    pub async fn instance(&self) -> Result<Instance, AwsError> {
        self.ask(|clients| async move { rds::describe(&clients.rds, &self.instance).await }).await
    }

    /// Whether the proxy is there; nothing is asked where none was named.
    ///
    /// # Errors
    /// NotFound when there is none of that name in the region; else why there is no answer.
    pub async fn proxy(&self) -> Result<(), AwsError> {
        let Some(name) = &self.proxy else { return Ok(()) };
        self.ask(|clients| async move { rds::proxy(&clients.rds, name).await }).await
    }

    /// The most connections by the parameter group; none when it can't be told.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn connection_limit(&self, instance: &Instance) -> Result<Option<(i32, LimitSource)>, AwsError> {
        self.ask(|clients| async move { rds::connection_limit(&clients.rds, instance).await }).await
    }

    /// All CloudWatch figures in the whole minutes inside a window (milliseconds since the epoch), ascending.
    ///
    /// CloudWatch answers for a proxy that isn't there as for one that is silent. Where all of its figures are silent, RDS is
    /// asked, and its error, an unknown proxy or a missing right, is their problem.
    ///
    /// Where this machine's clock is more than [`clock::MOST_MS`] off, the minutes that were asked for are others than meant:
    /// then no series has points, and its problem says so.
    ///
    /// # Errors
    /// Why there is no answer at all; what is wrong with one series stands in it.
    pub async fn series(&self, from_ms: i64, to_ms: i64) -> Result<Vec<Series>, AwsError> {
        let question = async |clients: Clients| {
            let asked = Asked { instance: &self.instance, proxy: self.proxy.as_deref(), from_ms, to_ms };
            let mut series = cloudwatch::series(&clients.cloudwatch, &asked).await?;
            clients.skew.judge(&mut series);
            Ok(series)
        };
        let mut series = self.ask(question).await?;
        let mut of_proxy: Vec<&mut Series> = series.iter_mut().filter(|s| s.figure.starts_with("proxy")).collect();
        if of_proxy.iter().all(|s| s.points.is_empty() && s.problem.is_none())
            && let Err(error) = self.proxy().await
        {
            of_proxy.iter_mut().for_each(|series| series.problem = Some(error.text.clone()));
        }
        Ok(series)
    }

    /// Shares of the database's load that wait, by class, from Database Insights; nothing where it is switched off.
    ///
    /// # Errors
    /// Why there is no answer. It is never a reason to fail anything.
    pub async fn insights(&self, from_ms: i64, to_ms: i64) -> Result<Vec<Series>, AwsError> {
        let question = async |clients: Clients| {
            let instance = rds::describe(&clients.rds, &self.instance).await?;
            if !instance.insights {
                return Ok(Vec::new());
            }
            insights::waits(&clients.insights, &instance.dbi_resource_id, from_ms, to_ms).await
        };
        self.ask(question).await
    }

    /// Asks; with expired credentials once more with new clients, because the SDK keeps the old ones.
    async fn ask<T, F>(&self, question: impl Fn(Clients) -> F) -> Result<T, AwsError>
    where
        F: Future<Output = Result<T, AwsError>>,
    {
        match question(self.clients().await?).await {
            Err(AwsError { kind: ErrorKind::CredentialsExpired, .. }) => {
                *self.clients.lock().await = None;
                question(self.clients().await?).await
            }
            answer => answer,
        }
    }

    async fn clients(&self) -> Result<Clients, AwsError> {
        let mut kept = self.clients.lock().await;
        if let Some(clients) = kept.as_ref() {
            return Ok(clients.clone());
        }
        let clients = Clients::new(&(self.loader)().load().await)?;
        *kept = Some(clients.clone());
        Ok(clients)
    }
}

#[cfg(test)]
mod faults_tests;
#[cfg(test)]
mod insights_tests;
#[cfg(test)]
mod lies_tests;
#[cfg(test)]
mod proxy_tests;
#[cfg(test)]
mod tests;
