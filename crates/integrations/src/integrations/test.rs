//! `integrations.test`: one harmless call that shows whether the vendor can be used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use connectors::Fault;
use kernel::{Caller, Error, IntegrationId, Permission, Result};
use serde::{Deserialize, Serialize};

use super::{CREDENTIALS_BOUND, Status, TOKEN_BASE_REFUSED};
use crate::Integrations;

/// For all calls of a test together.
const LONGEST: Duration = Duration::from_secs(15);

/// How a test went.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationTestResult)]
pub struct TestResult {
    /// Whether the vendor can be used.
    pub success: bool,
    /// Who we are there, or what is wrong and what to do.
    pub message: String,
    /// A stable code of what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was sent last, without secrets; null: nothing was.
    pub request: Option<Shown>,
    /// What came back, without secrets.
    pub response: Option<Shown>,
}

/// A request or an answer as people may see it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ShownMessage)]
pub struct Shown {
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body; at most 4000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A call and its answer.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// What was sent.
    pub request: Shown,
    /// What came back.
    pub response: Shown,
}

impl Integrations {
    /// Tests an integration, also one that is switched off.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `connector_without_calls`. What the vendor says is an answer, not an error.
    pub async fn test(self: &Arc<Self>, caller: &Caller, id: IntegrationId) -> Result<TestResult> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let seen = Arc::new(Mutex::new(None));
        let (connector, session, carrier) = self.open_session(&scope, id, Some(Arc::clone(&seen))).await?;
        let (success, message, code) = match within(LONGEST, connector.test(&session)).await {
            Ok(who) => (true, who, None),
            Err(fault) => {
                if matches!(fault, Fault::Unauthorized { .. } | Fault::Forbidden { .. }) {
                    carrier.turn(Status::Error, Some(&said(&fault))).await;
                }
                (false, said(&fault), Some(code(&fault).to_owned()))
            }
        };
        if success {
            carrier.turn(Status::Connected, None).await;
        }
        let exchange: Option<Exchange> = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (request, response) = exchange.map_or((None, None), |exchange| (Some(exchange.request), Some(exchange.response)));
        self.parts
            .store
            .answer(scope, move |tx| {
                tx.audit("integration.test", id)?;
                Ok(TestResult { success, message, code, request, response })
            })
            .await
    }
}

/// What the vendor says, if it says it in time.
async fn within(limit: Duration, test: impl Future<Output = std::result::Result<String, Fault>>) -> std::result::Result<String, Fault> {
    let late = |_| Err(Fault::Unavailable { message: format!("no complete answer within {} seconds", limit.as_secs()) });
    tokio::time::timeout(limit, test).await.unwrap_or_else(late)
}

/// What the fault is for programs: of a credential that would leave its place, that.
fn code(fault: &Fault) -> &str {
    match fault {
        Fault::Refused { code, .. } if [CREDENTIALS_BOUND, TOKEN_BASE_REFUSED].contains(&code.as_str()) => code,
        _ => fault.code(),
    }
}

/// What a fault says, for people.
pub(crate) fn said(fault: &Fault) -> String {
    match fault {
        Fault::Unauthorized { message } => format!("The vendor does not take the credential: {message}"),
        Fault::Forbidden { message } => format!("The credential may not do this: {message}"),
        Fault::RateLimited { .. } => "The vendor asks for a pause. Try again in a moment.".to_owned(),
        Fault::Exhausted { until } => format!("The account's budget at the vendor is used up until {until}."),
        Fault::NotFound { message } => format!("The vendor does not know it: {message}"),
        Fault::Refused { message, .. } => format!("The vendor refuses: {message}"),
        Fault::Stale { message } => format!("The cursor is too old: {message}"),
        Fault::Unavailable { message } => format!("The vendor cannot be reached: {message}"),
        Fault::Lost { message } => format!("The vendor's answer was lost: {message}"),
    }
}

/// A vendor's fault as the answer to a request of ours.
pub(crate) fn into_error(fault: &Fault) -> Error {
    use kernel::Kind;
    let text = said(fault);
    match fault {
        Fault::NotFound { .. } => Error::not_found("object at the vendor"),
        Fault::RateLimited { after } => {
            let error = Error::unavailable("vendor_rate_limited", text);
            after.map_or_else(|| Error::unavailable("vendor_rate_limited", said(fault)), |after| error.retry_after(after))
        }
        Fault::Exhausted { .. } => Error::unavailable("vendor_quota_exhausted", text),
        Fault::Unauthorized { .. } | Fault::Forbidden { .. } => Error::conflict("vendor_unauthorized", text),
        Fault::Refused { .. } | Fault::Stale { .. } => Error::new(Kind::BadGateway, "vendor_refused", text),
        Fault::Unavailable { .. } | Fault::Lost { .. } => Error::new(Kind::BadGateway, "vendor_unavailable", text),
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
) -> web::Result<web::Json<TestResult>> {
    Ok(web::Json(integrations.test(&caller, id).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_test_ends_whatever_the_vendor_does() {
        let fault = within(Duration::from_millis(20), std::future::pending()).await.unwrap_err();
        assert!(matches!(&fault, Fault::Unavailable { message } if message.contains("no complete answer")), "{fault:?}");
        assert_eq!(within(LONGEST, async { Ok("Ada".to_owned()) }).await.unwrap(), "Ada");
    }
}
