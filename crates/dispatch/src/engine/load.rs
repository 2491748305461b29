//! From the database into memory: what a lane leads to, and the next of its due deliveries.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::{DeliveryId, DestinationId, Event, EventId, Result, TenantId, Timestamp};
use store::{Node, Tx};

use super::breaker::Passage;
use super::lane::{Aim, Item, Lane, LaneState, Target};
use super::{Engine, scope};
use crate::destinations::{self, Destination, State};
use crate::queue::{self, Finish, Pending};

/// When a load failed, the lane is looked at again after this time.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What a load is to bring.
struct Wanted {
    lane: DestinationId,
    node: Node,
    target: bool,
    /// Rows that there is room for.
    room: usize,
    /// Go on after this row; none: from the first, leaving out what is held.
    after: Option<(Timestamp, i64)>,
    /// What is in memory already.
    held: HashSet<DeliveryId>,
    now: Timestamp,
}

/// What was asked for, once the load is under way.
struct Asked {
    target: bool,
    room: usize,
    epoch: i64,
}

/// What a load brought.
#[derive(Default)]
struct Loaded {
    destination: Option<Destination>,
    rows: Vec<Pending>,
    events: HashMap<(TenantId, EventId), Arc<Event>>,
    /// There may be more due rows.
    more: bool,
    /// Where the next load goes on; none: at the first row.
    scanned: Option<(Timestamp, i64)>,
    next_due: Option<Timestamp>,
}

/// A destination with its channel and its parsed configuration.
pub(crate) fn target(engine: &Engine, destination: Destination) -> Result<Target> {
    let channel = engine.channel(&destination.channel)?;
    let prepared = channel.prepare(&destination.config)?;
    Ok(Target { destination, channel, prepared })
}

impl Engine {
    /// Begins a load if the lane needs one and may have it.
    pub(super) fn begin_load(self: &Arc<Self>, lane: &Arc<Lane>, state: &mut LaneState, now: Timestamp) {
        if state.loading {
            return;
        }
        let target = matches!(state.aim, Aim::Unknown);
        if state.aim.is_closed() {
            state.forget_ready();
            if state.backlog || state.next_due.is_some() {
                state.loading = true;
                self.spawn(Arc::clone(self).end_closed(Arc::clone(lane)));
            }
            return;
        }
        let room = if target { 0 } else { self.room(lane, state, now) };
        if !target && room == 0 {
            return;
        }
        state.loading = true;
        state.missed = false;
        state.changed = false;
        state.gone.clear();
        let after = state.scanned;
        let held = if after.is_none() { state.held.clone() } else { HashSet::new() };
        let wanted = Wanted { lane: lane.id, node: self.node(), target, room, after, held, now };
        self.spawn(Arc::clone(self).load(Arc::clone(lane), wanted));
    }

    /// How many rows may be loaded now.
    fn room(&self, lane: &Lane, state: &mut LaneState, now: Timestamp) -> usize {
        let most = self.options.ready_per_destination.max(1);
        if state.aim.state() != Some(State::Enabled) || !state.backlog || state.ready.len() > most / 4 {
            return 0;
        }
        if let Some(until) = state.hold_until.filter(|until| *until > now) {
            self.wake(lane, state, until);
            return 0;
        }
        match state.breaker.passage(now) {
            Passage::Shut(until) => {
                self.wake(lane, state, until);
                0
            }
            Passage::Probe => 1_usize.saturating_sub(state.held.len()),
            Passage::Free => most - state.ready.len(),
        }
    }

    async fn load(self: Arc<Self>, lane: Arc<Lane>, wanted: Wanted) {
        let asked = Asked { target: wanted.target, room: wanted.room, epoch: wanted.node.epoch };
        let loaded = match self.loads.acquire().await {
            Ok(_place) => self.store.read(scope(), move |tx| read(tx, &wanted)).await,
            Err(_) => return,
        };
        let loaded = loaded.and_then(|mut loaded| {
            let found = loaded.destination.take().map(|found| target(&self, found)).transpose()?;
            Ok((loaded, found))
        });
        match loaded {
            Ok((loaded, found)) => {
                let orphans = self.loaded(&lane, &asked, loaded, found);
                self.expire(orphans).await;
                self.visit(&lane);
            }
            Err(error) => {
                tracing::error!(?error, destination = %lane.id, "could not load what is due");
                let mut state = lane.lock();
                state.loading = false;
                // Looking at once would only fail again.
                self.wake(&lane, &mut state, self.ambient.now().plus(AGAIN_AFTER));
            }
        }
    }

