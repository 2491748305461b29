//! `POST /api/v1/api-keys/leaked`: the operator reports tokens that were found somewhere.

use std::sync::Arc;

use axum::extract::State;
use kernel::text::{self, MAX_NAME};
use kernel::{Caller, Error, Permission, Result};
use serde::{Deserialize, Serialize};

use super::act::{Finding, Owner};
use super::{LeakOutcome, LeakPolicy};
use crate::Access;

/// Most tokens in one report.
const MOST: usize = 100;
/// Longest address in characters.
const MAX_URL: usize = 2000;

/// A report of leaked tokens.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeakReport {
    /// 1 to 100 of them.
    pub leaks: Vec<LeakedToken>,
    /// Where the report comes from, in a few words. Default: `operator`.
    pub source: Option<String>,
    /// What to do. Default: the tenant's `settings.leakPolicy`, or the installation's.
    pub policy: Option<LeakPolicy>,
}

/// A leaked token: its text, or its hash.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeakedToken {
    /// The whole text.
    pub token: Option<String>,
    /// Or the SHA-256 of it, as 64 hexadecimal digits.
    pub hash: Option<String>,
    /// Where it was found.
    pub url: Option<String>,
}

/// What became of each, in the report's order.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReportAnswer {
    /// One for each token.
    pub data: Vec<LeakOutcome>,
}

impl LeakReport {
    fn check(&self) -> Result<()> {
        if !(1..=MOST).contains(&self.leaks.len()) {
            return Err(Error::field("/leaks", format!("must have 1 to {MOST} entries")));
        }
        if let Some(source) = &self.source {
            text::line("/source", source, 1, MAX_NAME)?;
        }
        for (index, leak) in self.leaks.iter().enumerate() {
            let place = format!("/leaks/{index}");
            if leak.token.is_some() == leak.hash.is_some() {
                return Err(Error::field(place, "must have either token or hash"));
            }
            if let Some(hash) = leak.hash.as_ref().filter(|hash| hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit())) {
                let detail = format!("must be a SHA-256 as 64 hexadecimal digits, not {} characters", hash.chars().count());
                return Err(Error::field(format!("{place}/hash"), detail));
            }
            if let Some(url) = &leak.url {
                text::line(&format!("{place}/url"), url, 0, MAX_URL)?;
            }
        }
        Ok(())
    }
}

impl Access {
    /// Acts on each reported token: marks the key, applies the policy, tells its tenant. A report can be repeated. With a tenant named
    /// (`Tradewind-Tenant`), the keys of others are unknown.
    ///
    /// Errors: 403 `operator_only`, 422 `validation_failed`.
    pub async fn report_leaks(self: &Arc<Self>, caller: &Caller, report: LeakReport) -> Result<ReportAnswer> {
        let operator = caller.operate()?;
        report.check()?;
        let source = report.source.unwrap_or_else(|| "operator".to_owned());
        let mut data = Vec::with_capacity(report.leaks.len());
        for leak in report.leaks {
            let owner = match (&leak.token, &leak.hash) {
                (Some(token), _) => self.owner_of_token(token).await?,
                (None, Some(hash)) => self.owner_of_hash(&hash.to_ascii_lowercase()).await?,
                (None, None) => None,
            };
            let finding = Finding { source: source.clone(), url: leak.url, policy: report.policy };
            data.push(match owner {
                Some(Owner::Tenant(tenant, key)) if caller.tenant().is_none_or(|named| named == tenant) => {
                    let scope = caller.acting_for(Some(tenant))?.allow(Permission::KeysWrite)?;
                    self.act_on_leak(scope, key, finding).await?
                }
                Some(Owner::Operator(id)) if caller.tenant().is_none() => {
                    self.act_on_leaked_service_key((&operator).into(), id, finding).await?
                }
                _ => LeakOutcome::UNKNOWN,
            });
        }
        Ok(ReportAnswer { data })
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Json(report): web::Json<LeakReport>,
) -> web::Result<web::Json<ReportAnswer>> {
    Ok(web::Json(access.report_leaks(&caller, report).await?))
}
