//! `POST /secret-scanning/github`: reports of GitHub's secret scanning partner programme.
//!
//! No credential: a report is signed over its raw bytes (ECDSA P-256, SHA-256; `Github-Public-Key-Identifier` and `-Signature`), and nothing of
//! it is believed before. What a stranger can make us do: look for a key by its name (at most one call out a minute), and verify one
//! signature over at most 1 MiB under a key that GitHub publishes.

use std::sync::Arc;

use axum::extract::{Request, State};
use kernel::{Error, Result, Scope, TenantScope};
use serde::{Deserialize, Serialize};

use super::act::{Finding, Owner};
use super::{LeakOutcome, LeakStatus};
use crate::Access;
use crate::credentials::sha256_hex;

const IDENTIFIER: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";
/// Longest identifier and signature that are looked at.
const MAX_HEADER: usize = 256;
/// Longest address that is kept, in characters.
const MAX_URL: usize = 2000;

/// One match, as GitHub sends it. Members that we do not know are no fault.
#[derive(Deserialize)]
struct Match {
    token: String,
    #[serde(rename = "type", default)]
    kind: String,
    url: Option<String>,
    source: Option<String>,
}

/// What GitHub is told of a match: whether it was one. By the token's hash, so that no answer carries a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Feedback {
    /// SHA-256 of the token, in hexadecimal digits.
    pub token_hash: String,
    /// The type that the report named.
    pub token_type: String,
    /// `true_positive` or `false_positive`.
    pub label: String,
}

impl Access {
    /// Takes a signed report. Errors: 404 where the installation takes none; 400 `malformed_json`; 401 `call_not_verified`; 413.
    async fn take_github_report(self: &Arc<Self>, request: Request) -> Result<Vec<Feedback>> {
        let keys = self.leaks.scanning.get().ok_or_else(|| Error::not_found("secret scanning"))?;
        let (parts, body) = request.into_parts();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| text.len() <= MAX_HEADER);
        let (Some(identifier), Some(signature)) = (header(IDENTIFIER), header(SIGNATURE)) else { return Err(not_verified()) };
        let key = keys.find(identifier).await.ok_or_else(not_verified)?;
        let body = web::read_body(body, web::DEFAULT_BODY_LIMIT).await?;
        if !key.verifies(&body, signature) {
            return Err(not_verified());
        }
        let matches: Vec<Match> = serde_json::from_slice(&body)
            .map_err(|error| Error::malformed("malformed_json", "The report is no list of matches.").caused_by(error))?;
        let mut out = Vec::with_capacity(matches.len());
        for one in matches {
            let outcome = self.take_match(&one).await?;
            let label = if outcome.status == LeakStatus::Unknown { "false_positive" } else { "true_positive" };
            out.push(Feedback { token_hash: sha256_hex(&one.token), token_type: one.kind, label: label.to_owned() });
        }
        Ok(out)
    }

    async fn take_match(self: &Arc<Self>, one: &Match) -> Result<LeakOutcome> {
        let source = one.source.as_deref().map_or_else(|| "github".to_owned(), |place| format!("github:{}", line(place, 60)));
        let url = one.url.as_deref().map(|url| line(url, MAX_URL)).filter(|url| !url.is_empty());
        let finding = Finding { source, url, policy: None };
        match self.owner_of_token(&one.token).await? {
            None => Ok(LeakOutcome::UNKNOWN),
            Some(Owner::Tenant(tenant, key)) => self.act_on_leak(TenantScope::system("secret-scanning", tenant), key, finding).await,
            Some(Owner::Operator(id)) => self.act_on_leaked_service_key(Scope::system("secret-scanning"), id, finding).await,
        }
    }
}

/// What a report says, cut and without control characters: it goes into events and the audit log.
fn line(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

fn not_verified() -> Error {
    Error::unauthenticated("call_not_verified", "This report is not signed by a key that GitHub publishes.")
}

pub(crate) async fn handle(State(access): State<Arc<Access>>, request: Request) -> web::Result<web::Json<Vec<Feedback>>> {
    Ok(web::Json(access.take_github_report(request).await?))
}
