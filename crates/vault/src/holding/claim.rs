//! Becoming the one who renews.

use std::time::Duration;

use kernel::{Error, OauthTokenId, Result, TenantId, Timestamp};
use store::Tx;

use super::cache::Loaded;
use super::outcome::{degrade, needs_a_person};
use super::{reauth_required, unavailable};
use crate::Vault;
use crate::apps::app_of;
use crate::exchange::App;
use crate::providers::{self, Budget, Provider};
use crate::tokens::{self, Row, Sealed, Status};

/// How long a claim holds: longer than its holder tries ([`super::renew`]).
pub(super) const HELD_FOR: Duration = Duration::from_secs(60);

/// What is to be renewed, by whoever has claimed it.
pub(super) struct Job {
    pub(super) row: Row,
    pub(super) sealed: Sealed,
    pub(super) app: App,
    pub(super) provider: Provider,
    /// The claim.
    pub(super) epoch: u64,
}

/// What there is to do.
pub(super) enum Step {
    /// Somebody has renewed it already.
    Newer(Box<Loaded>),
    /// Somebody is renewing it.
    Busy,
    /// We do.
    Claimed(Box<Job>),
    /// Nobody may, or can. What was written about it is to be kept.
    Refused(Error),
}

/// Looks at the row, and claims it if there is something to do. `force`: also soon after a failure.
pub(super) fn claim(vault: &Vault, tx: &mut Tx<'_>, tenant: TenantId, id: OauthTokenId, generation: u64, force: bool) -> Result<Step> {
    let row = tokens::get_row(tx, tenant, id)?;
    if row.generation > generation {
        return Ok(Step::Newer(Box::new(Loaded::read(tx, row)?)));
    }
    let now = tx.now();
    if row.status == Status::ReauthRequired {
        return Ok(Step::Refused(reauth_required(&row.provider)));
    }
    if row.claim_until > now {
        return Ok(Step::Busy);
    }
    if !row.is_renewable {
        let error = reauth_required(&row.provider);
        needs_a_person(vault, tx, row, "there is no refresh token")?;
        return Ok(Step::Refused(error));
    }
    if let Some(wait) = row.due_at.filter(|due| !force && row.status == Status::Degraded && *due > now).map(|due| due.since(now)) {
        let why = row.reason.clone().unwrap_or_default();
        return Ok(Step::Refused(unavailable(&row.provider, &why).retry_after(wait)));
    }
    let provider = row.settings.provider(providers::named(&row.provider)?);
    let minted = match minted(provider.budget, &row.minted, now) {
        Ok(minted) => minted,
        Err(wait) => {
            let why = "the vendor gives no more access tokens for this grant at the moment";
            return Ok(Step::Refused(unavailable(&row.provider, why).retry_after(wait)));
        }
    };
    let sealed = tokens::sql::sealed(tx, tenant, id)?;
    let Some(app) = app_of(tx, &row, &sealed)? else {
        let error = unavailable(&row.provider, "the app that it was made with is not configured any more");
        degrade(vault, tx, row, "the app that it was made with is not configured any more")?;
        return Ok(Step::Refused(error));
    };
    if !tokens::sql::claim(tx, &row, now.plus(HELD_FOR), &minted, now)? {
        return Ok(Step::Busy);
    }
    let epoch = row.claim_epoch + 1;
    Ok(Step::Claimed(Box::new(Job { row: Row { claim_epoch: epoch, minted, ..row }, sealed, app, provider, epoch })))
}

/// The times of the last renewals with this one, which counts before it is tried: the vendor counts what it was asked. Only what the vendor's
/// window has is kept. Error: how long to wait.
fn minted(budget: Option<Budget>, before: &[i64], now: Timestamp) -> std::result::Result<Vec<i64>, Duration> {
    let Some(budget) = budget else { return Ok(Vec::new()) };
    let window = i64::try_from(budget.seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    let mut kept: Vec<i64> = before.iter().copied().filter(|at| now.millis() - at < window).collect();
    if kept.len() >= budget.most {
        let oldest = kept[kept.len() - budget.most];
        return Err(Timestamp::from_millis(oldest.saturating_add(window)).since(now));
    }
    kept.push(now.millis());
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_of_a_window_that_moves() {
        let (budget, at) = (Some(Budget { most: 3, seconds: 600 }), |seconds: i64| Timestamp::from_millis(seconds * 1000));
        let mut times = Vec::new();
        for second in [0, 100, 200] {
            times = minted(budget, &times, at(second)).unwrap();
        }
        assert_eq!(minted(budget, &times, at(300)), Err(Duration::from_secs(300)));
        assert_eq!(minted(budget, &times, at(600)).unwrap(), [100_000, 200_000, 600_000]);
        assert_eq!(minted(None, &times, at(300)).unwrap(), Vec::<i64>::new());
    }
}
