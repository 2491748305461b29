//! How exports leave: through web's client, on our runtime; the exporters' own threads wait for them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use kernel::{Error, Result, Secret};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;
use web::outbound::{Client, OutboundRequest};

use super::EXPORT_TIME;

/// Most bytes of a collector's answer that are read.
const MAX_ANSWER: usize = 64 * 1024;

#[derive(Clone)]
pub(super) struct Exporter {
    client: Client,
    headers: HeaderMap,
    runtime: Handle,
    /// Whether the last export failed: said once, not every five seconds.
    failing: Arc<AtomicBool>,
}

impl Exporter {
    pub(super) fn new(client: Client, headers: &[(String, Secret<String>)]) -> Result<Self> {
        let mut fields = HeaderMap::new();
        for (name, value) in headers {
            // The value is a credential: the error does not quote it.
            let fault = || Error::invalid("invalid_otlp_headers", "TRADEWIND_OTLP_HEADERS must be name=value pairs with commas between.");
            let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| fault())?;
            value.set_sensitive(true);
            fields.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?, value);
        }
        Ok(Self { client, headers: fields, runtime: Handle::current(), failing: Arc::default() })
    }

    async fn send(self, request: Request<Bytes>) -> std::result::Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut headers = head.headers;
        headers.extend(self.headers.clone());
        let request = OutboundRequest {
            method: head.method,
            uri: head.uri,
            headers,
            body,
            timeout: EXPORT_TIME,
            response_cap: MAX_ANSWER,
            repeatable: false,
        };
        let outcome = self.client.send(request).await;
        let why = match &outcome {
            Ok(answer) if answer.status.is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status.as_u16())),
            Err(error) => Some(error.to_string()),
        };
        self.note(why);
        let answer = outcome?;
        let mut response = Response::new(answer.body);
        (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
        Ok(response)
    }

    fn note(&self, why: Option<String>) {
        let was = self.failing.swap(why.is_some(), Ordering::Relaxed);
        if let Some(why) = why {
            metrics::counter!("tradewind_otlp_export_failures_total").increment(1);
            if !was {
                tracing::warn!("traces and logs do not reach the collector: {why}");
            }
        } else if was {
            tracing::info!("traces and logs reach the collector again");
        }
    }
}

impl HttpClient for Exporter {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let sending = self.runtime.spawn(self.clone().send(request));
        Box::pin(async move { sending.await? })
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}
