//! Tiers: named sets of limits from the blueprint, which the operator may change at run time.

mod list;
mod replace;
pub(crate) mod sql;

use std::sync::Arc;

use blueprint::Blueprint;
use blueprint::model::Tier;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use list::TierMap;
pub use replace::ReplaceTier;

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
}

impl From<&Tier> for TierLimits {
    fn from(tier: &Tier) -> Self {
        Self { requests_per_minute: tier.per_minute, requests_per_hour: tier.per_hour, requests_per_day: tier.per_day, burst: tier.burst }
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
