//! Which signature receivers verified, where they say so: who still holds only the old secret during a rotation.
//!
//! A receiver may answer with `webhook-signature-accepted`: the place of the entry of `webhook-signature` that it verified (1 is the first),
//! or the id of the secret or key. Counted in memory and written every few seconds; a crash loses the last of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::HeaderName;
use kernel::{DestinationId, Result, Scope, TenantId, Timestamp};
use store::{Store, Tx, Value};

/// The header by which a receiver says which signature it verified.
pub const HEADER: HeaderName = HeaderName::from_static("webhook-signature-accepted");
/// How often the counts are written.
const EVERY: Duration = Duration::from_secs(2);
/// Rows in one statement.
const PER_WRITE: usize = 200;

const ADD: &str = "INSERT INTO signature_acceptances (destination_id, kid, tenant_id, accepted, last_accepted_at) VALUES";
const SUM: &str = "ON CONFLICT (destination_id, kid) DO UPDATE SET accepted = signature_acceptances.accepted + excluded.accepted, \
                   last_accepted_at = excluded.last_accepted_at";

/// How often receivers of a destination verified with a secret or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The secret's or key's id.
    pub kid: String,
    /// How often.
    pub accepted: u64,
    /// Last at.
    pub last_accepted_at: Timestamp,
}

/// A destination and the id of a secret or key.
type Place = (DestinationId, String);
/// Whose, how often, and when last.
type Said = (TenantId, u64, Timestamp);

/// The counts that are not written yet.
pub struct Acceptances {
    store: Store,
    noted: Mutex<HashMap<Place, Said>>,
}

impl Acceptances {
    /// Writes every few seconds for as long as somebody holds it. Must be called on a tokio runtime.
    pub fn new(store: &Store) -> Arc<Self> {
        let made = Arc::new(Self { store: store.clone(), noted: Mutex::default() });
        tokio::spawn(write_regularly(Arc::downgrade(&made)));
        made
    }

    /// Notes what a receiver said. `kids` are the ids of the signatures that were sent, in their order; anything else that it says is
    /// passed over.
    pub(crate) fn note(&self, tenant: TenantId, destination: DestinationId, said: &[u8], kids: &[String], at: Timestamp) {
        let Some(kid) = chosen(said, kids) else { return };
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = noted.entry((destination, kid.to_owned())).or_insert((tenant, 0, at));
        entry.1 += 1;
        entry.2 = entry.2.max(at);
    }

    /// Writes what is noted. What cannot be written stays noted.
    pub async fn flush(&self) -> Result<()> {
        let taken: Vec<_> = std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect();
        for (n, part) in taken.chunks(PER_WRITE).enumerate() {
            let rows = part.to_vec();
            if let Err(error) = self.store.write(Scope::system("signing"), move |tx| add(tx, &rows)).await {
                let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
                for (key, (tenant, count, at)) in taken[n * PER_WRITE..].iter().cloned() {
                    let entry = noted.entry(key).or_insert((tenant, 0, at));
                    entry.1 += count;
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

async fn write_regularly(acceptances: Weak<Acceptances>) {
    let mut pace = tokio::time::interval(EVERY);
    loop {
        pace.tick().await;
        let Some(acceptances) = acceptances.upgrade() else { return };
        if let Err(error) = acceptances.flush().await {
            tracing::warn!(?error, "could not write which signatures receivers accepted; trying again");
        }
    }
}

/// The id that a receiver means.
fn chosen<'a>(said: &[u8], kids: &'a [String]) -> Option<&'a str> {
    let said = std::str::from_utf8(said).ok()?.trim();
    let place = || said.parse::<usize>().ok()?.checked_sub(1);
    let found = kids.iter().find(|kid| *kid == said).or_else(|| kids.get(place()?))?;
    Some(found)
}

fn add(tx: &mut Tx<'_>, rows: &[(Place, Said)]) -> Result<()> {
    let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 5);
    for ((destination, kid), (tenant, count, at)) in rows {
        values.extend([(*destination).into(), kid.as_str().into(), (*tenant).into(), (*count).into(), (*at).into()]);
    }
    tx.insert_rows(ADD, 5, &values, SUM).map(drop)
}

/// What the receivers of a destination said.
pub fn of(tx: &mut Tx<'_>, tenant: TenantId, destination: DestinationId) -> Result<Vec<Acceptance>> {
    let sql = "SELECT kid, accepted, last_accepted_at FROM signature_acceptances WHERE tenant_id = ?1 AND destination_id = ?2 ORDER BY kid";
    tx.query(sql, &[tenant.into(), destination.into()], |row| {
        Ok(Acceptance { kid: row.get(0)?, accepted: row.get(1)?, last_accepted_at: row.get(2)? })
    })
}

/// A destination that is deleted takes its counts along.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: TenantId, destination: DestinationId) -> Result<()> {
    let sql = "DELETE FROM signature_acceptances WHERE tenant_id = ?1 AND destination_id = ?2";
    tx.exec(sql, &[tenant.into(), destination.into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_or_an_id_is_understood_and_nothing_else() {
        let kids = ["aa".to_owned(), "bb".to_owned(), "12".to_owned()];
        for (said, expected) in [
            ("1", Some("aa")),
            (" 2 ", Some("bb")),
            ("bb", Some("bb")),
            ("12", Some("12")),
            ("0", None),
            ("4", None),
            ("-1", None),
            ("", None),
            ("cc", None),
            ("1, 2", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(chosen(said.as_bytes(), &kids), expected, "{said}");
        }
        assert_eq!(chosen(&[0xff], &kids), None);
        assert_eq!(chosen(b"1", &[]), None);
    }
}
