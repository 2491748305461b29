//! How often somebody may try. Two bounds that complete each other:
//!
//! * **By address**, in memory of this node: so many attempts a minute from one network, whatever accounts they are for (one password
//!   tried on many accounts).
//! * **By account**, in the database, for all nodes: after ten failures in a row each further one must wait, longer each time, at most
//!   fifteen minutes (many passwords tried on one account). An attempt is counted before it is judged, so that a thousand at once are a
//!   thousand. Addresses that nobody has are counted too: the answer tells nothing. So that no stranger locks somebody out, the wait
//!   does not hold for networks from which the person is, or was lately, signed in.

use std::net::IpAddr;
use std::time::Duration;

use kernel::{Result, Timestamp, UserId};
use store::Tx;
use web::{Windows, network};

use crate::{Visit, errors};

/// Attempts from one network in a minute, and how many of them may fail.
const ATTEMPTS: u32 = 60;
const FAILURES: u32 = 20;
/// Ceremonies that one network may begin in a minute: each is a row for a few minutes.
const CEREMONIES: u32 = 120;
/// E-mails that one network may cause in a minute.
const MAILS: u32 = 6;
/// Failures in a row that cost nothing.
const FREE: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Failures before this are forgotten.
pub(crate) const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// The bounds by address.
#[derive(Default)]
pub(crate) struct Guard {
    attempts: Windows<IpAddr>,
    failures: Windows<IpAddr>,
    mails: Windows<IpAddr>,
    ceremonies: Windows<IpAddr>,
}

impl Guard {
    /// Lets an attempt in, or not: 429 `too_many_attempts`.
    pub(crate) fn attempt(&self, visit: &Visit, now: Timestamp) -> Result<()> {
        let Some(ip) = visit.ip.map(network) else { return Ok(()) };
        self.failures.wait(&ip, FAILURES, now).map_err(errors::too_many_attempts)?;
        self.attempts.take(ip, ATTEMPTS, now).map_err(errors::too_many_attempts)
    }

    pub(crate) fn failed(&self, visit: &Visit, now: Timestamp) {
        if let Some(ip) = visit.ip.map(network) {
            self.failures.count(ip, now);
        }
    }

    /// Lets a stranger begin a ceremony, or not.
    pub(crate) fn ceremony(&self, visit: &Visit, now: Timestamp) -> Result<()> {
        let Some(ip) = visit.ip.map(network) else { return Ok(()) };
        self.ceremonies.take(ip, CEREMONIES, now).map_err(errors::too_many_attempts)
    }

    /// Lets an e-mail be caused, or not.
    pub(crate) fn mail(&self, visit: &Visit, now: Timestamp) -> Result<()> {
        let Some(ip) = visit.ip.map(network) else { return Ok(()) };
        self.mails.take(ip, MAILS, now).map_err(errors::too_many_attempts)
    }
}

/// How long after the last of so many failures in a row the next attempt may come.
fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(beyond) => FIRST_WAIT.saturating_mul(1 << beyond.min(10)).min(LONGEST_WAIT),
    }
}

/// Counts an attempt on an account, before it is judged. `user`: whose it is, if anybody's.
///
/// Answers how long to wait, if it must not be judged now; then it was not counted.
pub(crate) fn count(tx: &mut Tx<'_>, account: [u8; 32], user: Option<UserId>, visit: &Visit) -> Result<Option<Duration>> {
    let now = tx.now();
    tx.exec(
        "DELETE FROM sign_in_failures WHERE account = ?1 AND last_at < ?2",
        &[account.to_vec().into(), now.minus(FORGOTTEN_AFTER).into()],
    )?;
    let known = tx.query_opt("SELECT failures, last_at FROM sign_in_failures WHERE account = ?1", &[account.to_vec().into()], |row| {
        Ok((row.get::<u32>(0)?, row.get::<Timestamp>(1)?))
    })?;
    if let Some((failures, last)) = known {
        let wait = wait_after(failures).saturating_sub(now.since(last));
        if !wait.is_zero() && !is_at_home(tx, user, visit)? {
            return Ok(Some(wait));
        }
    }
    tx.exec(
        "INSERT INTO sign_in_failures (account, failures, last_at) VALUES (?1, 1, ?2) \
         ON CONFLICT (account) DO UPDATE SET failures = sign_in_failures.failures + 1, last_at = excluded.last_at",
        &[account.to_vec().into(), now.into()],
    )?;
    Ok(None)
}

/// Forgets the failures of an account whose owner came in.
pub(crate) fn forgive(tx: &mut Tx<'_>, account: [u8; 32]) -> Result<()> {
    tx.exec("DELETE FROM sign_in_failures WHERE account = ?1", &[account.to_vec().into()]).map(drop)
}

/// Whether the person has a session from this network.
fn is_at_home(tx: &mut Tx<'_>, user: Option<UserId>, visit: &Visit) -> Result<bool> {
    let (Some(user), Some(ip)) = (user, visit.ip.map(network)) else { return Ok(false) };
    let known = tx.query("SELECT ip FROM sessions WHERE user_id = ?1 AND ip IS NOT NULL", &[user.into()], |row| row.get::<String>(0))?;
    Ok(known.iter().filter_map(|text| text.parse::<IpAddr>().ok()).any(|known| network(known) == ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_are_bounded() {
        let seconds = |failures| wait_after(failures).as_secs();
        assert_eq!([seconds(0), seconds(9), seconds(10), seconds(11), seconds(12)], [0, 0, 30, 60, 120]);
        assert_eq!([seconds(15), seconds(1000), seconds(u32::MAX)], [900; 3]);
    }
}
