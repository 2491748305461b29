//! Writing many: collections of up to 200 rows, each with a result of its own.
//!
//! A batch is parted by what is done (make, make by a unique field, change, delete); no record is twice in one part, as Salesforce refuses
//! that, and a later write of it comes in a later part. What is made by a unique field is looked up first: an upsert would overwrite
//! what somebody else has made meanwhile. The upsert that follows closes the gap between the look and the write; only external ids can be
//! upserted by, others are just made.

mod bisect;
mod gone;
mod outcomes;
mod parts;
mod send;

use std::time::Duration;

use serde_json::Value;

use super::lookup::NO_EXTERNAL_ID;
use super::settings::Settings;
use super::{bulk, names};
use crate::{Fault, Outcome, Session, Write, WriteAct};

pub(super) use outcomes::{done, refused};
pub(super) use parts::{Act, Part, comparable, unique};

/// Rows of one collection.
pub(super) const MAX: usize = 200;
/// Writes from which on a job is made of them: below, collections are faster.
const BULK_FROM: usize = 2000;
/// A locked row is tried again so often.
const TRIES: u32 = 3;
/// The first pause before that, to which chance adds as much again.
const PAUSE: Duration = Duration::from_millis(150);

/// Writes; one outcome per item, in order. Any number: two thousand and more become bulk jobs.
///
/// Errors: one that concerns all, when nothing was done.
pub(super) async fn write(session: &Session, object: &str, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
    let settings = Settings::of(session)?;
    let object = names::object(object)?;
    let mut outcomes: Vec<Option<Outcome>> = vec![None; writes.len()];
    for (write, outcome) in writes.iter().zip(&mut outcomes) {
        *outcome = parts::unusable(write).map(Outcome::Failed);
    }
    let job = Job { session, settings: &settings, object, writes };
    for part in parts::parts(writes, &outcomes) {
        if let Err(fault) = job.part(part, &mut outcomes).await {
            // An error for all means that nothing was done; else it is each remaining item's.
            if !outcomes.iter().flatten().any(is_deed) {
                return Err(fault);
            }
            outcomes.iter_mut().filter(|outcome| outcome.is_none()).for_each(|outcome| *outcome = Some(Outcome::Failed(fault.clone())));
            break;
        }
    }
    job.follow(&mut outcomes).await;
    let missing = || Outcome::Unknown(Fault::Lost { message: "the answer had no result for this item".to_owned() });
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
}

/// Whether something was, or may have been, done.
fn is_deed(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Failed(_) | Outcome::Exists { .. } | Outcome::Gone { .. })
}

/// Whether a row was locked by somebody else's transaction.
fn is_locked(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Fault::RateLimited { .. }))
}

/// Whether an item was refused because its unique field is no external id.
fn is_no_key(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Fault::Refused { message, .. }) if message.starts_with(NO_EXTERNAL_ID))
}

/// Writes of one object.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) session: &'a Session,
    pub(super) settings: &'a Settings,
    pub(super) object: &'a str,
    pub(super) writes: &'a [Write],
}

impl Job<'_> {
    /// A part, by jobs or by collections. Errors: a fault that concerns what has no outcome yet, which was not done.
    async fn part(&self, part: Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
        let mut part = self.unless_there(part, outcomes).await?;
        if part.items.len() >= BULK_FROM && self.settings.bulk_from.is_some() {
            match bulk::load(self, &part, outcomes).await {
                // Jobs may be closed to the user; collections are not.
                Ok(()) | Err(Fault::Refused { .. } | Fault::Forbidden { .. }) => {}
                Err(fault) => return Err(fault),
            }
            part.items.retain(|item| outcomes[*item].as_ref().is_none_or(|outcome| is_locked(outcome) || is_no_key(outcome)));
        }
        for items in part.items.chunks(MAX) {
            self.made(Part { act: part.act.clone(), items: items.to_vec() }, outcomes).await?;
        }
        Ok(())
    }

    /// A collection; where the unique field turns out to be no external id, without an upsert: it was looked that none is there.
    async fn made(&self, part: Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
        let plain = Part { act: Act::Insert, items: part.items.clone() };
        match self.patiently(part, outcomes).await {
            Err(Fault::NotFound { message }) if message.starts_with(NO_EXTERNAL_ID) => return self.patiently(plain, outcomes).await,
            other => other?,
        }
        let left: Vec<_> = plain.items.into_iter().filter(|item| outcomes[*item].as_ref().is_some_and(is_no_key)).collect();
        left.iter().for_each(|item| outcomes[*item] = None);
        self.patiently(Part { act: Act::Insert, items: left }, outcomes).await
    }

    /// Sends a part, and what was locked again. Errors: as [`Job::part`].
    async fn patiently(&self, mut part: Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
        for tried in 1..=TRIES {
            if part.items.is_empty() {
                return Ok(());
            }
            bisect::send(self, &part, outcomes).await?;
            part.items.retain(|item| outcomes[*item].as_ref().is_some_and(is_locked));
            if part.items.is_empty() || tried == TRIES {
                return Ok(());
            }
            let jitter = self.session.ambient.below(u64::try_from(PAUSE.as_millis()).unwrap_or(1));
            self.session.carrier.pause(PAUSE * tried + Duration::from_millis(jitter)).await;
        }
        Ok(())
    }

    /// Takes out of a part those that are there already by their unique field.
    async fn unless_there(&self, mut part: Part, outcomes: &mut [Option<Outcome>]) -> Result<Part, Fault> {
        let Act::Upsert(field) = part.act.clone() else { return Ok(part) };
        let there = super::lookup::by_unique(self.session, self.settings, self.object, &field, &self.values(&part)).await?;
        part.items.retain(|item| {
            let found = unique(&self.writes[*item]).and_then(|value| there.get(&value));
            if let Some(id) = found {
                outcomes[*item] = Some(Outcome::Exists { id: Some(id.clone()) });
            }
            found.is_none()
        });
        if !names::may_be_external_id(&field) {
            part.act = Act::Insert;
        }
        Ok(part)
    }

    /// The unique values of a part's items.
    fn values(&self, part: &Part) -> Vec<Value> {
        let value = |item: &usize| match &self.writes[*item].act {
            WriteAct::Create { unique: Some((_, value)) } => Some(value.clone()),
            _ => None,
        };
        part.items.iter().filter_map(value).collect()
    }
}
