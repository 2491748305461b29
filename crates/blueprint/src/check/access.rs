//! Scopes, keys and tiers.

use kernel::Permission;

use super::report::{Report, is_name, is_word};
use crate::file::form;
use crate::model::{EnvironmentLimits, Keys, MonthlyQuota, Scope, Tier, Windows};

pub(super) fn scopes(scopes: Vec<form::Scope>, report: &mut Report) -> Vec<Scope> {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name.as_str()).collect();
    report.distinct("scope", &names, |i| format!("scopes[{i}].name"));
    for (i, scope) in scopes.iter().enumerate() {
        let rest = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_' | b'-');
        let fits = is_name(&scope.name, 64, |b| b.is_ascii_alphanumeric(), rest);
        report.expect(fits, format!("scopes[{i}].name"), "must be letters, digits and : . _ -, at most 64 of them");
        report.prose(format!("scopes[{i}].description"), &scope.description, 0, 500);
        for (j, implied) in scope.implies.iter().enumerate() {
            report.known(format!("scopes[{i}].implies[{j}]"), "scope", implied, names.iter().copied());
        }
    }
    if let Some((i, round)) = cycle(&scopes) {
        report.add(format!("scopes[{i}].implies"), format!("leads back to itself: {}", round.join(" → ")));
    }
    scopes.into_iter().enumerate().map(|(i, scope)| convert(i, scope, report)).collect()
}

fn convert(i: usize, scope: form::Scope, report: &mut Report) -> Scope {
    let mut grants = Vec::new();
    for (j, name) in scope.grants.iter().enumerate() {
        if report.known(format!("scopes[{i}].grants[{j}]"), "permission", name, Permission::ALL.iter().map(|p| p.name())) {
            grants.extend(name.parse::<Permission>().ok());
        }
    }
    Scope { name: scope.name, description: scope.description, implies: scope.implies, grants }
}

/// A scope that implies itself through others, with its index and the way back. Without recursion: the file decides how long it is.
fn cycle(scopes: &[form::Scope]) -> Option<(usize, Vec<&str>)> {
    let index: std::collections::HashMap<&str, usize> = scopes.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
    let mut done = vec![false; scopes.len()];
    for start in 0..scopes.len() {
        let mut way: Vec<(usize, usize)> = if done[start] { Vec::new() } else { vec![(start, 0)] };
        let mut on_way = vec![false; scopes.len()];
        while let Some((at, next)) = way.last_mut() {
            let here = *at;
            on_way[here] = true;
            let Some(implied) = scopes[here].implies.get(*next) else {
                (done[here], on_way[here]) = (true, false);
                way.pop();
                continue;
            };
            *next += 1;
            match index.get(implied.as_str()) {
                Some(&to) if on_way[to] => {
                    let from = way.iter().position(|(at, _)| *at == to).unwrap_or_default();
                    let mut round: Vec<&str> = way[from..].iter().map(|(at, _)| scopes[*at].name.as_str()).collect();
                    round.push(&scopes[to].name);
                    return Some((to, round));
                }
                Some(&to) if !done[to] => way.push((to, 0)),
                _ => {}
            }
        }
    }
    None
}

pub(super) fn keys(keys: form::Keys, scopes: &[Scope], report: &mut Report) -> Keys {
    let prefix = keys.prefix.unwrap_or_else(|| "tw".to_owned());
    let fits = is_name(&prefix, 16, |b| b.is_ascii_lowercase(), |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    report.expect(fits, "keys.prefix", "must be 1 to 16 lower-case letters and digits, first a letter");
    for (i, name) in keys.default_scopes.iter().enumerate() {
        report.known(format!("keys.default_scopes[{i}]"), "scope", name, scopes.iter().map(|scope| scope.name.as_str()));
    }
    report.distinct("scope", &keys.default_scopes, |i| format!("keys.default_scopes[{i}]"));
    let days = keys.max_lifetime_days;
    report.expect(days.is_none_or(|days| (1..=3650).contains(&days)), "keys.max_lifetime_days", "must be 1 to 3650");
    Keys { prefix, dual_auth: keys.dual_auth, default_scopes: keys.default_scopes, max_lifetime_days: days }
}

pub(super) fn tiers(tiers: Vec<form::Tier>, default: &str, report: &mut Report) -> Vec<Tier> {
    report.distinct("tier", tiers.iter().map(|tier| &tier.name), |i| format!("tiers[{i}].name"));
    report.known("default_tier", "tier", default, tiers.iter().map(|tier| tier.name.as_str()));
    for (i, tier) in tiers.iter().enumerate() {
        report.expect(is_word(&tier.name), format!("tiers[{i}].name"), "must be lower-case letters, digits, - and _, first a letter");
        let own = Windows { per_minute: tier.per_minute, per_hour: tier.per_hour, per_day: tier.per_day, burst: tier.burst };
        windows(&format!("tiers[{i}]"), own, own, report);
        for (environment, limits) in &tier.environments {
            let place = format!("tiers[{i}].environments.{environment}");
            report.known(&place, "environment", environment, ENVIRONMENTS.iter().copied());
            let limits = convert_windows(*limits);
            windows(&place, limits, limits.over(own), report);
        }
        if let Some(quota) = tier.monthly_quota {
            report.expect(quota.limit > 0, format!("tiers[{i}].monthly_quota.limit"), "must be at least 1; leave the quota out for none");
            let day = quota.refill_day.unwrap_or(1);
            report.expect((1..=31).contains(&day), format!("tiers[{i}].monthly_quota.refill_day"), "must be a day of a month, 1 to 31");
        }
    }
    tiers.into_iter().map(convert_tier).collect()
}

/// What keys may be for.
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "development"];

/// `effective`: with the tier's own windows below, for what must fit together.
fn windows(place: &str, own: Windows, effective: Windows, report: &mut Report) {
    let limits = [("per_minute", own.per_minute), ("per_hour", own.per_hour), ("per_day", own.per_day), ("burst", own.burst)];
    for (name, limit) in limits {
        report.expect(limit != Some(0), format!("{place}.{name}"), "must be at least 1; leave it out for no limit");
    }
    if let Some(burst) = own.burst {
        let fits = effective.per_minute.is_some_and(|limit| burst <= limit);
        report.expect(fits, format!("{place}.burst"), "is a part of per_minute: at most as many, and only with it");
    }
}

fn convert_windows(form: form::Windows) -> Windows {
    Windows { per_minute: form.per_minute, per_hour: form.per_hour, per_day: form.per_day, burst: form.burst }
}

fn convert_tier(tier: form::Tier) -> Tier {
    let environments = tier.environments.into_iter();
    Tier {
        name: tier.name,
        per_minute: tier.per_minute,
        per_hour: tier.per_hour,
        per_day: tier.per_day,
        burst: tier.burst,
        monthly_quota: tier.monthly_quota.map(|quota| MonthlyQuota { limit: quota.limit, refill_day: quota.refill_day.unwrap_or(1) }),
        environments: environments
            .map(|(environment, windows)| EnvironmentLimits { environment, windows: convert_windows(windows) })
            .collect(),
    }
}
