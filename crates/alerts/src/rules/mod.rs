//! Rules: what is watched, and from where on it is an alert. The rules are fixed; their figures are the operator's and each tenant's to set.

mod list;
mod replace;
mod rule;
mod settings;
pub(crate) mod sql;

use serde::{Deserialize, Serialize};

use crate::Severity;

pub(crate) use list::handle as list;
pub(crate) use replace::handle as replace;
pub(crate) use rule::Direction;
pub use rule::Rule;
pub(crate) use settings::{Overrides, Settings};

/// A rule as it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertRule {
    /// Its name.
    pub rule: Rule,
    /// What it watches.
    pub description: String,
    /// Whether it opens alerts.
    pub enabled: bool,
    /// How grave they are; much worse than the threshold is `critical` in any case.
    pub severity: Severity,
    /// From where on.
    pub threshold: f64,
    /// What the threshold is in: `failures`, `percent`, …
    pub unit: String,
    /// Whether `above` the threshold is bad, or `below`.
    pub bad: String,
    /// How much there must be (calls, attempts) before it says anything; none where any is enough.
    pub minimum: Option<u64>,
    /// Whether every figure is as usual.
    pub is_default: bool,
}

/// Figures in place of the usual ones; what is absent is as usual.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AlertRuleInput {
    /// Whether it opens alerts.
    pub enabled: Option<bool>,
    /// How grave they are.
    pub severity: Option<Severity>,
    /// From where on.
    pub threshold: Option<f64>,
    /// How much there must be before it says anything.
    pub minimum: Option<u64>,
}
