//! What must hold at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use kernel::{DeliveryId, DestinationId, EventId, Scope, TenantId};

use super::outside::{Call, Said};
use super::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An accepted event has no end for a webhook that was to get it.
    Lost,
    /// The order of a key was turned round.
    Order,
    /// An attempt at a webhook that was paused, disabled or deleted.
    Blocked,
    /// Something of another tenant.
    Tenant,
    /// The ledger says something else than the receivers.
    Ledger,
    /// More in memory than the settings allow.
    Memory,
    /// It does not come to an end.
    Stuck,
}

#[derive(Clone, Debug)]
pub(super) struct Violation {
    pub(super) kind: Kind,
    pub(super) text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.text)
    }
}

/// A finished delivery.
struct Row {
    tenant: TenantId,
    id: DeliveryId,
    destination: DestinationId,
    event: EventId,
    seq: i64,
    attempts: u32,
    status: String,
    reason: String,
}

struct Evidence<'a> {
    world: &'a World,
    rows: Vec<Row>,
    stored: BTreeSet<(TenantId, EventId)>,
    logged: HashMap<DeliveryId, Vec<u32>>,
    calls: Vec<Call>,
    by_delivery: HashMap<DeliveryId, Vec<Call>>,
}

/// Everything that does not hold.
pub(super) async fn judge(world: &World) -> Vec<Violation> {
    let evidence = gather(world).await;
    let mut found = Vec::new();
    let mut say = |kind, text| found.push(Violation { kind, text });
    evidence.everything_ended(&mut say);
    evidence.nothing_unwanted(&mut say);
    evidence.order(&mut say);
    evidence.blocked(&mut say);
    evidence.tenants(&mut say);
    evidence.rows.iter().for_each(|row| evidence.ledger(row, &mut say));
    evidence.memory(&mut say);
    found
}

async fn gather(world: &World) -> Evidence<'_> {
    let ledger = |tx: &mut store::Tx<'_>| {
        let sql = "SELECT tenant_id, id, destination_id, event_id, seq, attempt_count, status, reason FROM deliveries ORDER BY id";
        let rows = tx.query(sql, &[], |row| {
            let (tenant, id, destination, event) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Row { tenant, id, destination, event, seq: row.get(4)?, attempts: row.get(5)?, status: row.get(6)?, reason: row.get(7)? })
        })?;
        let stored = tx.query("SELECT tenant_id, id FROM events", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((rows, stored.into_iter().collect()))
    };
    let (rows, stored) = world.store.read(Scope::system("test"), ledger).await.unwrap();
    let log = |tx: &mut store::Tx<'_>| {
        let sql = "SELECT delivery_id, number FROM attempts ORDER BY delivery_id, number";
        tx.query(sql, &[], |row| Ok((row.get::<DeliveryId>(0)?, row.get::<u32>(1)?)))
    };
    let mut logged: HashMap<DeliveryId, Vec<u32>> = HashMap::new();
    for (delivery, number) in world.store.logs().read(Scope::system("test"), log).await.unwrap() {
        logged.entry(delivery).or_default().push(number);
    }
    let calls = world.outside.calls();
    let mut by_delivery: HashMap<DeliveryId, Vec<Call>> = HashMap::new();
    for call in &calls {
        by_delivery.entry(call.delivery).or_default().push(call.clone());
    }
    Evidence { world, rows, stored, logged, calls, by_delivery }
}

