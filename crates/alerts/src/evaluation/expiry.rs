//! What ends soon: API keys, client certificates of destinations, signing keys.

use std::time::Duration;

use kernel::{Result, TenantId, Timestamp};

use super::MOST;
use super::measure::{Measure, Measured};
use crate::Alerts;

const DAY: Duration = Duration::from_hours(24);
/// What has ended is told of for so long, and then taken to be wanted.
const AFTER: Duration = DAY;

/// Something that ends.
struct Ending {
    tenant: TenantId,
    subject: String,
    what: String,
    at: Timestamp,
}

pub(super) async fn measure(alerts: &Alerts, high: f64) -> Result<Measured> {
    let now = alerts.ambient.now();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most ninety days")]
    let days = DAY * high.ceil() as u32;
    // What ends in just so many days is among them.
    let (from, to) = (now.minus(AFTER), now.plus(days + Duration::from_millis(1)));
    let found = alerts
        .store
        .read(crate::scope(), move |tx| {
            let keys = access::keys::ending(tx, from, to, MOST)?;
            let certificates = dispatch::destinations::ending(tx, from, to, MOST)?;
            let signing = dispatch::signing_keys::ending(tx, from, to, MOST)?;
            let rows = keys.len().max(certificates.len()).max(signing.len());
            let mut all: Vec<Ending> = Vec::with_capacity(keys.len() + certificates.len() + signing.len());
            all.extend(keys.into_iter().map(|key| Ending {
                tenant: key.tenant,
                subject: key.id.to_string(),
                what: format!("API key {} ({})", key.id, key.name),
                at: key.at,
            }));
            all.extend(certificates.into_iter().map(|(tenant, id, at)| Ending {
                tenant,
                subject: format!("certificate:{id}"),
                what: format!("Client certificate of webhook {id}"),
                at,
            }));
            all.extend(signing.into_iter().map(|(tenant, kid, at)| Ending {
                tenant,
                subject: format!("signing_key:{kid}"),
                what: format!("Signing key {kid}, which another one replaced,"),
                at,
            }));
            Ok((all, rows))
        })
        .await?;
    let (all, rows) = found;
    Ok(Measured::of(all.into_iter().map(|ending| of(&ending, now)).collect(), rows))
}

fn of(ending: &Ending, now: Timestamp) -> Measure {
    // Whole days, begun ones counted: what changes every minute would be told every minute.
    let left = ending.at.since(now).as_millis().div_ceil(DAY.as_millis());
    let value = f64::from(u32::try_from(left).unwrap_or(u32::MAX));
    let verb = if ending.at <= now { "ended" } else { "ends" };
    let summary = format!("{} {verb} at {}", ending.what, ending.at);
    Measure { tenant: Some(ending.tenant), subject: ending.subject.clone(), value, basis: 1, summary }
}
