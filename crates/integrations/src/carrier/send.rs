//! One call: credential, budget, address, the way out, the log.

use bytes::Bytes;
use connectors::{Body, Call, Fault, Reply};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use url::Url;
use web::outbound::{OutboundError, OutboundFault, OutboundRequest, OutboundResponse, to_uri};

use super::address::{address, refused};
use super::signing::{Signed, put, secrets};
use super::{AccountCarrier, MAX_ANSWER, TIMEOUT, mask};
use crate::integrations::{Exchange, Shown, Status};
use crate::journal::Entry;

/// How much of a body is shown, in characters.
const MAX_SHOWN: usize = 4000;
/// How much of a path is logged, in characters.
const MAX_ENDPOINT: usize = 300;

impl AccountCarrier {
    pub(super) async fn exchange(&self, call: Call) -> Result<Reply, Fault> {
        let parts = &self.integrations.parts;
        let signed = match self.signing.sign(&self.integrations, &self.scope).await {
            Ok(signed) => signed,
            Err(fault) => {
                if let Fault::Unauthorized { message } = &fault {
                    self.turn(Status::Error, Some(message)).await;
                }
                return Err(fault);
            }
        };
        let base = self.base_override.as_deref().or(signed.base.as_deref()).or(self.base_default.as_deref());
        let url = address(base, &call.target, &call.query)?;
        self.stay(&signed, &url).await?;
        if let Err(refusal) = parts.outbound.verdict_on_syntax(url.as_str()) {
            return Err(refused("address_refused", &format!("the address {refusal}")));
        }
        self.budget.take(call.cost, &parts.ambient).await?;
        let (mut headers, body) = content(call.headers, call.body)?;
        if let Some((name, value)) = &signed.header {
            headers.insert(name.clone(), value.clone());
        }
        let uri = to_uri(&url).map_err(|refusal| refused("address_refused", &format!("the address {refusal}")))?;
        let request = OutboundRequest {
            method: call.method.clone(),
            uri,
            headers,
            body: body.clone(),
            timeout: TIMEOUT,
            response_cap: MAX_ANSWER,
            repeatable: call.repeatable,
        };
        let at = parts.ambient.now();
        let answer = parts.outbound.send(request).await;
        self.log(&call.method, &url, at, &answer);
        if let Some(place) = &self.seen {
            let mut secrets = secrets(signed.header.as_ref());
            secrets.extend(self.masked.iter().map(|secret| secret.reveal().clone()));
            put(place, shown(call.method.as_str(), &url, &body, &answer, &secrets));
        }
        let answer = answer.map_err(|error| fault(&error))?;
        if answer.truncated {
            return Err(refused("answer_too_large", "the vendor's answer is larger than 32 MiB"));
        }
        if answer.status.is_success() {
            self.turn(Status::Connected, None).await;
        }
        Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body, generation: signed.generation })
    }

    /// That the credential goes no further than it may; people see it when it would.
    async fn stay(&self, signed: &Signed, url: &Url) -> Result<(), Fault> {
        let verdict = signed.reach.check(url);
        if let Err(Fault::Refused { message, .. }) = &verdict {
            self.turn(Status::Error, Some(message)).await;
        }
        verdict
    }

    fn log(&self, method: &http::Method, url: &Url, at: kernel::Timestamp, answer: &Result<OutboundResponse, OutboundError>) {
        let (status, elapsed, error) = match answer {
            Ok(answer) => (Some(answer.status.as_u16()), answer.elapsed, None),
            Err(error) => (None, error.elapsed, Some(error.text.chars().take(300).collect())),
        };
        self.integrations.journal.note(Entry {
            tenant: self.scope.tenant(),
            integration: self.id,
            at,
            method: method.to_string(),
            endpoint: url.path().chars().take(MAX_ENDPOINT).collect(),
            status,
            ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            error,
            actor: self.actor.clone(),
        });
    }
}

fn content(mut headers: HeaderMap, body: Body) -> Result<(HeaderMap, Bytes), Fault> {
    let (media, bytes) = match body {
        Body::Empty => (None, Bytes::new()),
        Body::Json(value) => (Some("application/json".to_owned()), Bytes::from(value.to_string())),
        Body::Form(pairs) => {
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            (Some("application/x-www-form-urlencoded".to_owned()), Bytes::from(text))
        }
        Body::Bytes(media, bytes) => (Some(media), bytes),
    };
    if let Some(media) = media {
        let value = HeaderValue::from_str(&media).map_err(|_| refused("media_type", "the body's media type cannot be sent"))?;
        headers.insert(CONTENT_TYPE, value);
    }
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    Ok((headers, bytes))
}

/// Whether something may have happened decides between the two.
fn fault(error: &OutboundError) -> Fault {
    let message = error.text.chars().take(300).collect();
    match error.kind {
        OutboundFault::Refused(_) => Fault::Refused { code: "address_refused".to_owned(), message, field: None },
        OutboundFault::Dns | OutboundFault::Connect | OutboundFault::Tls | OutboundFault::ClientCertificate | OutboundFault::Proxy => {
            Fault::Unavailable { message }
        }
        OutboundFault::Timeout | OutboundFault::Protocol => Fault::Lost { message },
    }
}

fn shown(method: &str, url: &Url, body: &[u8], answer: &Result<OutboundResponse, OutboundError>, secrets: &[String]) -> Exchange {
    let text = |bytes: &[u8]| {
        let whole = mask(&String::from_utf8_lossy(bytes), secrets.iter().map(String::as_str));
        (!whole.is_empty()).then(|| whole.chars().take(MAX_SHOWN).collect::<String>())
    };
    let url = mask(url.as_str(), secrets.iter().map(String::as_str));
    let (status, body_of_answer) = match answer {
        Ok(answer) => (Some(answer.status.as_u16()), text(&answer.body)),
        Err(_) => (None, None),
    };
    Exchange {
        request: Shown { method: Some(method.to_owned()), url: Some(url), status: None, body: text(body) },
        response: Shown { method: None, url: None, status, body: body_of_answer },
    }
}
