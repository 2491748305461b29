//! `POST /api/v1/api-keys/verify`: for hosts that keep their own gateway. Whether a key may do what somebody asks with it, counted as one use.
//!
//! The same checks in the same order as for a call to us, with the same counters; answered from memory, always with 200. The call is
//! logged once: as the verified key's, with the host as actor.

mod answer;
mod input;
mod judge;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use kernel::{Caller, Credential};
use usage::RequestRow;

use crate::Gate;
use crate::guard::{Unlogged, method_named};
use answer::Answer;
use judge::Verdict;

pub use answer::{Code, Left, Verified};
pub use input::VerifyKey;

/// The template under which a use is logged whose endpoint the host does not name.
const SELF: &str = "/api/v1/api-keys/verify";

impl Gate {
    /// Verifies a key for `caller` and counts the use.
    ///
    /// Errors: 422 `validation_failed`; those of the store.
    async fn verify(&self, caller: &Caller, input: VerifyKey, begun: Instant) -> kernel::Result<Response> {
        let asked = input.check()?;
        let now = self.ambient.now();
        let verdict = self.judge(caller, &asked, now).await?;
        let body = serde_json::to_vec(&Answer::of(&verdict, may_see_metadata(caller))).map_err(kernel::Error::internal)?;
        let mut response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
        let Some(row) = self.row(caller, &verdict, asked, now, begun) else { return Ok(response) };
        self.usage.record(row);
        if is_host(caller) {
            response.extensions_mut().insert(Unlogged);
        }
        Ok(response)
    }

    /// The use as it is logged; none where there is no key that it could be a use of.
    fn row(&self, caller: &Caller, verdict: &Verdict, asked: input::Asked, now: kernel::Timestamp, begun: Instant) -> Option<RequestRow> {
        let principal = verdict.principal.as_deref()?;
        let key = principal.key()?;
        self.access.touch(key, now);
        let template = asked.path.map_or_else(|| Arc::from(SELF), Arc::from);
        let method = asked.method.as_deref().map_or("POST", method_named);
        Some(RequestRow {
            tenant: principal.tenant,
            client: principal.client,
            key: Some(key),
            status: verdict.code.status(),
            duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            ip: asked.ip,
            error_code: verdict.error_code,
            actor: Some(caller.actor()),
            environment: Some(principal.environment),
            tags: asked.tags,
            units: if verdict.code == Code::Valid { asked.cost } else { 0 },
            // A tenant's own key is logged for the call beside it: the two are two rows.
            ..RequestRow::new(
                caller.request().filter(|_| is_host(caller)).map_or_else(|| self.ambient.id(), |request| request.id),
                now,
                method,
                template,
            )
        })
    }
}

/// A host's own calls count for nobody: the verified key's row is the only one.
fn is_host(caller: &Caller) -> bool {
    matches!(caller.credential(), Credential::ServiceKey { .. })
}

/// What the host keeps about a key is the host's (and its tenant's administrators'), not everyone's who can hold the key in hand.
fn may_see_metadata(caller: &Caller) -> bool {
    caller.permissions().holds(kernel::Permission::KeysRead)
}

#[allow(clippy::disallowed_methods, reason = "measures how long a verification took, for the log")]
pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<VerifyKey>,
) -> web::Result<Response> {
    Ok(gate.verify(&caller, input, Instant::now()).await?)
}
