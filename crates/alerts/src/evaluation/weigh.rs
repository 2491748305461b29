//! What follows from a look, in a transaction: alerts open, are renewed, come to rest, close.

use std::collections::HashMap;
use std::time::Duration;

use kernel::{Result, TenantId};
use store::Tx;

use super::Evaluated;
use super::judge::{self, Heat};
use super::measure::Measure;
use crate::alerts::sql::{self, End, Kept};
use crate::alerts::{Alert, Status};
use crate::rules::{self, Settings};
use crate::{Alerts, Rule};

/// What somebody resolved may open again after this long, though its condition stands.
const RESOLVED_FOR: Duration = Duration::from_hours(24);

impl Alerts {
    /// Weighs what was measured.
    pub(super) fn weigh_all(&self, tx: &mut Tx<'_>, rule: Rule, measures: &[Measure]) -> Result<Evaluated> {
        let mut settings: HashMap<Option<TenantId>, Settings> = HashMap::new();
        let mut done = Evaluated::default();
        for measure in measures {
            let held = match settings.get(&measure.tenant) {
                Some(known) => *known,
                None => *settings.entry(measure.tenant).or_insert(rules::sql::settings(tx, measure.tenant, rule)?),
            };
            done.add(self.weigh(tx, rule, &held, measure)?);
        }
        Ok(done)
    }

    fn weigh(&self, tx: &mut Tx<'_>, rule: Rule, settings: &Settings, measure: &Measure) -> Result<Evaluated> {
        let standing = sql::standing(tx, measure.tenant, rule, &measure.subject)?;
        if !settings.enabled {
            return standing.map_or(Ok(Evaluated::default()), |kept| self.end(tx, kept, "disabled"));
        }
        match (judge::heat(rule, settings, measure), standing) {
            (Heat::Hot, None) => self.open(tx, rule, settings, measure),
            (Heat::Hot, Some(kept)) if kept.alert.closed_at.is_none() => self.renew(tx, kept, settings, measure),
            (Heat::Hot, Some(kept)) => self.open_again(tx, &kept, settings, measure),
            (Heat::Warm, Some(kept)) if kept.quiet_since.is_some() => {
                sql::update(tx, &Kept { quiet_since: None, ..kept })?;
                Ok(Evaluated::default())
            }
            (Heat::Cold, Some(kept)) => self.calm(tx, kept, Some(measure)),
            (Heat::Warm | Heat::Cold, _) => Ok(Evaluated::default()),
        }
    }

    /// Weighs alerts for which nothing was measured.
    pub(super) fn rest_all(&self, tx: &mut Tx<'_>, quiet: &[Kept]) -> Result<Evaluated> {
        let mut done = Evaluated::default();
        for kept in quiet {
            done.add(self.calm(tx, kept.clone(), None)?);
        }
        Ok(done)
    }

    fn open(&self, tx: &mut Tx<'_>, rule: Rule, settings: &Settings, measure: &Measure) -> Result<Evaluated> {
        if let Some(tenant) = measure.tenant
            && !access::tenants::exists(tx, tenant)?
        {
            // Counts outlive a tenant that was deleted.
            return Ok(Evaluated::default());
        }
        let now = tx.now();
        let muted_until = sql::muted_until(tx, measure.tenant, rule, &measure.subject)?.filter(|until| *until > now);
        let alert = Alert {
            id: tx.ambient().id(),
            tenant_id: measure.tenant,
            rule,
            subject: measure.subject.clone(),
            severity: judge::severity(rule, settings, measure.value),
            status: Status::Open,
            summary: measure.summary.clone(),
            value: measure.value,
            worst: measure.value,
            threshold: settings.threshold,
            unit: rule.facts().unit.to_owned(),
            count: 1,
            opened_at: now,
            last_seen_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
            muted_until,
            closed_at: None,
            closed_reason: None,
            closed_by: None,
        };
        if !sql::insert(tx, &alert)? {
            return Ok(Evaluated::default());
        }
        tracing::warn!(alert = %alert.id, rule = rule.name(), subject = alert.subject, "{}", alert.summary);
        if muted_until.is_none() {
            self.tell(tx, &alert, events::ALERT_OPENED)?;
        }
        Ok(Evaluated { opened: 1, ..Evaluated::default() })
    }

