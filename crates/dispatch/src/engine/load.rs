//! From the database into memory: what a lane leads to, and the next of its due deliveries.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::{DeliveryId, DestinationId, Event, EventId, Result, TenantId, Timestamp};
use store::{Node, Tx};

use super::breaker::Passage;
use super::lane::{Aim, Item, Lane, LaneState, Target};
use super::{Engine, scope};
use crate::destinations::{self, Destination, State};
use crate::queue::{self, Finish, Pending};

/// Whether any with a key still is another node's.
const ELSEWHERE: &str = "SELECT 1 FROM queue WHERE destination_id = ?1 AND ordering_key = ?2 AND owner < ?3 \
                         UNION ALL SELECT 1 FROM queue WHERE destination_id = ?1 AND ordering_key = ?2 AND owner > ?3 LIMIT 1";
/// How soon to look again at a key of which another node has deliveries: a dead one, whose deliveries are being taken over.
const TAKEN_OVER_WITHIN: Duration = Duration::from_millis(200);

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
    /// How many of each ordering key are.
    lines: HashMap<String, usize>,
    now: Timestamp,
}

/// What was asked for, once the load is under way.
struct Asked {
    target: bool,
    room: usize,
    epoch: i64,
    now: Timestamp,
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
    /// Ordering keys of which a row is due.
    keys: Vec<Keyed>,
}

/// Deliveries with one ordering key.
struct Keyed {
    key: String,
    /// Those that are due.
    due: Vec<(TenantId, DeliveryId)>,
    /// The first ones in the order of their numbers, those in memory included; but for those that are not to go before their time.
    first: Vec<Pending>,
    /// These are all there are.
    is_whole: bool,
    /// Some are another node's, and stand before these: a dead node's, that are being taken over.
    is_elsewhere: bool,
}

/// What a load found that cannot be taken into memory.
#[derive(Default)]
struct Unfit {
    /// Without an event.
    orphans: Vec<Pending>,
    /// Behind one that will be tried again later.
    behind: Vec<(TenantId, DeliveryId, Timestamp)>,
}

