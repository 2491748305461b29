//! Reading deliveries from both tables in one shape.

use kernel::{Error, Result, Timestamp};
use store::Row;

use super::{Delivery, Status};
use crate::queue::Pending;

/// Of `queue`. The casts say to PostgreSQL what the NULLs would be.
pub(super) const PENDING: &str = "id, event_id, event_type, destination_id, client_id, seq, 'pending' AS status, CAST(NULL AS TEXT) AS reason, \
                                  attempt_count, deliver_at, due_at, CAST(NULL AS BIGINT) AS finished_at, last_status_code, \
                                  CAST(NULL AS TEXT) AS response_body, last_error, created_at, event_created_at";
/// Of `deliveries`.
pub(super) const FINISHED: &str = "id, event_id, event_type, destination_id, client_id, seq, status, reason, attempt_count, deliver_at, due_at, \
                                   finished_at, last_status_code, response_body, last_error, created_at, event_created_at";

pub(super) fn read(row: &Row<'_>) -> Result<Delivery> {
    let status = parse(&row.get::<String>(6)?)?;
    let (deliver_at, due_at): (Option<Timestamp>, Timestamp) = (row.get(9)?, row.get(10)?);
    let (finished_at, created_at): (Option<Timestamp>, Timestamp) = (row.get(11)?, row.get(15)?);
    Ok(Delivery {
        id: row.get(0)?,
        event_id: row.get(1)?,
        event_type: row.get(2)?,
        webhook_id: row.get(3)?,
        client_id: row.get(4)?,
        sequence: row.get(5)?,
        status,
        reason: row.get(7)?,
        attempt_count: row.get(8)?,
        scheduled_for: deliver_at.map_or(created_at, |at| at.max(created_at)),
        next_retry_at: (status == Status::Pending).then_some(due_at),
        delivered_at: finished_at.filter(|_| status == Status::Delivered),
        finished_at,
        response_code: row.get(12)?,
        response_body: row.get(13)?,
        error_message: row.get(14)?,
        created_at,
        event_created_at: row.get(16)?,
    })
}

impl From<Pending> for Delivery {
    fn from(row: Pending) -> Self {
        Self {
            id: row.id,
            event_id: row.event_id,
            event_type: row.event_type,
            webhook_id: row.destination,
            client_id: row.client,
            sequence: row.seq,
            status: Status::Pending,
            reason: None,
            attempt_count: row.attempt_count,
            scheduled_for: row.deliver_at.map_or(row.created_at, |at| at.max(row.created_at)),
            next_retry_at: Some(row.due_at),
            delivered_at: None,
            finished_at: None,
            response_code: row.last_status_code,
            response_body: None,
            error_message: row.last_error,
            created_at: row.created_at,
            event_created_at: row.event_created_at,
        }
    }
}

fn parse(text: &str) -> Result<Status> {
    [Status::Pending, Status::Delivered, Status::Failed, Status::Skipped]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| Error::internal(format!("unknown delivery status {text:?}")))
}
