//! Scopes, tiers, keys.

use super::{Findings, Kind};
use crate::model::{Blueprint, MonthlyQuota, Scope, Tier, Windows};

const SCOPES: Kind = Kind { section: "scopes", word: "scope", removed: "scope_removed", added: "scope_added" };
const TIERS: Kind = Kind { section: "tiers", word: "tier", removed: "tier_removed", added: "tier_added" };

pub(super) fn compare(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    report.names(SCOPES, old.scopes.iter().map(|one| one.name.as_str()), new.scopes.iter().map(|one| one.name.as_str()));
    for scope in &old.scopes {
        if let Some(now) = new.scope(&scope.name) {
            self::scope(scope, now, old, new, report);
        }
    }
    report.names(TIERS, old.tiers.iter().map(|one| one.name.as_str()), new.tiers.iter().map(|one| one.name.as_str()));
    for tier in &old.tiers {
        if let Some(now) = new.tier(&tier.name) {
            limits(tier, now, &format!("tiers[{:?}]", tier.name), report);
        }
    }
    if old.default_tier != new.default_tier
        && let (Some(was), Some(now)) = (old.tier(&old.default_tier), new.tier(&new.default_tier))
    {
        limits(was, now, "default_tier", report);
    }
    keys(old, new, report);
}

/// What a scope permits, that of the scopes which it includes counted in.
fn scope(scope: &Scope, now: &Scope, old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    let place = format!("scopes[{:?}]", scope.name);
    let name = std::slice::from_ref(&scope.name);
    let (had, has) = (old.expand_scopes(name), new.expand_scopes(name));
    for lost in had.iter().filter(|lost| !has.contains(lost) && new.scope(lost).is_some()) {
        report.breaking("scope_narrowed", &place, format!("does not include {lost} any more"));
    }
    for gained in has.iter().filter(|gained| !had.contains(gained)) {
        report.compatible("scope_widened", &place, format!("now includes {gained}"));
    }
    let (may, might) = (new.permissions_of(name), old.permissions_of(name));
    for permission in kernel::Permission::ALL.iter().copied() {
        match (might.holds(permission), may.holds(permission)) {
            (true, false) => report.breaking("scope_narrowed", &place, format!("does not grant {permission} any more")),
            (false, true) => report.compatible("scope_widened", &place, format!("now grants {permission}")),
            _ => {}
        }
    }
    if scope.description != now.description {
        report.compatible("text_changed", place, "another description");
    }
}

/// Every window in every environment that either names, and the quota.
fn limits(was: &Tier, now: &Tier, place: &str, report: &mut Findings) {
    // No environment is called so: the tier's own windows.
    windows(was.windows(""), now.windows(""), place, report);
    let mut named: Vec<&str> = was.environments.iter().chain(&now.environments).map(|one| one.environment.as_str()).collect();
    named.sort_unstable();
    named.dedup();
    for environment in named {
        windows(was.windows(environment), now.windows(environment), &format!("{place}.environments.{environment}"), report);
    }
    let place = format!("{place}.monthly_quota");
    let limit = |quota: Option<MonthlyQuota>| quota.map_or(u64::MAX, |quota| quota.limit);
    let shown = |limit: u64| if limit == u64::MAX { "no limit".to_owned() } else { limit.to_string() };
    let (had, has) = (limit(was.monthly_quota), limit(now.monthly_quota));
    let what = format!("from {} to {}", shown(had), shown(has));
    match has.cmp(&had) {
        std::cmp::Ordering::Less => report.breaking("tier_lowered", place, what),
        std::cmp::Ordering::Greater => report.compatible("tier_raised", place, what),
        std::cmp::Ordering::Equal => {}
    }
}

fn windows(was: Windows, now: Windows, place: &str, report: &mut Findings) {
    for (name, old, new) in [
        ("per_minute", was.per_minute, now.per_minute),
        ("per_hour", was.per_hour, now.per_hour),
        ("per_day", was.per_day, now.per_day),
        ("burst", was.burst, now.burst),
    ] {
        // A limit that is not there does not bind.
        let (had, has) = (old.unwrap_or(u32::MAX), new.unwrap_or(u32::MAX));
        let place = format!("{place}.{name}");
        if has < had {
            report.breaking(
                "tier_lowered",
                place,
                format!("from {} to {has}", old.map_or_else(|| "no limit".to_owned(), |old| old.to_string())),
            );
        } else if has > had {
            report.compatible(
                "tier_raised",
                place,
                format!("from {had} to {}", new.map_or_else(|| "no limit".to_owned(), |new| new.to_string())),
            );
        }
    }
}

fn keys(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    if old.keys.prefix != new.keys.prefix {
        report.breaking("key_prefix_changed", "keys.prefix", format!("from {} to {}", old.keys.prefix, new.keys.prefix));
    }
    match (old.keys.dual_auth, new.keys.dual_auth) {
        (false, true) => report.breaking("dual_auth_required", "keys.dual_auth", "new clients must send a second secret"),
        (true, false) => report.compatible("dual_auth_dropped", "keys.dual_auth", "new clients need no second secret"),
        _ => {}
    }
    let (had, has) = (&old.keys.default_scopes, &new.keys.default_scopes);
    // An empty list stands for all that the client has.
    let fewer = !has.is_empty() && (had.is_empty() || had.iter().any(|name| !has.contains(name)));
    if fewer {
        report.breaking("default_scopes_narrowed", "keys.default_scopes", "a new key that names no scopes has fewer than before");
    } else if had != has {
        report.compatible("default_scopes_widened", "keys.default_scopes", "a new key that names no scopes has more than before");
    }
}
