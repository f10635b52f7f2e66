//! A layer of the Kubernetes client that counts every answer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use kube::client::ClientBuilder;
use kube::{Client, Config};
use tower::{BoxError, Service, layer};

use super::metrics::Metrics;

/// A client whose answers are counted.
///
/// # Errors
/// The configuration's certificates or addresses can't be used.
pub fn counted(config: Config, metrics: &Metrics) -> kube::Result<Client> {
    let metrics = metrics.clone();
    let layer = layer::layer_fn(move |inner| Counted { inner, metrics: metrics.clone() });
    Ok(ClientBuilder::try_from(config)?.with_layer(&layer).build())
}

#[derive(Clone)]
struct Counted<S> {
    inner: S,
    metrics: Metrics,
}

type Answer<B> = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

impl<S, A, B> Service<Request<A>> for Counted<S>
where
    S: Service<Request<A>, Response = Response<B>, Error = BoxError>,
    S::Future: Send + 'static,
    B: 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Answer<B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (metrics, method) = (self.metrics.clone(), request.method().clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            match &answer {
                Ok(response) => metrics.called(response.status().as_str(), method.as_str()),
                Err(_) => metrics.called("error", method.as_str()),
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use prometheus::{Registry, TextEncoder};
    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn every_answer_is_counted_by_code_and_method() {
        let registry = Registry::new();
        let inner = service_fn(async |request: Request<()>| match request.uri().path() {
            "/gone" => Err(BoxError::from("connection refused")),
            _ => Ok(Response::builder().status(StatusCode::CONFLICT).body(()).unwrap()),
        });
        let mut service = Counted { inner, metrics: Metrics::new(&registry).unwrap() };
        for path in ["/a", "/b", "/gone"] {
            let request = Request::patch(path).body(()).unwrap();
            let _ = service.ready().await.unwrap().call(request).await;
        }
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(text.contains("rest_client_requests_total{code=\"409\",method=\"PATCH\"} 2\n"), "{text}");
        assert!(text.contains("rest_client_requests_total{code=\"error\",method=\"PATCH\"} 1\n"), "{text}");
    }
}
