//! Keys that were found where others can read them: what is done about it, and who may say so.
//!
//! Two front doors: the operator (`report`) and GitHub's secret scanning (`github`), whose reports are signed. Both end in `act`: the
//! key is marked, the policy applied, the tenant told, in one transaction. A key that was reported before is not acted on again.

mod act;
mod github;
mod policy;
mod report;
mod scanning_keys;
mod service_key;
mod sql;

use std::sync::OnceLock;

use kernel::{ClientId, KeyId, TenantId};
use serde::{Deserialize, Serialize};

pub use github::Feedback;
pub use policy::LeakPolicy;
pub use report::{LeakReport, LeakedToken, ReportAnswer};
pub use scanning_keys::ScanningKeys;

pub(crate) use github::handle as github;
pub(crate) use report::handle as report;

/// What the binary sets.
#[derive(Default)]
pub(crate) struct Setup {
    policy: OnceLock<LeakPolicy>,
    scanning: OnceLock<ScanningKeys>,
}

impl crate::Access {
    /// Sets what is done about a leak where neither the report nor the tenant says otherwise. Once, at wiring; default: only to tell.
    pub fn set_leak_policy(&self, policy: LeakPolicy) {
        if self.leaks.policy.set(policy).is_err() {
            debug_assert!(false, "the policy is set once");
        }
    }

    /// Takes reports of GitHub's secret scanning from now on. Once, at wiring; without it they are 404.
    pub fn set_secret_scanning(&self, keys: ScanningKeys) {
        if self.leaks.scanning.set(keys).is_err() {
            debug_assert!(false, "the keys are set once");
        }
    }
}

/// What became of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeakStatus {
    /// It is a key of ours: it is marked and its tenant told.
    Reported,
    /// It was reported before: nothing was done again.
    AlreadyReported,
    /// It was a key of ours, and is revoked or expired.
    Ended,
    /// It is no key of ours.
    Unknown,
}

/// One reported token, without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeakOutcome {
    /// What became of it.
    pub status: LeakStatus,
    /// The key; none if it is unknown, or a service key.
    pub api_key_id: Option<KeyId>,
    /// What may be shown of the key.
    pub key_id: Option<String>,
    /// Its tenant.
    pub tenant_id: Option<TenantId>,
    /// Its client.
    pub client_id: Option<ClientId>,
    /// What was done: `notify`, `shorten:<seconds>`, `rotate:<seconds>`, `revoke`; none: nothing.
    pub action: Option<LeakPolicy>,
    /// The key that took its place, whose secrets wait to be claimed.
    pub successor_id: Option<KeyId>,
}

impl LeakOutcome {
    const UNKNOWN: Self = Self {
        status: LeakStatus::Unknown,
        api_key_id: None,
        key_id: None,
        tenant_id: None,
        client_id: None,
        action: None,
        successor_id: None,
    };
}
