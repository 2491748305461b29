//! Telling tenants of keys that end, or that are to be rotated.
//!
//! Every key knows when it must be looked at next (`remind_at`, indexed), so that a step costs what there is to tell and not what there is.
//! The event and the mark that it was told are one transaction: each is told once, whatever stops in between and however many servers
//! run. One of them does the looking, under a lease, so that the others need not.

mod plan;

use std::time::Duration;

use kernel::{NodeId, Result, Scope};
use serde_json::{Value, json};
use store::{Lease, Tx};

pub(crate) use plan::{is_in_use, next, passed, rotation_due};

use super::report::Reporter;
use super::{Stored, sql};
use crate::{Access, keys};
use plan::Reminder;

/// Keys in one transaction.
const STEP: u32 = 100;
/// Transactions in one go; what is left waits for the next minute.
const MOST_STEPS: u32 = 500;
const LEASE: Lease = Lease { name: "access.reminders", held_for: Duration::from_secs(180) };

impl Access {
    /// Tells of every key that it is time to tell of; how many that were. Does nothing while another server is at it.
    pub async fn remind(&self, holder: NodeId) -> Result<u64> {
        let mut told = 0;
        // Bounded, so that a row that cannot be dealt with does not keep us here.
        for _ in 0..MOST_STEPS {
            let reporter = self.reporter.clone();
            let step = self.store.write(Scope::system("access"), move |tx| {
                let now = tx.now();
                if !LEASE.take(tx, holder)? {
                    return Ok(0);
                }
                let due = sql::due(tx, now, STEP)?;
                due.into_iter().try_fold(0, |sum, key| Ok(sum + reporter.remind_of(tx, &key)?))
            });
            let looked_at = step.await?;
            told += looked_at;
            if looked_at < u64::from(STEP) {
                break;
            }
        }
        Ok(told)
    }
}

impl Reporter {
    /// One key: its events, and the mark that they were made. Whoever changed it meanwhile is not overwritten: it is read anew, held.
    fn remind_of(&self, tx: &mut Tx<'_>, key: &Stored) -> Result<u64> {
        let now = tx.now();
        let Ok((mut key, _)) = sql::hold(tx, key.tenant, key.id) else { return Ok(1) };
        if next(&key).is_some_and(|at| at > now) {
            // Nothing to tell any more; the mark follows from what is stored.
            sql::update(tx, &key)?;
            return Ok(1);
        }
        let reminders = plan::take(&mut key, now);
        sql::update(tx, &key)?;
        for reminder in reminders {
            let (name, more) = describe(reminder, &key);
            self.report(tx, &key, name, |data| {
                data["inUse"] = json!(is_in_use(&key, now));
                merge(data, more);
            })?;
            if let Reminder::Extended(_) = reminder {
                tx.notify(keys::TOPIC, key.id);
            }
        }
        Ok(1)
    }
}

fn describe(reminder: Reminder, key: &Stored) -> (&'static str, Value) {
    match reminder {
        Reminder::Expiring => (events::API_KEY_EXPIRING, json!({"successorId": key.rotated_to, "extended": false})),
        Reminder::Extended(_) => (events::API_KEY_EXPIRING, json!({"successorId": key.rotated_to, "extended": true})),
        Reminder::Expired => (events::API_KEY_EXPIRED, json!({"successorId": key.rotated_to})),
        Reminder::RotationDue => (events::API_KEY_ROTATION_DUE, json!({"rotationDueAt": rotation_due(key)})),
    }
}

fn merge(data: &mut Value, more: Value) {
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
}
