//! Rules of what may be set on a key.

use std::time::Duration;

use blueprint::Blueprint;
use kernel::text::{self, MAX_NAME, MAX_TEXT};
use kernel::{Caller, Credential, Error, Result, TenantId, Timestamp};
use store::Tx;

use super::{LimitOverride, Stored};
use crate::credentials::EndpointPattern;
use crate::rate_limits::Tiers;
use crate::{clients, rules, scopes};

/// Longest life and rotation period of a key in days.
const MAX_DAYS: u32 = 3650;

/// Checks texts and lists, and writes the networks in canonical form.
pub(super) fn check_texts(key: &mut Stored) -> Result<()> {
    text::line("/name", &key.name, 1, MAX_NAME)?;
    if let Some(notes) = &key.notes {
        text::prose("/notes", notes, MAX_TEXT)?;
    }
    key.quota.map_or(Ok(()), |quota| quota.check("/monthlyQuota"))?;
    rules::each("/allowedEndpoints", &key.allowed_endpoints, |pointer, entry| EndpointPattern::parse(pointer, entry).map(drop))?;
    rules::each("/allowedIps", &key.allowed_ips, |pointer, entry| rules::network(pointer, entry).map(drop))?;
    for entry in &mut key.allowed_ips {
        let single = !entry.contains('/');
        let net = rules::network("/allowedIps", entry)?;
        *entry = if single { net.addr().to_string() } else { net.to_string() };
    }
    rules::object("/metadata", &key.metadata)?;
    match key.rotation_frequency_days {
        Some(days) => check_days("/rotationFrequencyDays", days),
        None => Ok(()),
    }
}

pub(super) fn check_days(pointer: &str, days: u32) -> Result<()> {
    if (1..=MAX_DAYS).contains(&days) { Ok(()) } else { Err(Error::field(pointer, format!("must be 1 to {MAX_DAYS} days"))) }
}

/// A key's end, from either way to say it. Error: 422 `validation_failed`.
pub(super) fn expiry(at: Option<Timestamp>, days: Option<u32>, now: Timestamp) -> Result<Option<Timestamp>> {
    match (at, days) {
        (Some(_), Some(_)) => Err(Error::field("/expiresInDays", "send either expiresAt or expiresInDays, not both")),
        (Some(at), None) if at <= now => Err(Error::field("/expiresAt", "must be in the future")),
        (Some(at), None) => Ok(Some(at)),
        (None, Some(days)) => {
            check_days("/expiresInDays", days)?;
            Ok(Some(now.plus(Duration::from_hours(24 * u64::from(days)))))
        }
        (None, None) => Ok(None),
    }
}

/// A key that ends ends within the product's longest life of keys. Error: 422 `validation_failed`.
pub(super) fn check_lifetime(blueprint: &blueprint::Blueprint, ends: Option<Timestamp>, now: Timestamp) -> Result<()> {
    let (Some(days), Some(ends)) = (blueprint.keys.max_lifetime_days, ends) else { return Ok(()) };
    if ends <= now.plus(Duration::from_hours(24 * u64::from(days))) {
        return Ok(());
    }
    Err(Error::field("/expiresAt", format!("must be within {days} days: keys of this product live no longer")))
}

/// The key that asks, if it is one. A leaked one manages no keys: whoever holds it may be the thief.
///
/// Error: 403 `key_is_restricted`.
pub(super) fn acting(tx: &mut Tx<'_>, caller: &Caller, tenant: TenantId) -> Result<Option<Stored>> {
    let Credential::Key { key, .. } = caller.credential() else { return Ok(None) };
    let (key, _) = super::sql::get(tx, tenant, *key)?;
    if key.leaked_at.is_some() {
        return Err(Error::forbidden("key_is_restricted", "This key was reported as leaked: it manages no keys. Use another credential."));
    }
    Ok(Some(key))
}

/// A key that is bound to addresses or endpoints works on no key but itself: what it got would not be bound.
///
/// Error: 403 `key_is_restricted`, also for a leaked key.
pub(super) fn check_target(tx: &mut Tx<'_>, caller: &Caller, target: &Stored) -> Result<Option<Stored>> {
    let acting = acting(tx, caller, target.tenant)?;
    match acting {
        Some(key) if is_bound(&key) && key.id != target.id => Err(bound()),
        acting => Ok(acting),
    }
}

fn is_bound(key: &Stored) -> bool {
    !key.allowed_ips.is_empty() || !key.allowed_endpoints.is_empty()
}

fn bound() -> Error {
    let detail = "A key that is bound to addresses or endpoints manages no other key, and not what binds it: that would not be bound.";
    Error::forbidden("key_is_restricted", detail)
}

