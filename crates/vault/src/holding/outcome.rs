//! What a renewal leaves behind.

use std::time::Duration;

use kernel::{Result, Timestamp};
use serde_json::json;
use store::Tx;

use super::api::{api_base, keep_alive_at};
use super::cache::Loaded;
use super::claim::Job;
use crate::exchange::{Granted, Refusal};
use crate::tokens::{self, Revocation, Row, Status, pause, sql};
use crate::{TOPIC, Vault, report};

/// What the row says by now.
pub(super) enum Found {
    /// The token is this.
    Good(Box<Loaded>),
    /// Another claims it: what we learnt says nothing any more.
    Another,
    /// It is as we say.
    Settled,
}

/// Stores new tokens. Whatever became of the claim: they are stored unless others were.
pub(super) fn renewed(vault: &Vault, tx: &mut Tx<'_>, job: &Job, granted: &Granted, asked_at: Timestamp) -> Result<Found> {
    let Some(present) = sql::get(tx, job.row.tenant, job.row.id)? else { return Ok(Found::Another) };
    let mut sealed = sql::sealed(tx, present.tenant, present.id)?;
    if present.status == Status::Revoked {
        return late(tx, present, sealed, granted);
    }
    if present.generation != job.row.generation {
        return Ok(Found::Good(Box::new(Loaded::read(tx, present)?)));
    }
    sealed.access = Some(granted.access.clone());
    if let Some(refresh) = &granted.refresh {
        sealed.refresh = Some(refresh.clone());
    }
    sealed.hide(granted.hidden.clone());
    let was_degraded = present.status == Status::Degraded;
    let now = tx.now();
    let life = granted.expires_in.or(job.provider.assumed_life_seconds);
    let mut metadata = present.metadata.clone();
    metadata.extend(granted.metadata.clone());
    // An address that the vendor should not have named does not replace the good one.
    let base_url = api_base(&job.provider, &present.settings, &metadata).ok().flatten().or_else(|| present.base_url.clone());
    let row = Row {
        status: Status::Active,
        reason: None,
        account: granted.account.clone().or_else(|| present.account.clone()),
        scopes: granted.scopes.clone().filter(|scopes| !scopes.is_empty()).unwrap_or_else(|| present.scopes.clone()),
        metadata,
        base_url,
        generation: present.generation + 1,
        expires_at: life.map(|seconds| asked_at.plus(Duration::from_secs(seconds))),
        refreshed_at: now,
        due_at: keep_alive_at(&job.provider, true, now),
        claim_until: Timestamp::from_millis(0),
        failures: 0,
        updated_at: now,
        ..present
    };
    sql::update(tx, &row, &sealed, job.row.generation)?;
    tx.audit_with("oauth_token.refresh", row.id, &json!({"generation": row.generation, "provider": row.provider}))?;
    tx.notify(TOPIC, row.id);
    if was_degraded {
        report::tell(vault, tx, &row, events::OAUTH_TOKEN_RECOVERED)?;
    }
    Ok(Found::Good(Box::new(Loaded::read(tx, row)?)))
}

/// It was disconnected while it was being renewed: what has to end at the vendor is the new token now.
fn late(tx: &mut Tx<'_>, present: Row, mut sealed: tokens::Sealed, granted: &Granted) -> Result<Found> {
    sealed.access = Some(granted.access.clone());
    if let Some(refresh) = &granted.refresh {
        sealed.refresh = Some(refresh.clone());
    }
    let (now, generation) = (tx.now(), present.generation);
    let row = Row { revocation: Some(Revocation::Pending), due_at: Some(now), generation: generation + 1, updated_at: now, ..present };
    sql::update(tx, &row, &sealed, generation)?;
    Ok(Found::Another)
}

/// The vendor says that the grant is over. Believed if nobody else has renewed or is renewing it.
pub(super) fn dead(vault: &Vault, tx: &mut Tx<'_>, job: &Job, refusal: &Refusal) -> Result<Found> {
    match still_ours(tx, job)? {
        Ok(present) => needs_a_person(vault, tx, present, &refusal.text()).map(|()| Found::Settled),
        Err(found) => Ok(found),
    }
}

/// It did not work now.
pub(super) fn failed(vault: &Vault, tx: &mut Tx<'_>, job: &Job, why: &str) -> Result<Found> {
    match still_ours(tx, job)? {
        Ok(present) => degrade(vault, tx, present, why).map(|()| Found::Settled),
        Err(found) => Ok(found),
    }
}

fn still_ours(tx: &mut Tx<'_>, job: &Job) -> Result<std::result::Result<Row, Found>> {
    let present = tokens::get_row(tx, job.row.tenant, job.row.id)?;
    if present.generation != job.row.generation {
        return Ok(Err(Found::Good(Box::new(Loaded::read(tx, present)?))));
    }
    Ok(if present.claim_epoch == job.epoch { Ok(present) } else { Err(Found::Another) })
}

/// Nobody but a person can help: told once.
pub(crate) fn needs_a_person(vault: &Vault, tx: &mut Tx<'_>, present: Row, why: &str) -> Result<()> {
    let (sealed, generation, now) = (sql::sealed(tx, present.tenant, present.id)?, present.generation, tx.now());
    let row = Row {
        status: Status::ReauthRequired,
        reason: Some(why.to_owned()),
        due_at: None,
        claim_until: Timestamp::from_millis(0),
        updated_at: now,
        ..present
    };
    sql::update(tx, &row, &sealed, generation)?;
    tx.audit_with("oauth_token.end", row.id, &json!({"provider": row.provider, "reason": why}))?;
    tx.notify(TOPIC, row.id);
    tracing::info!(token = %row.id, provider = row.provider, reason = why, "a grant at a vendor is over");
    report::tell(vault, tx, &row, events::OAUTH_TOKEN_REAUTH_REQUIRED)
}

/// It is tried again later; told when it begins.
pub(super) fn degrade(vault: &Vault, tx: &mut Tx<'_>, present: Row, why: &str) -> Result<()> {
    let (sealed, generation, now) = (sql::sealed(tx, present.tenant, present.id)?, present.generation, tx.now());
    let (is_news, failures) = (present.status == Status::Active, present.failures.saturating_add(1));
    let row = Row {
        status: Status::Degraded,
        reason: Some(why.to_owned()),
        failures,
        due_at: Some(now.plus(pause(failures))),
        claim_until: Timestamp::from_millis(0),
        updated_at: now,
        ..present
    };
    sql::update(tx, &row, &sealed, generation)?;
    tx.notify(TOPIC, row.id);
    if !is_news {
        return Ok(());
    }
    tx.audit_with("oauth_token.degrade", row.id, &json!({"provider": row.provider, "reason": why}))?;
    report::tell(vault, tx, &row, events::OAUTH_TOKEN_DEGRADED)
}
