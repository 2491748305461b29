//! `alert_rules.list`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Page, PageRequest, Permission, Result, Scope, TenantId};

use super::{AlertRule, Overrides, Rule, Settings, sql};
use crate::Alerts;
use crate::authority::reach;

impl Alerts {
    /// The rules as they hold for the caller's tenant, or, for the operator who names none, for every tenant that has set nothing. Needs
    /// `alerts.read`.
    pub async fn rules(&self, caller: &Caller) -> Result<Vec<AlertRule>> {
        let reach = reach(caller, Permission::AlertsRead)?;
        let mut out = Vec::with_capacity(Rule::ALL.len());
        for rule in Rule::ALL.into_iter().filter(|rule| reach.tenant.is_none() || !rule.facts().operators) {
            out.push(self.rule_of(reach.scope.clone(), reach.tenant, rule).await?);
        }
        Ok(out)
    }

    /// What the operator set is not the tenant's to read, but it holds for the tenant: so that is read by the system.
    pub(super) async fn rule_of(&self, scope: Scope, tenant: Option<TenantId>, rule: Rule) -> Result<AlertRule> {
        let operators = self.operators(rule).await?;
        let own = match tenant {
            Some(_) => self.store.read(scope, move |tx| sql::overrides(tx, tenant, rule)).await?,
            None => None,
        };
        Ok(shown(rule, tenant, own, operators))
    }

    pub(super) async fn operators(&self, rule: Rule) -> Result<Option<Overrides>> {
        self.store.read(crate::scope(), move |tx| sql::overrides(tx, None, rule)).await
    }
}

pub(super) fn shown(rule: Rule, tenant: Option<TenantId>, own: Option<Overrides>, operators: Option<Overrides>) -> AlertRule {
    let is_default = if tenant.is_some() { own.is_none() } else { operators.is_none() };
    Settings::of(rule, own.unwrap_or_default(), &operators.unwrap_or_default()).view(rule, is_default)
}

pub(crate) async fn handle(State(alerts): State<Arc<Alerts>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<Page<AlertRule>>> {
    let rules = alerts.rules(&caller).await?;
    let page = PageRequest { limit: kernel::page::MAX_LIMIT, ..PageRequest::default() };
    // All of them: there is no cursor to go on with.
    let total = Some(rules.len() as u64);
    Ok(web::Json(Page::from_rows(rules, &page, total, |_| kernel::Cursor { key: 0, id: String::new() })))
}