impl Evidence<'_> {
    fn tenant(&self, number: usize) -> TenantId {
        self.world.expected.tenants[number].id
    }

    /// An answered event is stored; a stored one has one end for each webhook that was to get it.
    fn everything_ended(&self, say: &mut impl FnMut(Kind, String)) {
        let mut ends: HashMap<(DestinationId, &EventId), usize> = HashMap::new();
        for row in &self.rows {
            *ends.entry((row.destination, &row.event)).or_default() += 1;
        }
        for event in &self.world.expected.events {
            let is_stored = self.stored.contains(&(self.tenant(event.tenant), event.id.clone()));
            if event.answered.is_some() && !is_stored {
                say(Kind::Lost, format!("{} was answered and is not stored", event.id));
            }
            let (all, sure) = (event.wanted.len(), event.wanted.values().filter(|certain| **certain).count());
            if let Some(deliveries) = event.answered.filter(|_| all == sure)
                && deliveries as usize != all
            {
                say(Kind::Lost, format!("{} was answered with {deliveries} deliveries and {all} were to be made", event.id));
            }
            for (at, certain) in &event.wanted {
                let id = self.world.expected.subscriptions[*at].id;
                match ends.get(&(id, &event.id)).copied().unwrap_or(0) {
                    0 if *certain && is_stored => say(Kind::Lost, format!("{} has no end for {id}", event.id)),
                    0 | 1 => {}
                    many => say(Kind::Ledger, format!("{} ended {many} times for {id}", event.id)),
                }
            }
        }
    }

    /// Nobody got what was not for them.
    fn nothing_unwanted(&self, say: &mut impl FnMut(Kind, String)) {
        let expected = &self.world.expected;
        let events: HashMap<&EventId, _> = expected.events.iter().map(|event| (&event.id, event)).collect();
        let is_wanted = |destination, event| {
            let (at, event) = (expected.number_of(destination), events.get(event));
            at.is_some_and(|at| event.is_some_and(|event| event.wanted.contains_key(&at)))
        };
        for row in self.rows.iter().filter(|row| !is_wanted(row.destination, &row.event)) {
            say(Kind::Ledger, format!("{} has a delivery for {}, which does not listen to it", row.event, row.destination));
        }
        for call in self.calls.iter().filter(|call| !is_wanted(call.destination, &call.event)) {
            say(Kind::Ledger, format!("{} was sent to {}, which does not listen to it", call.event, call.destination));
        }
    }

    /// Of two deliveries with one key for one ordered webhook, the first one is done with before the second one begins.
    fn order(&self, say: &mut impl FnMut(Kind, String)) {
        let expected = &self.world.expected;
        let events: HashMap<&EventId, _> = expected.events.iter().map(|event| (&event.id, event)).collect();
        let mut lines: BTreeMap<(DestinationId, String), BTreeMap<i64, Vec<&Call>>> = BTreeMap::new();
        for call in &self.calls {
            let ordered = expected.number_of(call.destination).map(|at| &expected.subscriptions[at]).filter(|one| one.ordered);
            let is_free = call.scheduled || expected.retried.contains(&(call.destination, call.event.clone()));
            let (Some(ordered), Some(event)) = (ordered, events.get(&call.event)) else { continue };
            if let Some(key) = event.key_at(ordered.path).filter(|_| !is_free) {
                lines.entry((call.destination, key)).or_default().entry(call.seq).or_default().push(call);
            }
        }
        for ((destination, key), line) in lines {
            let mut bad = None;
            let steps: Vec<(i64, Vec<&Call>)> = line.into_iter().collect();
            for (at, (later, calls)) in steps.iter().enumerate() {
                let began = calls[0].began;
                for (earlier, before) in &steps[..at] {
                    // It may come again after a crash, once the receiver has had it.
                    let had = before.iter().any(|call| call.said == Some(Said::Yes) && call.ended.is_some_and(|ended| ended < began));
                    if let Some(late) = before.iter().find(|call| call.began > began).filter(|_| !had) {
                        bad =
                            bad.or(Some(format!("{earlier} ({}) was attempted after {later} ({}) had begun", late.event, calls[0].event)));
                    }
                }
            }
            if let Some(what) = bad {
                let mut all: Vec<&Call> = steps.iter().flat_map(|(_, calls)| calls.iter().copied()).collect();
                all.sort_by_key(|call| call.began);
                let show = |call: &&Call| format!("{}.{} at {} {:?}", call.seq, call.number, &call.at.to_string()[11..], call.said);
                say(Kind::Order, format!("{destination}, key {key}: {what}; {}", all.iter().map(show).collect::<Vec<_>>().join(", ")));
            }
        }
    }

    fn blocked(&self, say: &mut impl FnMut(Kind, String)) {
        let expected = &self.world.expected;
        for call in &self.calls {
            let Some(at) = expected.number_of(call.destination) else { continue };
            let one = &expected.subscriptions[at];
            if one.blocked.iter().any(|blocked| (blocked.from..blocked.to).contains(&call.began)) {
                say(
                    Kind::Blocked,
                    format!("{} was sent to {} while it was not enabled ({:?} at the end)", call.event, one.id, one.standing),
                );
            }
        }
    }

    fn tenants(&self, say: &mut impl FnMut(Kind, String)) {
        let expected = &self.world.expected;
        let owner = |destination| expected.number_of(destination).map(|at| self.tenant(expected.subscriptions[at].tenant));
        for call in &self.calls {
            let (theirs, data) = (owner(call.destination), World::owner(&call.data));
            if theirs != Some(call.tenant) || data != theirs.map(|tenant| tenant.to_string()) {
                say(Kind::Tenant, format!("{} of {} was sent to {} of {theirs:?}", call.event, call.tenant, call.destination));
            }
        }
        for row in self.rows.iter().filter(|row| owner(row.destination) != Some(row.tenant)) {
            say(Kind::Tenant, format!("the delivery {} of {} is for {}", row.id, row.tenant, row.destination));
        }
    }

    /// The ledger against what the receiver saw, and the attempt log against the ledger.
    fn ledger(&self, row: &Row, say: &mut impl FnMut(Kind, String)) {
        let nothing = Vec::new();
        let calls = self.by_delivery.get(&row.id).unwrap_or(&nothing);
        let is_retried = self.world.expected.retried.contains(&(row.destination, row.event.clone()));
        let what =
            format!("{} for {} (seq {}, {} / {}, {} attempts)", row.event, row.destination, row.seq, row.status, row.reason, row.attempts);
        let had = calls.iter().position(|call| call.said == Some(Said::Yes));
        if row.status == "delivered" && had.is_none() {
            say(Kind::Ledger, format!("{what}: the receiver never said yes"));
        }
        if (row.attempts as usize) > calls.len() {
            say(Kind::Ledger, format!("{what}: the receiver saw {} of them", calls.len()));
        }
        let numbers: Vec<u32> = (1..=row.attempts).collect();
        let logged = self.logged.get(&row.id).cloned().unwrap_or_default();
        if logged != numbers {
            say(Kind::Ledger, format!("{what}: the log has {logged:?}"));
        }
        if self.world.lossy {
            return;
        }
        let seen: Vec<u32> = calls.iter().map(|call| call.number).collect();
        if seen != numbers {
            say(Kind::Ledger, format!("{what}: the receiver saw the attempts {seen:?}"));
        }
        if !is_retried && had.is_some_and(|at| at + 1 < calls.len() || row.status != "delivered") {
            say(Kind::Ledger, format!("{what}: the receiver had it at attempt {had:?} of {}", calls.len()));
        }
    }

    fn memory(&self, say: &mut impl FnMut(Kind, String)) {
        let (most, options) = (self.world.most, &self.world.options);
        let mut hold = |name: &str, is: usize, most: usize| {
            if is > most {
                say(Kind::Memory, format!("{name}: {is}, allowed {most}"));
            }
        };
        // Those behind others of their key make no work and may be some more; what is over the memory of all comes from the database only.
        let each = options.ready_per_destination * 6;
        hold("deliveries of one destination", most.ready_most, each + options.memory);
        hold("deliveries of all destinations", most.ready, each * most.lanes + options.memory);
        hold("attempts under way", most.in_flight, options.max_in_flight_total);
        hold("lanes", most.lanes, self.world.expected.subscriptions.len());
    }
}
