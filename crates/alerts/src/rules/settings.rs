//! The figures of a rule: the tenant's, else the operator's, else the usual ones.

use super::{AlertRule, AlertRuleInput, Direction, Rule};
use crate::Severity;

/// What somebody set; what is none is as usual.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Overrides {
    pub(crate) enabled: Option<bool>,
    pub(crate) severity: Option<Severity>,
    pub(crate) threshold: Option<f64>,
    pub(crate) minimum: Option<u64>,
}

impl Overrides {
    fn or(self, below: &Self) -> Self {
        Self {
            enabled: self.enabled.or(below.enabled),
            severity: self.severity.or(below.severity),
            threshold: self.threshold.or(below.threshold),
            minimum: self.minimum.or(below.minimum),
        }
    }
}

impl From<AlertRuleInput> for Overrides {
    fn from(input: AlertRuleInput) -> Self {
        let AlertRuleInput { enabled, severity, threshold, minimum } = input;
        Self { enabled, severity, threshold, minimum }
    }
}

/// Figures as they hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) enabled: bool,
    pub(crate) severity: Severity,
    pub(crate) threshold: f64,
    pub(crate) minimum: u64,
}

impl Settings {
    pub(crate) fn of(rule: Rule, tenants: Overrides, operators: &Overrides) -> Self {
        let (facts, set) = (rule.facts(), tenants.or(operators));
        Self {
            enabled: set.enabled.unwrap_or(true),
            severity: set.severity.unwrap_or(facts.severity),
            threshold: set.threshold.unwrap_or(facts.threshold),
            minimum: facts.minimum.map_or(0, |usual| set.minimum.unwrap_or(usual)),
        }
    }

    pub(crate) fn view(self, rule: Rule, is_default: bool) -> AlertRule {
        let facts = rule.facts();
        AlertRule {
            rule,
            description: facts.description.to_owned(),
            enabled: self.enabled,
            severity: self.severity,
            threshold: self.threshold,
            unit: facts.unit.to_owned(),
            bad: if facts.bad == Direction::Above { "above" } else { "below" }.to_owned(),
            minimum: facts.minimum.map(|_| self.minimum),
            is_default,
        }
    }
}