    fn loaded(&self, lane: &Lane, asked: &Asked, mut loaded: Loaded, found: Option<Target>) -> Vec<Pending> {
        let mut state = lane.lock();
        state.loading = false;
        if asked.target {
            state.failing = found.as_ref().is_some_and(|target| target.destination.failing_since.is_some());
            // What changed while it was being read is read again.
            if std::mem::take(&mut state.changed) {
                state.aim = Aim::Unknown;
            } else {
                state.aim = found.map_or(Aim::Missing, |target| Aim::At(Arc::new(target)));
            }
        }
        let orphans = if asked.room > 0 { self.merge(&mut state, &mut loaded, asked) } else { Vec::new() };
        state.gone.clear();
        orphans
    }

    /// Takes loaded rows into memory; answers those without an event.
    fn merge(&self, state: &mut LaneState, loaded: &mut Loaded, asked: &Asked) -> Vec<Pending> {
        let mut orphans = Vec::new();
        if asked.epoch != self.node().epoch {
            // Read as an earlier life's; what is ours now is read again.
            return orphans;
        }
        for row in loaded.rows.drain(..) {
            if state.held.contains(&row.id) || state.gone.contains(&row.id) {
                continue;
            }
            match loaded.events.get(&(row.tenant, row.event_id.clone())) {
                Some(event) => {
                    state.held.insert(row.id);
                    state.ready.push_back(Item { event: Arc::clone(event), row, epoch: asked.epoch });
                }
                None => orphans.push(row),
            }
        }
        state.backlog = loaded.more || state.missed;
        // Asked to start anew while this load was under way (a retry came due before where it stands): so be it.
        state.scanned = loaded.scanned.filter(|_| !state.missed);
        if let Some(due) = loaded.next_due {
            state.due_earlier(due);
        }
        orphans
    }

    /// Ends deliveries whose event retention or a purge has removed.
    async fn expire(&self, rows: Vec<Pending>) {
        if rows.is_empty() {
            return;
        }
        let node = self.node();
        let ended = self.store.write(scope(), move |tx| {
            let ends: Vec<Finish<'_>> = rows.iter().map(|row| Finish::unattempted(row, "skipped", "expired")).collect();
            queue::finish(tx, node, &ends)
        });
        if let Err(error) = ended.await {
            tracing::warn!(?error, "could not end deliveries without an event");
        }
    }
}

fn read(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    if wanted.target {
        loaded.destination = destinations::find(tx, wanted.lane)?;
    }
    if wanted.room == 0 {
        return Ok(loaded);
    }
    let limit = wanted.room + wanted.held.len();
    let mut rows = due_after(tx, wanted.node, wanted.lane, wanted.after.unwrap_or_else(first), wanted.now, limit)?;
    // The end of a scan that began after the first row says nothing about what came to stand before it: look again from there.
    loaded.more = rows.len() == limit || wanted.after.is_some();
    let whole = rows.len() == limit;
    rows.retain(|row| !wanted.held.contains(&row.id));
    loaded.more |= rows.len() > wanted.room;
    rows.truncate(wanted.room);
    loaded.scanned = rows.last().filter(|_| whole).map(|row| (row.due_at, row.seq));
    let keys: Vec<_> = rows.iter().map(|row| (row.tenant, row.event_id.clone(), row.event_created_at)).collect();
    loaded.events = events::load(tx, &keys)?.into_iter().map(|event| ((event.tenant, event.id.clone()), event)).collect();
    loaded.rows = rows;
    if !loaded.more {
        loaded.next_due = tx.query_one(
            "SELECT MIN(due_at) FROM queue WHERE owner = ?1 AND destination_id = ?2 AND due_at > ?3",
            &[wanted.node.id.into(), wanted.lane.into(), wanted.now.into()],
            |row| row.get(0),
        )?;
    }
    Ok(loaded)
}

/// A place before every row.
pub(super) fn first() -> (Timestamp, i64) {
    (Timestamp::from_millis(i64::MIN), i64::MIN)
}

/// The first rows of a destination that are due at `until`, after the row that stands at `after`.
pub(super) fn due_after(
    tx: &mut Tx<'_>,
    node: Node,
    destination: DestinationId,
    after: (Timestamp, i64),
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Pending>> {
    let sql = format!(
        "SELECT {} FROM queue WHERE owner = ?1 AND destination_id = ?2 AND due_at <= ?3 AND (due_at, seq) > (?5, ?6) ORDER BY due_at, seq LIMIT ?4",
        queue::COLUMNS
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = [node.id.into(), destination.into(), until.into(), limit.into(), after.0.into(), after.1.into()];
    tx.query(&sql, &params, queue::read)
}
