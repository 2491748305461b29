//! `alert_rules.replace`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result};
use serde_json::json;

use super::{AlertRule, AlertRuleInput, Overrides, Rule, list, sql};
use crate::Alerts;
use crate::authority::reach;

/// Highest minimum.
const MAX_MINIMUM: u64 = 1_000_000_000;

impl Alerts {
    /// Sets the figures of a rule for the caller's tenant, or, by the operator who names none, for all tenants that have not set their own.
    /// What is absent is as usual: an empty input brings everything back. Needs `alerts.write`.
    ///
    /// Errors: 404 for a rule that there is not, or that is the operator's; 422 `validation_failed`.
    pub async fn set_rule(&self, caller: &Caller, rule: &str, input: AlertRuleInput) -> Result<AlertRule> {
        let reach = reach(caller, Permission::AlertsWrite)?;
        let rule = Rule::named(rule)?;
        if rule.facts().operators && reach.tenant.is_some() {
            return Err(Error::not_found("alert rule"));
        }
        check(rule, &input)?;
        let (tenant, set) = (reach.tenant, Overrides::from(input));
        let operators = self.operators(rule).await?;
        self.store
            .answer(reach.scope, move |tx| {
                let before = sql::overrides(tx, tenant, rule)?;
                let is_usual = set == Overrides::default();
                if is_usual {
                    sql::clear(tx, tenant, rule)?;
                } else {
                    sql::put(tx, tenant, rule, &set)?;
                }
                let after = (!is_usual).then_some(set);
                let changes = json!({"before": before.as_ref().map(written), "after": after.as_ref().map(written)});
                tx.audit_with("alert_rule.replace", rule.name(), &changes)?;
                Ok(match tenant {
                    Some(_) => list::shown(rule, tenant, after, operators),
                    None => list::shown(rule, None, None, after),
                })
            })
            .await
    }
}

fn written(set: &Overrides) -> serde_json::Value {
    json!({"enabled": set.enabled, "severity": set.severity, "threshold": set.threshold, "minimum": set.minimum})
}

fn check(rule: Rule, input: &AlertRuleInput) -> Result<()> {
    let facts = rule.facts();
    let (least, most) = facts.bounds;
    if input.threshold.is_some_and(|threshold| !(least..=most).contains(&threshold)) {
        return Err(Error::field("/threshold", format!("must be {least} to {most} {}", facts.unit)));
    }
    match (input.minimum, facts.minimum) {
        (Some(_), None) => Err(Error::field("/minimum", "this rule has none")),
        (Some(minimum), _) if minimum > MAX_MINIMUM => Err(Error::field("/minimum", format!("must be at most {MAX_MINIMUM}"))),
        _ => Ok(()),
    }
}

pub(crate) async fn handle(
    State(alerts): State<Arc<Alerts>>,
    web::Auth(caller): web::Auth,
    web::Path(rule): web::Path<String>,
    web::Json(input): web::Json<AlertRuleInput>,
) -> web::Result<web::Json<AlertRule>> {
    Ok(web::Json(alerts.set_rule(&caller, &rule, input).await?))
}
