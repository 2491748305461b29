//! What clients and keys have used of their monthly quotas, for people: of all nodes, up to the last second.

mod of_client;
mod of_key;

use kernel::{ClientId, KeyId, Result, Timestamp};
use serde::Serialize;

use access::MonthlyQuota;

use crate::Gate;
use crate::limits::Quota;

pub(crate) use of_client::handle as of_client;
pub(crate) use of_key::handle as of_key;

/// The quotas that bind a client, or a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaUses {
    /// The client.
    pub client_id: ClientId,
    /// The key, where a key was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_id: Option<KeyId>,
    /// `month`, of the client, and `key-month`, of the key, as far as there are such quotas.
    pub quotas: Vec<QuotaStanding>,
}

/// How a quota stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotaStanding {
    /// `month` (all keys of the client together) or `key-month` (the key, and those that it came of by rotation).
    pub policy: &'static str,
    /// The most in a period.
    pub limit: u64,
    /// What was used since the period began. It may be more than the limit where that was lowered.
    pub used: u64,
    /// What is left.
    pub remaining: u64,
    /// The day of the month (UTC) on which it is whole again.
    pub refill_day: u8,
    /// When the present period began.
    pub period_start: Timestamp,
    /// When it is whole again.
    pub refills_at: Timestamp,
}

impl Gate {
    /// The quota of a client: its own, or its tier's.
    fn quota_of_client(&self, client: &access::clients::Client) -> Option<MonthlyQuota> {
        let of_tier = || self.access.tiers().or_default(&client.rate_limit_tier)?.monthly_quota.map(MonthlyQuota::from);
        client.monthly_quota.or_else(of_tier)
    }

    async fn standing_of(&self, quota: &Quota) -> Result<QuotaStanding> {
        let (used, period) = self.counters.used(quota, self.ambient.now()).await?;
        Ok(QuotaStanding {
            policy: quota.name,
            limit: quota.limit,
            used,
            remaining: quota.limit.saturating_sub(used),
            refill_day: quota.refill_day,
            period_start: Timestamp::from_millis(period.start),
            refills_at: Timestamp::from_millis(period.end),
        })
    }
}
