//! `PUT /api/v1/rate-limits/{tier}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use blueprint::model::{EnvironmentLimits, Tier};
use kernel::{Caller, Error, Result};
use serde::Deserialize;
use web::Patch;

use super::{TierLimits, Tiers, WindowLimits, sql};
use crate::keys::Environment;
use crate::{Access, MonthlyQuota, rate_limits};

/// Most requests in any window.
const MAX_REQUESTS: u32 = 1_000_000_000;

/// A tier's limits. Absent: the blueprint's own; null: does not bind.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplaceTier {
    /// Requests in any minute.
    pub requests_per_minute: Patch<u32>,
    /// Requests in any hour.
    pub requests_per_hour: Patch<u32>,
    /// Requests in any day.
    pub requests_per_day: Patch<u32>,
    /// How many of the minute's requests may come at once; null: all of them.
    pub burst: Patch<u32>,
    /// What a client of this tier may use up in a month, by all its keys.
    #[schema(value_type = Option<MonthlyQuota>)]
    pub monthly_quota: Patch<MonthlyQuota>,
    /// Limits for keys of one environment, by its name, as a whole; null: none.
    #[schema(value_type = Option<BTreeMap<String, WindowLimits>>)]
    pub environments: Patch<BTreeMap<String, WindowLimits>>,
}

impl ReplaceTier {
    fn over(self, own: &Tier) -> Result<Tier> {
        Ok(Tier {
            name: own.name.clone(),
            per_minute: limit("/requestsPerMinute", self.requests_per_minute, own.per_minute)?,
            per_hour: limit("/requestsPerHour", self.requests_per_hour, own.per_hour)?,
            per_day: limit("/requestsPerDay", self.requests_per_day, own.per_day)?,
            burst: limit("/burst", self.burst, own.burst)?,
            monthly_quota: quota(self.monthly_quota, own)?,
            environments: match self.environments {
                Patch::Absent => own.environments.clone(),
                Patch::Null => Vec::new(),
                Patch::Value(named) => environments(named)?,
            },
        })
    }
}

fn quota(change: Patch<MonthlyQuota>, own: &Tier) -> Result<Option<blueprint::model::MonthlyQuota>> {
    let quota = change.apply(own.monthly_quota.map(MonthlyQuota::from));
    quota.map_or(Ok(()), |quota| quota.check("/monthlyQuota"))?;
    Ok(quota.map(Into::into))
}

fn environments(named: BTreeMap<String, WindowLimits>) -> Result<Vec<EnvironmentLimits>> {
    let one = |(environment, limits): (String, WindowLimits)| {
        let place = format!("/environments/{environment}");
        if !Environment::ALL.iter().any(|known| known.as_str() == environment) {
            return Err(Error::field(place, "is none of production, staging, development"));
        }
        let each = [
            ("requestsPerMinute", limits.requests_per_minute),
            ("requestsPerHour", limits.requests_per_hour),
            ("requestsPerDay", limits.requests_per_day),
            ("burst", limits.burst),
        ];
        for (name, count) in each {
            limit(&format!("{place}/{name}"), Patch::Absent, count)?;
        }
        Ok(EnvironmentLimits { environment, windows: limits.into() })
    };
    named.into_iter().map(one).collect()
}

fn limit(pointer: &str, change: Patch<u32>, own: Option<u32>) -> Result<Option<u32>> {
    match change.apply(own) {
        Some(count) if !(1..=MAX_REQUESTS).contains(&count) => {
            Err(Error::field(pointer, format!("must be a whole number from 1 to {MAX_REQUESTS}, or null")))
        }
        limit => Ok(limit),
    }
}

impl Access {
    /// Sets a tier's limits in place of the blueprint's, on every node. Errors: 403 `operator_only`, 404, 422 `validation_failed`.
    pub async fn replace_rate_limit(self: &Arc<Self>, caller: &Caller, name: &str, input: ReplaceTier) -> Result<TierLimits> {
        let scope = caller.operate()?;
        let tier = input.over(self.blueprint.tier(name).ok_or_else(|| Error::not_found("tier"))?)?;
        let access = Arc::clone(self);
        self.store
            .answer(scope, move |tx| {
                let before = access.tiers().get(&tier.name).map(TierLimits::from);
                sql::upsert(tx, &tier)?;
                tx.audit_change("rate_limit.replace", &tier.name, &before, &TierLimits::from(&tier))?;
                tx.notify(rate_limits::TOPIC, &tier.name);
                let tiers = Arc::new(Tiers::new(&access.blueprint, &sql::all(tx)?));
                // What follows on this node sees it at once; other nodes and concurrent changes are followed by the notice.
                tx.after_commit(move || access.tiers.store(tiers));
                Ok(TierLimits::from(&tier))
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(name): web::Path<String>,
    web::Json(input): web::Json<ReplaceTier>,
) -> web::Result<web::Json<TierLimits>> {
    Ok(web::Json(access.replace_rate_limit(&caller, &name, input).await?))
}