/// What a key may not change by way of a key, itself included: it frees none, and lengthens no life beyond its own.
///
/// Errors: 403 `key_is_restricted`; 422 for an end later than that of the key that asks.
pub(super) fn check_change(acting: Option<&Stored>, before: &Stored, after: &Stored) -> Result<()> {
    let Some(acting) = acting else { return Ok(()) };
    let is_freed = before.allowed_ips != after.allowed_ips || before.allowed_endpoints != after.allowed_endpoints;
    if is_freed && is_bound(acting) {
        return Err(bound());
    }
    let is_longer = before.expires_at != after.expires_at && no_later(after.expires_at, acting.expires_at) != after.expires_at;
    if is_longer {
        return Err(Error::field("/expiresAt", "must not be later than the end of the key that asks for it"));
    }
    Ok(())
}

/// A partner may lower the limits and the quota that a key has, not lift them: they may be the operator's.
///
/// Error: 422 `limit_exceeds_tier`.
pub(super) fn check_lowered(caller: &Caller, before: &Stored, after: &Stored) -> Result<()> {
    if !caller.is_bound_by_scopes() {
        return Ok(());
    }
    let lifted = |pointer| {
        let detail = "may be lowered, not lifted, by a partner's own credential; only a service key may raise it";
        Error::invalid("limit_exceeds_tier", "The key has a limit of its own that is lower.").at(pointer, detail)
    };
    let is_lower = match (&before.limits, &after.limits) {
        (None, _) => true,
        (Some(old), Some(new)) => new.lowers(old),
        (Some(_), None) => false,
    };
    if !is_lower {
        return Err(lifted("/rateLimitOverride"));
    }
    let is_smaller = match (before.quota, after.quota) {
        (None, _) => true,
        (Some(old), Some(new)) => new.limit <= old.limit && new.refill_day == old.refill_day,
        (Some(_), None) => false,
    };
    if is_smaller { Ok(()) } else { Err(lifted("/monthlyQuota")) }
}

/// What a key makes cannot be freer than the key itself: it ends no later, and a key that is bound to addresses or endpoints makes none.
///
/// Error: 403 `key_is_restricted`.
pub(super) fn within_parent(tx: &mut Tx<'_>, caller: &Caller, tenant: TenantId, mut key: Stored) -> Result<Stored> {
    let Some(parent) = acting(tx, caller, tenant)? else { return Ok(key) };
    if is_bound(&parent) {
        let detail = "A key that is bound to addresses or endpoints cannot make keys: they would not be bound.";
        return Err(Error::forbidden("key_is_restricted", detail));
    }
    let now = tx.now();
    key.end_at(no_later(key.expires_at, parent.expires_at), now);
    Ok(key)
}

/// The end of a successor: what a key's line lives anew, or the end that it had; never later than that of the key that asks for it, so that
/// a key cannot make its own life longer.
pub(super) fn successor_end(tx: &mut Tx<'_>, caller: &Caller, old: &Stored) -> Result<Option<Timestamp>> {
    let now = tx.now();
    let end = old.lifetime_days.map(|days| now.plus(Duration::from_hours(24 * u64::from(days)))).or(old.expires_at);
    let Credential::Key { key: parent, .. } = caller.credential() else { return Ok(end) };
    let (parent, _) = super::sql::get(tx, old.tenant, *parent)?;
    Ok(no_later(end, parent.expires_at))
}

fn no_later(own: Option<Timestamp>, bound: Option<Timestamp>) -> Option<Timestamp> {
    match (own, bound) {
        (Some(own), Some(end)) => Some(own.min(end)),
        (own, end) => own.or(end),
    }
}

/// Checks what the key is given against what its client has and what the caller may grant.
///
/// Errors: 422 `unknown_scope`, `scope_exceeds_client`; 422 `limit_exceeds_tier` when a partner's own credential gives a key more requests
/// than the client's tier.
pub(super) fn check_grant(caller: &Caller, blueprint: &Blueprint, tiers: &Tiers, client: &clients::Stored, key: &Stored) -> Result<()> {
    let ceiling = scopes::of_client(blueprint, client.fields.scopes.as_deref());
    if let Some(own) = &key.scopes {
        scopes::check_names(blueprint, own)?;
        scopes::within_client(&blueprint.expand_scopes(own), &ceiling)?;
    }
    scopes::within_caller(caller, &scopes::held(blueprint, client.fields.scopes.as_deref(), key.scopes.as_deref()))?;
    let tier = client.fields.rate_limit_tier.as_deref().unwrap_or(&blueprint.default_tier);
    match (&key.limits, tiers.or_default(tier)) {
        (Some(limits), Some(tier))
            if caller.is_bound_by_scopes() && !limits.is_within(tier.windows(key.environment.as_str()), client.fields.limits.as_ref()) =>
        {
            Err(beyond_tier(limits, &tier.name))
        }
        _ => Ok(()),
    }
}

fn beyond_tier(limits: &LimitOverride, tier: &str) -> Error {
    let detail = format!("must not admit more than the tier {tier} does; only a service key may raise limits");
    let place = if matches!(limits, LimitOverride::PerMinute(_)) { "as a whole" } else { "in some window" };
    Error::invalid("limit_exceeds_tier", format!("The override exceeds the client's tier {place}.")).at("/rateLimitOverride", detail)
}