    fn renew(&self, tx: &mut Tx<'_>, kept: Kept, settings: &Settings, measure: &Measure) -> Result<Evaluated> {
        let (now, rule) = (tx.now(), kept.alert.rule);
        let severity = judge::severity(rule, settings, measure.value).max(kept.alert.severity);
        if !judge::is_news(&kept, measure, severity, now) {
            return Ok(Evaluated::default());
        }
        let is_told = judge::is_told(&kept, measure.value, severity, now);
        let (told_at, told_value) = if is_told { (now, measure.value) } else { (kept.told_at, kept.told_value) };
        let worst = if judge::is_worse(rule, measure.value, kept.alert.worst) { measure.value } else { kept.alert.worst };
        let alert = Alert {
            severity,
            worst,
            value: measure.value,
            summary: measure.summary.clone(),
            threshold: settings.threshold,
            count: kept.alert.count + 1,
            last_seen_at: now,
            ..kept.alert
        };
        let kept = Kept { alert, told_at, told_value, quiet_since: None };
        if sql::update(tx, &kept)? && is_told {
            self.tell(tx, &kept.alert, events::ALERT_UPDATED)?;
            return Ok(Evaluated { updated: 1, ..Evaluated::default() });
        }
        Ok(Evaluated::default())
    }

    /// Somebody resolved it and its condition stands: it is let be for a day.
    fn open_again(&self, tx: &mut Tx<'_>, kept: &Kept, settings: &Settings, measure: &Measure) -> Result<Evaluated> {
        let now = tx.now();
        if kept.alert.closed_at.is_none_or(|at| now.since(at) < RESOLVED_FOR) {
            return Ok(Evaluated::default());
        }
        sql::stand_down(tx, kept.alert.tenant_id, kept.alert.id)?;
        self.open(tx, kept.alert.rule, settings, measure)
    }

    /// All is well: the quiet begins, lasts, or has lasted long enough.
    fn calm(&self, tx: &mut Tx<'_>, kept: Kept, measure: Option<&Measure>) -> Result<Evaluated> {
        let (now, quiet) = (tx.now(), Duration::from_mins(kept.alert.rule.facts().quiet_minutes));
        if kept.alert.closed_at.is_some() {
            sql::stand_down(tx, kept.alert.tenant_id, kept.alert.id)?;
            return Ok(Evaluated::default());
        }
        let since = kept.quiet_since.unwrap_or(now);
        if now.since(since) >= quiet {
            return self.end(tx, kept, "recovered");
        }
        let value = measure.map_or(kept.alert.value, |measure| measure.value);
        if kept.quiet_since.is_none() {
            let alert = Alert { value, ..kept.alert };
            sql::update(tx, &Kept { alert, quiet_since: Some(now), ..kept })?;
        }
        Ok(Evaluated::default())
    }

    fn end(&self, tx: &mut Tx<'_>, kept: Kept, reason: &'static str) -> Result<Evaluated> {
        let now = tx.now();
        let end = End { reason, by: None, standing: false, untold: false };
        if !sql::close(tx, kept.alert.tenant_id, kept.alert.id, &end)? {
            sql::stand_down(tx, kept.alert.tenant_id, kept.alert.id)?;
            return Ok(Evaluated::default());
        }
        let alert = Alert { status: Status::Closed, closed_at: Some(now), closed_reason: Some(reason.to_owned()), ..kept.alert };
        if alert.muted_until.is_none_or(|until| until <= now) {
            self.tell(tx, &alert, events::ALERT_CLOSED)?;
        }
        Ok(Evaluated { closed: 1, ..Evaluated::default() })
    }
}
