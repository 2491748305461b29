//! One step of a run, inside one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use dispatch::NewDelivery;
use dispatch::deliveries::{self, Delivery};
use events::Stretch;
use kernel::{DeliveryId, DestinationId, Error, Result, TenantId, Timestamp};
use store::Tx;

use super::missing::{self, Place};
use super::sql::Row;
use super::{Kind, Progress};
use crate::index::Listener;
use crate::{Webhooks, subscriptions};

/// Deliveries that are looked at in a step.
const DELIVERIES: u32 = 200;
/// Events that are looked at in a step.
const EVENTS: u32 = 500;
/// A destination for which so many are due gets no more from a run: what is published meanwhile is to wait behind few.
const ENOUGH: u32 = 400;
/// Between two steps, for everybody else.
const PAUSE: Duration = Duration::from_millis(20);
/// Until the next look at a destination that has enough.
const WAIT: Duration = Duration::from_millis(500);
/// Reasons of what nobody lost: a run for everything leaves them alone, one that names them does not.
const KEPT: [&str; 3] = ["test", "cancelled", "expired"];

impl Webhooks {
    /// Does the next piece of a run and notes it in `row`.
    pub(super) fn step(&self, tx: &mut Tx<'_>, tenant: TenantId, row: &mut Row) -> Result<()> {
        row.next_at = tx.now().plus(PAUSE);
        match row.view.kind {
            Kind::Missing => self.step_missing(tx, tenant, row),
            Kind::Recover | Kind::Retry => self.step_lost(tx, tenant, row),
        }
    }

    fn step_lost(&self, tx: &mut Tx<'_>, tenant: TenantId, row: &mut Row) -> Result<()> {
        let after: Option<DeliveryId> = row.place.as_deref().map(str::parse).transpose().map_err(Error::internal)?;
        let rows = deliveries::walk(tx, tenant, &row.view.query.filter(), after, DELIVERIES)?;
        let Some(last) = rows.last().map(|last| last.id) else {
            row.view.status = Progress::Done;
            return Ok(());
        };
        let targets: BTreeSet<DestinationId> = rows.iter().map(|delivery| delivery.webhook_id).collect();
        if self.have_enough(tx, tenant, targets)? {
            row.next_at = tx.now().plus(WAIT);
            return Ok(());
        }
        let keeps = row.view.query.reason.is_none();
        let lost: Vec<Delivery> = rows
            .into_iter()
            .filter(|delivery| !(keeps && delivery.reason.as_deref().is_some_and(|reason| KEPT.contains(&reason))))
            .collect();
        let done = self.dispatch.requeue(tx, tenant, &lost)?;
        row.view.done += done;
        row.view.passed_over += lost.len() as u64 - done;
        row.place = Some(last.to_string());
        Ok(())
    }

    fn step_missing(&self, tx: &mut Tx<'_>, tenant: TenantId, row: &mut Row) -> Result<()> {
        let Some(listener) = self.open_listener(tx, tenant, row)? else { return Ok(()) };
        if self.have_enough(tx, tenant, [listener.id])? {
            row.next_at = tx.now().plus(WAIT);
            return Ok(());
        }
        let after = row.place.as_deref().map(place).transpose()?;
        let stretch = Stretch {
            from: row.view.query.from.unwrap_or_default(),
            to: row.view.query.to.unwrap_or(row.view.created_at),
            after,
            limit: EVENTS,
        };
        let found = missing::look(tx, tenant, &listener, &stretch)?;
        let wanted = found.missing.len() as u64;
        let items: Vec<NewDelivery> = found.missing.into_iter().map(|event| listener.delivery(event)).collect();
        let done = self.dispatch.replay(tx, tenant, &items)?;
        row.view.done += done;
        row.view.passed_over += wanted - done;
        match found.next {
            Some((at, id)) => row.place = Some(format!("{}.{id}", at.millis())),
            None => row.view.status = Progress::Done,
        }
        Ok(())
    }

    /// The webhook as it is now. If it takes nothing any more, the run ends here.
    fn open_listener(&self, tx: &mut Tx<'_>, tenant: TenantId, row: &mut Row) -> Result<Option<Listener>> {
        let found = match row.view.query.webhook_id {
            Some(id) => subscriptions::sql::get(tx, tenant, id)?,
            None => None,
        };
        let Some(open) = found.filter(|found| found.state != dispatch::State::Disabled) else {
            row.view.status = Progress::Failed;
            row.view.error = Some("The webhook is deleted or disabled. Enable it and begin again.".to_owned());
            return Ok(None);
        };
        Listener::of(&open).map(Some)
    }

    fn have_enough(&self, tx: &mut Tx<'_>, tenant: TenantId, targets: impl IntoIterator<Item = DestinationId>) -> Result<bool> {
        for target in targets {
            if self.dispatch.waiting(tx, tenant, target, ENOUGH)? >= u64::from(ENOUGH) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn place(text: &str) -> Result<Place> {
    let broken = || Error::internal("a run's place cannot be read");
    let (at, id) = text.split_once('.').ok_or_else(broken)?;
    Ok((Timestamp::from_millis(at.parse().map_err(|_| broken())?), id.parse()?))
}
