//! How much waits and how much is under way, for operators.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{Result, Timestamp};
use store::Tx;

use crate::Jobs;

/// Pending jobs are counted up to here: a look must stay cheap.
const MOST: u32 = 100_000;

const READY: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM jobs WHERE type = ?1 AND state = 'ready' LIMIT ?2) AS ready";
const FIRST: &str = "SELECT run_at FROM jobs WHERE type = ?1 AND state = 'ready' ORDER BY rank, id LIMIT 1";
const HELD: &str = "SELECT type, COUNT(*) FROM (SELECT type FROM jobs WHERE state = 'held' AND state IN ('held', 'ready', 'processing') \
                    LIMIT ?1) AS held GROUP BY type";
const RUNNING: &str = "SELECT type, COUNT(*) FROM jobs WHERE state = 'processing' GROUP BY type";

/// Of one type.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    pending: i64,
    oldest: Option<Timestamp>,
    running: i64,
}

impl Jobs {
    /// Counts, and sets the gauges.
    pub(super) async fn count(self: Arc<Self>) -> Result<()> {
        let names: Vec<String> = self.catalogue.all().map(|kind| kind.name().to_owned()).collect();
        let now = self.ambient.now();
        for (name, figures) in self.store.read(crate::scope(), move |tx| figures(tx, names)).await? {
            let age = figures.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
            metrics::gauge!("tradewind_jobs_pending", "type" => name.clone()).set(whole(figures.pending));
            metrics::gauge!("tradewind_jobs_oldest_seconds", "type" => name.clone()).set(age);
            metrics::gauge!("tradewind_jobs_running", "type" => name).set(whole(figures.running));
        }
        Ok(())
    }
}

fn figures(tx: &mut Tx<'_>, names: Vec<String>) -> Result<BTreeMap<String, Figures>> {
    let mut all: BTreeMap<String, Figures> = BTreeMap::new();
    for name in names {
        let pending = tx.query_one(READY, &[name.as_str().into(), MOST.into()], |row| row.get(0))?;
        let oldest = tx.query_opt(FIRST, &[name.as_str().into()], |row| row.get(0))?;
        all.insert(name, Figures { pending, oldest, running: 0 });
    }
    let counted = |row: &store::Row<'_>| Ok((row.get::<String>(0)?, row.get::<i64>(1)?));
    for (name, held) in tx.query(HELD, &[MOST.into()], counted)? {
        all.entry(name).or_default().pending += held;
    }
    for (name, running) in tx.query(RUNNING, &[], counted)? {
        all.entry(name).or_default().running = running;
    }
    Ok(all)
}

#[allow(clippy::cast_precision_loss, reason = "a gauge of at most a few hundred thousand")]
fn whole(count: i64) -> f64 {
    count as f64
}