/// A destination with its channel and its parsed configuration.
pub(crate) fn target(engine: &Engine, destination: Destination) -> Result<Target> {
    let channel = engine.channel(&destination.channel)?;
    let prepared = channel.prepare(&destination.config)?;
    let host = channel.host(&prepared).map(|name| engine.hosts.of(name));
    Ok(Target { destination, channel, prepared, host })
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
        state.keys.load_begins();
        let after = state.scanned;
        let held = if after.is_none() { state.held() } else { HashSet::new() };
        let lines = state.keys.lengths();
        let wanted = Wanted { lane: lane.id, node: self.node(), target, room, after, held, lines, now };
        self.spawn(Arc::clone(self).load(Arc::clone(lane), wanted));
    }

    /// How many rows may be loaded now.
    fn room(&self, lane: &Lane, state: &mut LaneState, now: Timestamp) -> usize {
        let most = self.options.ready_per_destination.max(1);
        // Those behind others make no work, so they do not count, unless there are so many that memory would not be bounded.
        let is_served = state.ready.len() > most / 4 || state.unbegun() > most * 4;
        if state.aim.state() != Some(State::Enabled) || !state.backlog || is_served {
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
            Passage::Probe => usize::from(state.holds_nothing()),
            Passage::Free => most - state.ready.len().min(most - 1),
        }
    }

    async fn load(self: Arc<Self>, lane: Arc<Lane>, wanted: Wanted) {
        let asked = Asked { target: wanted.target, room: wanted.room, epoch: wanted.node.epoch, now: wanted.now };
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
                let unfit = self.loaded(&lane, &asked, loaded, found);
                self.expire(unfit.orphans).await;
                self.defer(&lane, unfit.behind).await;
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

    fn loaded(&self, lane: &Lane, asked: &Asked, mut loaded: Loaded, found: Option<Target>) -> Unfit {
        let mut state = lane.lock();
        state.loading = false;
        if asked.target {
            state.failing = found.as_ref().and_then(|target| target.destination.failing_since);
            // What changed while it was being read is read again.
            if std::mem::take(&mut state.changed) {
                state.aim = Aim::Unknown;
            } else {
                state.aim = found.map_or(Aim::Missing, |target| Aim::At(Arc::new(target)));
            }
        }
        let unfit = if asked.room > 0 { self.merge(&mut state, &mut loaded, asked) } else { Unfit::default() };
        state.gone.clear();
        unfit
    }

    /// Takes loaded rows into memory; answers those that cannot be.
    fn merge(&self, state: &mut LaneState, loaded: &mut Loaded, asked: &Asked) -> Unfit {
        let mut unfit = Unfit::default();
        if asked.epoch != self.node().epoch {
            // Read as an earlier life's; what is ours now is read again.
            return unfit;
        }
        for row in loaded.rows.drain(..) {
            if state.holds(row.id) || state.gone.contains(&row.id) {
                continue;
            }
            match loaded.events.get(&(row.tenant, row.event_id.clone())) {
                Some(event) => state.take(Item { event: Arc::clone(event), row, epoch: asked.epoch, is_first: true, ticket: None }),
                None => unfit.orphans.push(row),
            }
        }
        for keyed in std::mem::take(&mut loaded.keys) {
            self.merge_key(state, loaded, asked, keyed, &mut unfit);
        }
        state.backlog = loaded.more || state.missed;
        // Asked to start anew while this load was under way (a retry came due before where it stands): so be it.
        state.scanned = loaded.scanned.filter(|_| !state.missed);
        if let Some(due) = loaded.next_due {
            state.due_earlier(due);
        }
        unfit
    }

    /// Takes the first deliveries of a key into memory, up to the first that is not due; if there is none before that, those that are due
    /// wait for it.
    fn merge_key(&self, state: &mut LaneState, loaded: &Loaded, asked: &Asked, keyed: Keyed, unfit: &mut Unfit) {
        let now = asked.now;
        let mut until = state.keys.held_up(&keyed.key);
        if keyed.is_elsewhere {
            until = until.max(Some(now.plus(TAKEN_OVER_WITHIN)));
        }
        let mut is_whole = keyed.is_whole && until.is_none();
        for row in keyed.first {
            if until.is_some() {
                break;
            }
            if state.holds(row.id) || state.gone.contains(&row.id) {
                continue;
            }
            if row.due_at > now {
                is_whole = false;
                if state.keys.is_busy(&keyed.key) {
                    break;
                }
                until = Some(row.due_at);
            } else if let Some(event) = loaded.events.get(&(row.tenant, row.event_id.clone())) {
                state.take(Item { event: Arc::clone(event), row, epoch: asked.epoch, is_first: false, ticket: None });
            } else {
                unfit.orphans.push(row);
            }
        }
        if is_whole {
            state.keys.complete(&keyed.key);
        }
        if let Some(until) = until {
            state.keys.leave(&keyed.key, false);
            state.due_earlier(until);
            let waiting = keyed.due.into_iter().filter(|(_, id)| !state.holds(*id) && !state.gone.contains(id));
            unfit.behind.extend(waiting.map(|(tenant, id)| (tenant, id, until)));
        }
    }

    /// Lets deliveries wait for the one with their key that will be tried again.
    async fn defer(&self, lane: &Lane, rows: Vec<(TenantId, DeliveryId, Timestamp)>) {
        if rows.is_empty() {
            return;
        }
        let node = self.node();
        if let Err(error) = self.store.write(scope(), move |tx| queue::defer(tx, node, &rows)).await {
            tracing::warn!(?error, destination = %lane.id, "could not put off what waits behind a retry; looking again soon");
            lane.lock().due_earlier(self.ambient.now().plus(AGAIN_AFTER));
        }
    }

    /// Ends deliveries whose event retention or a purge has removed.
    async fn expire(&self, rows: Vec<Pending>) {
        if rows.is_empty() {
            return;
        }
        let node = self.node();
        let ended = self.store.write(scope(), move |tx| {
            let ends: Vec<Finish<'_>> = rows.iter().map(|row| Finish::unattempted(row, "skipped", "expired")).collect();
            queue::finish(tx, node, &HashSet::new(), &ends)
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
    let (keyed, rows): (Vec<Pending>, Vec<Pending>) = rows.into_iter().partition(|row| row.ordering_key.is_some());
    loaded.keys = by_key(tx, wanted, keyed)?;
    let all = rows.iter().chain(loaded.keys.iter().flat_map(|keyed| &keyed.first));
    let keys: Vec<_> = all.map(|row| (row.tenant, row.event_id.clone(), row.event_created_at)).collect();
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

/// The first deliveries of every key of which one of `due` is. They are read by number: by time, one that is tried again would come after
/// those that were published meanwhile.
fn by_key(tx: &mut Tx<'_>, wanted: &Wanted, due: Vec<Pending>) -> Result<Vec<Keyed>> {
    let mut keys: BTreeMap<String, Vec<(TenantId, DeliveryId)>> = BTreeMap::new();
    for row in due {
        keys.entry(row.ordering_key.unwrap_or_default()).or_default().push((row.tenant, row.id));
    }
    let first = format!(
        "SELECT {} FROM queue WHERE destination_id = ?1 AND ordering_key = ?2 AND owner = ?3 \
         AND (deliver_at IS NULL OR attempt_count > 0 OR due_at <= ?4) ORDER BY seq LIMIT ?5",
        queue::COLUMNS
    );
    let mut found = Vec::with_capacity(keys.len());
    for (key, due) in keys {
        let limit = due.len() + wanted.lines.get(&key).copied().unwrap_or(0) + 1;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = [wanted.lane.into(), (&key).into(), wanted.node.id.into(), wanted.now.into(), most.into()];
        let is_elsewhere = tx.query_opt(ELSEWHERE, &params[..3], |_| Ok(()))?.is_some();
        let first = tx.query(&first, &params, queue::read)?;
        found.push(Keyed { is_whole: first.len() < limit && !is_elsewhere, key, due, first, is_elsewhere });
    }
    Ok(found)
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
