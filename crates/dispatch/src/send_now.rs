//! The test delivery: one attempt at once, recorded like any other.

use std::sync::Arc;

use kernel::{DeliveryId, DestinationId, Event, Result, TenantId};

use crate::channel::{AttemptInput, AttemptOutcome, AttemptReport};
use crate::destinations;
use crate::engine::{self, Engine};
use crate::queue::{self, Finish, Pending};

pub(crate) async fn send_now(
    engine: &Arc<Engine>,
    tenant: TenantId,
    destination: DestinationId,
    event: Arc<Event>,
) -> Result<(DeliveryId, AttemptReport)> {
    let found = engine.store.read(engine::scope(), move |tx| destinations::get(tx, tenant, destination)).await?;
    let target = engine::target(engine, found)?;
    let row = pending(engine, &target.destination, &event);
    let input = AttemptInput {
        destination: &target.destination,
        prepared: &target.prepared,
        event: &event,
        delivery: row.id,
        seq: row.seq,
        number: 1,
        now: engine.ambient.now(),
        timeout: target.destination.policy.timeout(),
        trace: None,
    };
    let started_at = input.now;
    let report = engine::attempt(&target, &input).await;
    if report.is_delivered() {
        engine.is_back(destination);
    }
    let logged = engine::logged(engine.ambient.id(), &row, 1, started_at, &report);
    let id = row.id;
    let (status, reason) = match report.outcome {
        AttemptOutcome::Delivered => ("delivered", "delivered"),
        AttemptOutcome::Refused(reason) => ("failed", reason),
        AttemptOutcome::Skipped(reason) => ("skipped", reason),
        AttemptOutcome::Retry { .. } | AttemptOutcome::Gone => ("failed", "test"),
    };
    let attempt = logged.clone();
    engine
        .store
        .write(engine::scope(), move |tx| {
            let (code, error, body) = (logged.status_code, logged.error, logged.response_body);
            let end = Finish { row: &row, slip: None, attempt_count: 1, status, reason, status_code: code, error, response_body: body };
            let now = tx.now();
            queue::insert_finished(tx, std::iter::once(&end), now)
        })
        .await?;
    engine.store.logs().write(engine::scope(), move |tx| engine::insert_attempts(tx, &[attempt]).map(drop)).await?;
    Ok((id, report))
}

fn pending(engine: &Engine, destination: &destinations::Destination, event: &Event) -> Pending {
    let id: DeliveryId = engine.ambient.id();
    let at = queue::made_at(id);
    Pending {
        tenant: destination.tenant,
        id,
        destination: destination.id,
        client: destination.client,
        event_id: event.id.clone(),
        event_type: event.event_type.clone(),
        event_created_at: event.created_at,
        ordering_key: None,
        channels: None,
        seq: 0,
        deliver_at: None,
        due_at: at,
        attempt_count: 0,
        first_count: 0,
        first_at: at,
        last_status_code: None,
        last_error: None,
        created_at: at,
    }
}
