//! A preview: everything but sending.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Event, Result};
use script::Fault;
use serde_json::Value;

use super::HttpChannel;
use super::configuration::HttpConfig;
use super::prepared::HttpTarget;
use super::transform::{Draft, Stop, Transform};
use crate::rehearsal::{Rehearsal, RehearsedFault, RehearsedRequest};

/// How long a preview waits for its turn.
const WITHIN: Duration = Duration::from_secs(10);

impl HttpChannel {
    pub(super) async fn made_up(&self, config: &Value, event: &Event) -> Result<Rehearsal> {
        let parsed = HttpConfig::read(config)?;
        self.check_target(&parsed).await?;
        let nothing = Rehearsal { request: None, is_cancelled: false, fault: None };
        let transform = match Transform::owned(&parsed, &event.tenant.to_string()) {
            Ok(transform) => transform,
            Err(found) => return Ok(Rehearsal { fault: Some(told(found)), ..nothing }),
        };
        let target = HttpTarget { transform, ..HttpTarget::new(&HttpConfig { transform: None, ..parsed })? };
        Ok(match self.draft(&target, event, WITHIN).await {
            Ok(draft) if draft.uri != target.uri && self.check_url(&draft.uri.to_string(), "").await.is_err() => refused(nothing),
            Ok(draft) => Rehearsal { request: Some(shown(&draft)), ..nothing },
            Err(Stop::Cancelled) => Rehearsal { is_cancelled: true, ..nothing },
            Err(Stop::Fault(found)) => Rehearsal { fault: Some(told(found)), ..nothing },
            Err(Stop::Refused) => refused(nothing),
        })
    }
}

fn refused(nothing: Rehearsal) -> Rehearsal {
    let message = "the url that the transform gave is not allowed".to_owned();
    Rehearsal { fault: Some(RehearsedFault { message, line: None, column: None }), ..nothing }
}

fn told(found: Fault) -> RehearsedFault {
    RehearsedFault { message: found.message, line: found.line, column: found.column }
}

fn shown(draft: &Draft) -> RehearsedRequest {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<String, String> = draft.shown.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let body = serde_json::from_slice(&draft.body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&draft.body).into_owned()));
    RehearsedRequest { method: draft.method.to_string(), url: draft.uri.to_string(), headers, body }
}
