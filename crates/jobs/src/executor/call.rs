//! One call of the host.

use std::sync::Arc;
use std::time::Duration;

use blueprint::model::JobExecutor;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use kernel::{Error, Result, Timestamp};
use serde_json::{Value, json};
use web::outbound::{OutboundError, OutboundRequest, OutboundResponse, to_uri};
use web::signature::{WebhookSecret, sign_standard};

use super::signing_secret;
use crate::catalogue::Kind;
use crate::jobs::JobError;
use crate::leases::{Again, Lease, Token};
use crate::{Jobs, MAX_RESULT};

/// How long a lease is that this server holds; renewed while the call is under way.
pub(super) const LEASE: Duration = Duration::from_secs(30);
const RENEW: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is heeded.
const MAX_RETRY_AFTER: u64 = 3600;

/// What came of a call.
enum Outcome {
    Done(Value),
    Accepted,
    Failed(JobError, Again),
}

/// Calls the host and does with the job what the answer says.
pub(super) async fn call(jobs: &Arc<Jobs>, kind: &Kind, lease: Lease) {
    let JobExecutor::Http { url, timeout_ms, update_within_ms } = &kind.declared.executor else { return };
    let (id, Ok(token)) = (lease.id, lease.lease_token.parse::<Token>()) else { return };
    let outcome = tokio::select! {
        outcome = ask(jobs, kind, &lease, url, Duration::from_millis(*timeout_ms)) => outcome,
        () = hold(jobs, &lease, &token) => return,
        () = jobs.closed.cancelled() => {
            if let Err(error) = jobs.release(id, token).await {
                tracing::warn!(?error, job = %id, "a job could not be handed back; its lease will run out");
            }
            return;
        }
    };
    let scope = Jobs::system(token.tenant);
    let told = match outcome {
        Outcome::Done(result) => match jobs.complete_with(scope.clone(), id, token.clone(), result).await {
            Err(error) if error.kind() == kernel::Kind::Invalid => {
                let error =
                    JobError { details: serde_json::to_value(error.fields()).ok(), ..JobError::new("invalid_answer", error.detail()) };
                jobs.fail_with(scope, id, token, error, Again::AsDeclared).await.map(drop)
            }
            other => other.map(drop),
        },
        Outcome::Accepted => {
            let until = jobs.now().plus(Duration::from_millis(*update_within_ms));
            jobs.keep(scope, id, token, until, (0, None)).await.map(drop)
        }
        Outcome::Failed(error, again) => jobs.fail_with(scope, id, token, error, again).await.map(drop),
    };
    match told {
        // It was cancelled, or the host has ended it by itself.
        Err(error) if error.kind() == kernel::Kind::Conflict => {}
        Err(error) => tracing::warn!(?error, job = %id, "what the host answered could not be written; the job will be given to it again"),
        Ok(()) => {}
    }
}

/// Keeps the lease; ends when it is lost.
async fn hold(jobs: &Arc<Jobs>, lease: &Lease, token: &Token) {
    loop {
        tokio::time::sleep(RENEW).await;
        let until = jobs.now().plus(LEASE);
        match jobs.keep(Jobs::system(token.tenant), lease.id, token.clone(), until, (0, None)).await {
            Err(error) if matches!(error.kind(), kernel::Kind::Conflict | kernel::Kind::NotFound) => return,
            _ => {}
        }
    }
}

async fn ask(jobs: &Arc<Jobs>, kind: &Kind, lease: &Lease, url: &str, timeout: Duration) -> Outcome {
    let request = match request(jobs, kind, lease, url, timeout) {
        Ok(request) => request,
        Err(error) => return Outcome::Failed(JobError::new("host_unreachable", error.detail()), Again::AsDeclared),
    };
    match jobs.around.outbound.send(request).await {
        Ok(answer) => judge(&answer),
        Err(error) => Outcome::Failed(unreachable_host(&error), Again::AsDeclared),
    }
}

fn unreachable_host(error: &OutboundError) -> JobError {
    JobError::new("host_unreachable", format!("The host could not be called: {}", error.text))
}

fn request(jobs: &Jobs, kind: &Kind, lease: &Lease, url: &str, timeout: Duration) -> Result<OutboundRequest> {
    let url = jobs.around.outbound.verdict_on_syntax(url).map_err(|refusal| refusal.into_error("/url"))?;
    let uri = to_uri(&url).map_err(|refusal| refusal.into_error("/url"))?;
    let now: Timestamp = jobs.now();
    let body = json!({
        "id": lease.id, "type": lease.kind, "timestamp": now,
        "data": {
            "jobId": lease.id, "type": lease.kind, "tenantId": lease.tenant_id, "input": lease.input, "attempt": lease.attempt,
            "deadline": lease.deadline, "leaseToken": lease.lease_token,
        },
    });
    let body = Bytes::from(body.to_string());
    let id = format!("{}.{}", lease.id, lease.attempt);
    let secret = WebhookSecret::parse(signing_secret(&jobs.around.secret, kind.name()).reveal())?;
    let signature = sign_standard(&[secret], &id, now.seconds(), &body);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Tradewind"));
    for (name, value) in [("webhook-id", id), ("webhook-timestamp", now.seconds().to_string()), ("webhook-signature", signature)] {
        headers.insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    Ok(OutboundRequest { method: Method::POST, uri, headers, body, timeout, response_cap: MAX_RESULT, repeatable: false })
}

fn judge(answer: &OutboundResponse) -> Outcome {
    let status = answer.status;
    if status == StatusCode::ACCEPTED {
        return Outcome::Accepted;
    }
    if status.is_success() {
        if answer.truncated {
            let error = JobError::new("invalid_answer", format!("The host's answer has more than {MAX_RESULT} bytes."));
            return Outcome::Failed(error, Again::Never);
        }
        if answer.body.is_empty() {
            return Outcome::Done(Value::Null);
        }
        return serde_json::from_slice(&answer.body).map_or_else(
            |_| Outcome::Failed(JobError::new("invalid_answer", "The host's answer is not JSON."), Again::AsDeclared),
            Outcome::Done,
        );
    }
    let error = JobError::new("host_refused", format!("The host answered {}.", status.as_u16()));
    let passing = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    let wait = answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match wait {
        _ if !passing => Outcome::Failed(error, Again::Never),
        Some(seconds) => Outcome::Failed(error, Again::After(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))),
        None => Outcome::Failed(error, Again::AsDeclared),
    }
}
