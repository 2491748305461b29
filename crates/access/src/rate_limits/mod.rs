//! Tiers: named sets of limits from the blueprint, which the operator may change at run time.

mod list;
mod replace;
pub(crate) mod sql;

use std::collections::BTreeMap;
use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::{Tier, Windows};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use list::TierMap;
pub use replace::ReplaceTier;

use crate::MonthlyQuota;

pub(crate) use list::handle as list;
pub(crate) use replace::handle as replace;

/// Topic of change notices, by tier name.
pub(crate) const TOPIC: &str = "tier";

/// A tier's limits, as shown. Null: does not bind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TierLimits {
    /// Requests in any minute.
    pub requests_per_minute: Option<u32>,
    /// Requests in any hour.
    pub requests_per_hour: Option<u32>,
    /// Requests in any day.
    pub requests_per_day: Option<u32>,
    /// How many of the minute's requests may come at once; null: all of them.
    pub burst: Option<u32>,
    /// What a client of this tier may use up in a month, by all its keys.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub monthly_quota: Option<MonthlyQuota>,
    /// By environment (`production`, `staging`, `development`): the limits that take the place of those above for its keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub environments: BTreeMap<String, WindowLimits>,
}

/// Limits in windows, for one environment. Each that is given takes the place of the tier's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WindowLimits {
    /// Requests in any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Requests in any hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_hour: Option<u32>,
    /// Requests in any day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u32>,
    /// How many of the minute's requests may come at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

impl From<Windows> for WindowLimits {
    fn from(windows: Windows) -> Self {
        Self {
            requests_per_minute: windows.per_minute,
            requests_per_hour: windows.per_hour,
            requests_per_day: windows.per_day,
            burst: windows.burst,
        }
    }
}

impl From<WindowLimits> for Windows {
    fn from(limits: WindowLimits) -> Self {
        Self {
            per_minute: limits.requests_per_minute,
            per_hour: limits.requests_per_hour,
            per_day: limits.requests_per_day,
            burst: limits.burst,
        }
    }
}

impl From<&Tier> for TierLimits {
    fn from(tier: &Tier) -> Self {
        Self {
            requests_per_minute: tier.per_minute,
            requests_per_hour: tier.per_hour,
            requests_per_day: tier.per_day,
            burst: tier.burst,
            monthly_quota: tier.monthly_quota.map(MonthlyQuota::from),
            environments: tier.environments.iter().map(|one| (one.environment.clone(), one.windows.into())).collect(),
        }
    }
}

/// A snapshot of all tiers: the blueprint's, with the operator's changes.
#[derive(Clone, Debug)]
pub struct Tiers {
    tiers: Vec<Tier>,
    /// Where the default tier stands.
    default: usize,
    /// What `GET /rate-limits` answers.
    listing: Arc<RawValue>,
}

impl Tiers {
    /// `overrides` of tiers that the blueprint does not (or no longer) declare are left out.
    pub(crate) fn new(blueprint: &Blueprint, overrides: &[Tier]) -> Self {
        let changed = |tier: &Tier| overrides.iter().find(|other| other.name == tier.name).unwrap_or(tier).clone();
        let tiers: Vec<Tier> = blueprint.tiers.iter().map(changed).collect();
        let default = tiers.iter().position(|tier| tier.name == blueprint.default_tier).unwrap_or(0);
        let listing = serde_json::value::to_raw_value(&TierMap::of(&tiers)).expect("a map with text keys can be written");
        Self { tiers, default, listing: listing.into() }
    }

    /// What `GET /rate-limits` answers.
    pub fn listing(&self) -> Arc<RawValue> {
        Arc::clone(&self.listing)
    }

    /// In the blueprint's order.
    pub fn all(&self) -> &[Tier] {
        &self.tiers
    }

    /// The tier of this name.
    pub fn get(&self, name: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == name)
    }

    /// The tier of this name, or the default one for a name that the blueprint does not (or no longer) declare. None: the product has no tiers.
    pub fn or_default(&self, name: &str) -> Option<&Tier> {
        self.get(name).or_else(|| self.tiers.get(self.default))
    }
}
