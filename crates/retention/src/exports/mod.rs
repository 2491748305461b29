//! Exporting days before anything of them goes: events and finished deliveries, a line of JSON each.

mod directory;

use std::time::Duration;

use futures_util::future::BoxFuture;
use kernel::{Result, Timestamp};

pub use directory::Directory;

use crate::{Retention, Swept, marks, scope};

/// Lines read at once.
const PAGE: u32 = 500;
const DAY: Duration = Duration::from_hours(24);

/// Where exports go.
pub trait Sink: Send + Sync {
    /// Begins a piece of this name (`events/2026-03-01.ndjson`), in place of one that was begun before.
    fn begin<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Box<dyn Piece>>>;
}

/// A piece that is being written. It is there when it is finished, and not before.
pub trait Piece: Send {
    /// Adds lines, each with its end.
    fn write(&mut self, lines: String) -> BoxFuture<'_, Result<()>>;
    /// Makes it durable and visible.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<()>>;
}

impl Retention {
    /// Exports the days of which something is about to go. Answers up to when everything has been exported; none when nothing is to be.
    pub(crate) async fn export_due(&self, now: Timestamp, swept: &mut Swept) -> Result<Option<Timestamp>> {
        let (Some(sink), Some(cutoff)) = (&self.sink, self.lifetimes.soonest().cutoff(now)) else { return Ok(None) };
        let mut reached = match self.store.read(scope(), |tx| marks::get(tx, "", marks::EXPORTED)).await? {
            Some(reached) => reached,
            None => self.first_day(cutoff).await?,
        };
        while reached.plus(DAY) <= cutoff {
            let (from, to) = (reached, reached.plus(DAY));
            if let Err(error) = self.export_day(sink.as_ref(), from, to).await {
                metrics::counter!("tradewind_retention_export_failures_total").increment(1);
                tracing::error!(?error, day = %from, "this day could not be exported; nothing of it or after it goes until it can");
                swept.blocked += 1;
                break;
            }
            self.store.write(scope(), move |tx| marks::put(tx, "", marks::EXPORTED, to)).await?;
            reached = to;
        }
        Ok(Some(reached))
    }

    /// The day of the oldest event or delivery.
    async fn first_day(&self, otherwise: Timestamp) -> Result<Timestamp> {
        let oldest = |tx: &mut store::Tx<'_>| {
            let at = |row: &store::Row<'_>| row.get::<Option<Timestamp>>(0);
            let events = tx.query_one("SELECT MIN(created_at) FROM events", &[], at)?;
            let deliveries = tx.query_one("SELECT MIN(created_at) FROM deliveries", &[], at)?;
            Ok(events.into_iter().chain(deliveries).min())
        };
        let first = self.store.read(scope(), oldest).await?.unwrap_or(otherwise);
        Ok(Timestamp::from_millis(first.millis() - first.millis().rem_euclid(86_400_000)))
    }

    async fn export_day(&self, sink: &dyn Sink, from: Timestamp, to: Timestamp) -> Result<()> {
        let day = from.to_string()[..10].to_owned();
        let mut piece = sink.begin(&format!("events/{day}.ndjson")).await?;
        let mut after = (String::new(), Timestamp::default(), String::new());
        loop {
            let last = after.clone();
            let page = self.store.read(scope(), move |tx| events::retention::export(tx, &last, from, to, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.at.clone();
            piece.write(page.into_iter().map(|row| row.line + "\n").collect()).await?;
        }
        piece.finish().await?;
        let mut piece = sink.begin(&format!("deliveries/{day}.ndjson")).await?;
        let mut after = (String::new(), String::new());
        loop {
            let last = after.clone();
            let page = self.store.read(scope(), move |tx| dispatch::retention::export(tx, &last, from, to, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = last.at.clone();
            piece.write(page.into_iter().map(|row| row.line + "\n").collect()).await?;
        }
        piece.finish().await
    }
}
