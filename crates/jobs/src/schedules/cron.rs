//! How schedules speak of cron expressions.

use kernel::{Result, Timestamp};
use store::cron::Wording;

const WORDING: Wording = Wording {
    pointer: "/cron",
    help: "A cron expression has five parts, minute hour day month weekday: 0 6 * * MON is every Monday at six.",
};

/// The first time after `now`. Errors: 422 `invalid_cron`; `validation_failed`, at `/timezone`.
pub(super) fn next(cron: &str, zone: &str, now: Timestamp) -> Result<Timestamp> {
    store::cron::next(cron, zone, now, WORDING)
}
