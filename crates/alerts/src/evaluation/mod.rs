//! Looking: what every rule measures, and what follows for its alerts.
//!
//! One server looks ([`store::Lease`]), once a minute, rule by rule; a rule that cannot be measured does not keep the others from it. A rule's measures are
//! read first, all at once and bounded ([`MOST`]), then weighed in small transactions: those that are bad open or renew alerts, and alerts
//! that nothing bad was measured for come to rest and close.

mod deliveries;
mod expiry;
mod judge;
mod measure;
mod noted;
mod volume;
mod weigh;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Result, TenantId};
use serde::Serialize;
use store::Lease;

use crate::alerts::sql;
use crate::{Alerts, Rule};

use measure::{Measure, Measured};

/// Held for two looks that were missed.
const LEASE: Lease = Lease { name: "alerts.evaluation", held_for: Duration::from_secs(150) };
/// Most subjects of a rule in one look, the worst first. What is beyond waits: alerts that are open already stay so.
const MOST: u32 = 1000;
/// Subjects in one transaction.
const STEP: usize = 100;
/// Signals are kept for so long, for people to look at.
const SIGNALS_KEPT: Duration = Duration::from_hours(24);
/// Alerts that are closed are kept for so long.
const ALERTS_KEPT: Duration = Duration::from_hours(24 * 365);
/// Rows that go in one step.
const FORGET: u32 = 1000;

/// What a look did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Evaluated {
    /// Alerts that opened.
    pub opened: u64,
    /// Alerts whose update was told.
    pub updated: u64,
    /// Alerts that closed.
    pub closed: u64,
    /// Rules that could not be measured.
    pub failed: u64,
}

impl Evaluated {
    fn add(&mut self, other: Self) {
        self.opened += other.opened;
        self.updated += other.updated;
        self.closed += other.closed;
        self.failed += other.failed;
    }
}

/// By what a measure and an alert of one rule are told to be about the same.
type Key = (Option<TenantId>, String);

impl Alerts {
    /// Looks at everything once. Does nothing while another server is at it. Called every minute by [`Alerts::start`].
    pub async fn evaluate(self: &Arc<Self>) -> Result<Evaluated> {
        let mut done = Evaluated::default();
        let holder = self.holder;
        if !self.store.write(crate::scope(), move |tx| LEASE.take(tx, holder)).await? {
            return Ok(done);
        }
        for rule in Rule::ALL {
            match self.evaluate_rule(rule).await {
                Ok(one) => done.add(one),
                Err(error) => {
                    tracing::warn!(?error, rule = rule.name(), "a rule of alerts could not be evaluated");
                    done.failed += 1;
                }
            }
        }
        self.finish().await?;
        if done != Evaluated::default() {
            tracing::info!(?done, "alerts changed");
        }
        Ok(done)
    }

    async fn evaluate_rule(self: &Arc<Self>, rule: Rule) -> Result<Evaluated> {
        let measured = self.measure(rule).await?;
        let seen: Arc<HashSet<Key>> = Arc::new(measured.all.iter().map(|one| (one.tenant, one.subject.clone())).collect());
        let mut done = Evaluated::default();
        let mut rest = measured.all;
        while !rest.is_empty() {
            let step: Vec<Measure> = rest.drain(..STEP.min(rest.len())).collect();
            let alerts = Arc::clone(self);
            done.add(self.store.write(crate::scope(), move |tx| alerts.weigh_all(tx, rule, &step)).await?);
        }
        if measured.is_complete {
            done.add(self.rest(rule, &seen).await?);
        }
        Ok(done)
    }

    async fn measure(&self, rule: Rule) -> Result<Measured> {
        let (low, high) = self.store.read(crate::scope(), move |tx| crate::rules::sql::thresholds(tx, rule)).await?;
        match rule {
            Rule::UnusualVolume => volume::measure(self, low).await,
            Rule::WebhookSuccessRate => deliveries::measure(self, high).await,
            Rule::Expiry => expiry::measure(self, high).await,
            Rule::FailedAuthentication | Rule::BruteForce | Rule::RateLimitBreaches | Rule::IntegrationErrors => {
                noted::measure(self, rule, low).await
            }
        }
    }

    /// Alerts for which nothing was measured: all is well with them, as far as can be seen.
    async fn rest(self: &Arc<Self>, rule: Rule, seen: &Arc<HashSet<Key>>) -> Result<Evaluated> {
        let mut done = Evaluated::default();
        let mut after = String::new();
        loop {
            let from = after.clone();
            let page = self.store.read(crate::scope(), move |tx| sql::all_standing(tx, rule, &from, MOST)).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = last.alert.id.to_string();
            let mut quiet: Vec<_> =
                page.into_iter().filter(|kept| !seen.contains(&(kept.alert.tenant_id, kept.alert.subject.clone()))).collect();
            while !quiet.is_empty() {
                let step: Vec<_> = quiet.drain(..STEP.min(quiet.len())).collect();
                let alerts = Arc::clone(self);
                done.add(self.store.write(crate::scope(), move |tx| alerts.rest_all(tx, &step)).await?);
            }
        }
    }

    /// What is left to tell the operator, what is to be forgotten, and the figures for operations.
    async fn finish(self: &Arc<Self>) -> Result<()> {
        if self.operator.is_some() {
            let alerts = Arc::clone(self);
            self.store.write(crate::scope(), move |tx| alerts.tell_rest(tx)).await?;
        }
        let now = self.ambient.now();
        let (signals_before, alerts_before) = (now.minus(SIGNALS_KEPT), now.minus(ALERTS_KEPT));
        let open = self
            .store
            .write(crate::scope(), move |tx| {
                signals::forget(tx, signals_before, FORGET)?;
                sql::forget(tx, alerts_before, FORGET)?;
                sql::count_open(tx)
            })
            .await?;
        for severity in ["info", "warning", "critical"] {
            let count = open.iter().find(|(name, _)| name == severity).map_or(0, |(_, count)| *count);
            metrics::gauge!("tradewind_alerts_open", "severity" => severity).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Ok(())
    }
}

/// Gives the lease back.
pub(crate) async fn release(alerts: &Alerts) -> Result<()> {
    let holder = alerts.holder;
    alerts.store.write(crate::scope(), move |tx| LEASE.give_back(tx, holder)).await
}
