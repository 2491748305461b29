//! The rules and their usual figures.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Severity;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A tenant's calls in an hour, against the same hour of past days.
    UnusualVolume,
    /// Failed authentication with a key.
    FailedAuthentication,
    /// Failed authentication from an address; the operator's.
    BruteForce,
    /// Calls that a limit refused.
    RateLimitBreaches,
    /// The share of a webhook's attempts that arrived.
    WebhookSuccessRate,
    /// Errors between a tenant and another system.
    IntegrationErrors,
    /// Keys and certificates that end soon.
    Expiry,
}

/// On which side of the threshold it is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Above,
    Below,
}

/// What is fixed about a rule.
pub(crate) struct Facts {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) bad: Direction,
    pub(crate) severity: Severity,
    pub(crate) threshold: f64,
    /// The thresholds that make sense, inclusive.
    pub(crate) bounds: (f64, f64),
    /// How much there must be before it says anything.
    pub(crate) minimum: Option<u64>,
    /// No tenant's.
    pub(crate) operators: bool,
    /// For how many minutes all must be well before an alert closes.
    pub(crate) quiet_minutes: u64,
}

/// What counts of ten minutes have in common.
const COUNTED: Facts = Facts {
    name: "",
    description: "",
    unit: "failures",
    bad: Direction::Above,
    severity: Severity::Warning,
    threshold: 0.0,
    bounds: (1.0, 1_000_000.0),
    minimum: None,
    operators: false,
    quiet_minutes: 10,
};

const UNUSUAL_VOLUME: Facts = Facts {
    name: "unusual_volume",
    description: "Calls in an hour, times more or times fewer than in the same hour of the past seven days",
    unit: "times",
    threshold: 3.0,
    bounds: (1.5, 1000.0),
    minimum: Some(500),
    ..COUNTED
};

const FAILED_AUTHENTICATION: Facts =
    Facts { name: "failed_authentication", description: "Failed authentications with one key in ten minutes", threshold: 20.0, ..COUNTED };

const BRUTE_FORCE: Facts = Facts {
    name: "brute_force",
    description: "Failed authentications from one address in ten minutes",
    threshold: 100.0,
    operators: true,
    ..COUNTED
};

const RATE_LIMIT_BREACHES: Facts = Facts {
    name: "rate_limit_breaches",
    description: "Calls with one key that a limit refused in ten minutes",
    unit: "calls",
    threshold: 100.0,
    ..COUNTED
};

const WEBHOOK_SUCCESS_RATE: Facts = Facts {
    name: "webhook_success_rate",
    description: "Share of a webhook's attempts that arrived, in this hour and the one before",
    unit: "percent",
    bad: Direction::Below,
    threshold: 90.0,
    bounds: (1.0, 100.0),
    minimum: Some(20),
    ..COUNTED
};

const INTEGRATION_ERRORS: Facts = Facts {
    name: "integration_errors",
    description: "Errors of one integration or source in ten minutes",
    unit: "errors",
    threshold: 10.0,
    ..COUNTED
};

const EXPIRY: Facts = Facts {
    name: "expiry",
    description: "Days until an API key, a client certificate or a signing key ends",
    unit: "days",
    bad: Direction::Below,
    threshold: 14.0,
    bounds: (1.0, 90.0),
    quiet_minutes: 0,
    ..COUNTED
};

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::UnusualVolume,
        Self::FailedAuthentication,
        Self::BruteForce,
        Self::RateLimitBreaches,
        Self::WebhookSuccessRate,
        Self::IntegrationErrors,
        Self::Expiry,
    ];

    pub(crate) fn facts(self) -> &'static Facts {
        match self {
            Self::UnusualVolume => &UNUSUAL_VOLUME,
            Self::FailedAuthentication => &FAILED_AUTHENTICATION,
            Self::BruteForce => &BRUTE_FORCE,
            Self::RateLimitBreaches => &RATE_LIMIT_BREACHES,
            Self::WebhookSuccessRate => &WEBHOOK_SUCCESS_RATE,
            Self::IntegrationErrors => &INTEGRATION_ERRORS,
            Self::Expiry => &EXPIRY,
        }
    }

    /// As it is stored and shown.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Of its name. Error: 404.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| Error::not_found("alert rule"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json_and_usual_figures_are_within_bounds() {
        for rule in Rule::ALL {
            let facts = rule.facts();
            assert_eq!(serde_json::to_value(rule).unwrap(), facts.name);
            assert_eq!(Rule::named(facts.name).unwrap(), rule);
            assert!((facts.bounds.0..=facts.bounds.1).contains(&facts.threshold), "{}", facts.name);
        }
        assert!(Rule::named("nothing").is_err());
    }
}
