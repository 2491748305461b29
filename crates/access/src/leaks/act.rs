//! What follows from a report: in one transaction the key is marked, the policy applied and the tenant told.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Caller, KeyId, Result, Scope, ServiceKeyId, TenantId};
use serde_json::json;
use store::Tx;

use super::{LeakOutcome, LeakPolicy, LeakStatus, sql};
use crate::Access;
use crate::credentials::{Purpose, fingerprint, hex, sha256_hex};
use crate::keys::token::{self, Which};
use crate::keys::{self, KeyStatus, RotateKey};

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 1024;

/// Whose key it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    Tenant(TenantId, KeyId),
    Operator(ServiceKeyId),
}

/// What is known of a leak beside the token.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) source: String,
    pub(super) url: Option<String>,
    /// What to do, where the report says so.
    pub(super) policy: Option<LeakPolicy>,
}

impl Access {
    /// The key whose text is `token`. Nothing is changed.
    pub(super) async fn owner_of_token(&self, token: &str) -> Result<Option<Owner>> {
        if token.len() > MAX_TOKEN {
            return Ok(None);
        }
        let print = hex(&fingerprint(&self.pepper, &sha256_hex(token)));
        let hash = self.pepper.hash(Purpose::Token, token).to_vec();
        let ours = token::parse(token).ok().map(|token| (token.which(), token.key_id.to_owned()));
        self.store
            .read(Scope::system("access"), move |tx| {
                if let Some((Which::Service, key_id)) = &ours {
                    return Ok(sql::service_key(tx, key_id, &hash)?.map(Owner::Operator));
                }
                let mut found = keys::sql::by_fingerprint(tx, &print)?;
                if let (None, Some((_, key_id))) = (&found, &ours) {
                    found = sql::by_token(tx, key_id, &hash)?;
                }
                Ok(found.map(|(tenant, key)| Owner::Tenant(tenant, key)))
            })
            .await
    }

    /// The key of whose text this is the SHA-256, in lower-case hexadecimal digits.
    pub(super) async fn owner_of_hash(&self, sha256: &str) -> Result<Option<Owner>> {
        let print = hex(&fingerprint(&self.pepper, sha256));
        let found = self.store.read(Scope::system("access"), move |tx| keys::sql::by_fingerprint(tx, &print)).await?;
        Ok(found.map(|(tenant, key)| Owner::Tenant(tenant, key)))
    }

    /// Marks the key, applies the policy and tells the tenant, once.
    pub(super) async fn act_on_leak(self: &Arc<Self>, scope: kernel::TenantScope, id: KeyId, finding: Finding) -> Result<LeakOutcome> {
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        self.store.write(scope, move |tx| access.act_in(tx, tenant, id, &finding)).await
    }

    fn act_in(&self, tx: &mut Tx<'_>, tenant: TenantId, id: KeyId, finding: &Finding) -> Result<LeakOutcome> {
        let now = tx.now();
        let (mut key, client) = keys::sql::hold(tx, tenant, id)?;
        let mut outcome = LeakOutcome {
            api_key_id: Some(id),
            key_id: Some(key.shown_id.clone()),
            tenant_id: Some(tenant),
            client_id: Some(key.client),
            ..LeakOutcome::UNKNOWN
        };
        if key.leaked_at.is_some() {
            outcome.status = LeakStatus::AlreadyReported;
            return Ok(outcome);
        }
        key.leaked_at = Some(now);
        key.updated_at = now;
        let has_ended = key.status == KeyStatus::Revoked || key.expires_at.is_some_and(|end| end <= now);
        if has_ended {
            outcome.status = LeakStatus::Ended;
            keys::sql::update(tx, &key)?;
        } else {
            outcome.status = LeakStatus::Reported;
            let policy = self.leak_policy(tx, tenant, finding)?;
            outcome.action = Some(policy);
            match policy {
                LeakPolicy::Notify => {}
                LeakPolicy::Revoke => key.status = KeyStatus::Revoked,
                // Its successor is there already.
                LeakPolicy::Rotate(grace) if key.rotated_to.is_none() => {
                    let (next, minted) = self.successor(tx, &Caller::system("leaks", Some(tenant)), &key)?;
                    outcome.successor_id = Some(next.id);
                    self.insert_waiting(tx, &next, &minted, &client)?;
                    self.replace(tx, &mut key, next.id, RotateKey { grace_period_seconds: grace, extend_while_used: false })?;
                }
                LeakPolicy::Shorten(grace) | LeakPolicy::Rotate(grace) => {
                    let end = now.plus(Duration::from_secs(grace.into()));
                    key.extend_until = None;
                    key.end_at(Some(key.expires_at.map_or(end, |earlier| earlier.min(end))), now);
                }
            }
            keys::sql::update(tx, &key)?;
        }
        let action = outcome.action.map_or_else(|| "none".to_owned(), |policy| policy.to_string());
        tx.audit_with("key.leak", id, &json!({"source": finding.source, "url": finding.url, "action": action}))?;
        tx.notify(keys::TOPIC, id);
        self.report(tx, &key, events::API_KEY_LEAKED, |data| {
            data["source"] = json!(finding.source);
            data["url"] = json!(finding.url);
            data["action"] = json!(action);
            data["successorId"] = json!(key.rotated_to);
        })?;
        Ok(outcome)
    }

    /// The report's, or the tenant's, or the installation's.
    fn leak_policy(&self, tx: &mut Tx<'_>, tenant: TenantId, finding: &Finding) -> Result<LeakPolicy> {
        if let Some(policy) = finding.policy {
            return Ok(policy);
        }
        let own = LeakPolicy::of_settings(&sql::settings(tx, tenant)?);
        Ok(own.or(self.leaks.policy.get().copied()).unwrap_or_default())
    }
}
