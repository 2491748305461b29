//! What happens: edits, faults, steps, deaths.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kernel::chance::{Entropy as _, SeededEntropy};
use kernel::{RecordId, SyncConfigId};
use serde_json::{Value, json};
use syncs::{ConflictState, Mode, NewRun, Next, Runner, Syncs};
use testkit::Engine;

use crate::bed::Bed;
use crate::carrier::Loss;
use crate::crm::Kind;

/// Things that happen in one life.
const EVENTS: u64 = 100;
/// Fields that are edited; the e-mail address stays, by which checks know a person.
const FIELDS: [&str; 4] = ["firstName", "lastName", "phone", "company"];
/// Runs after which everything must be quiet.
const PATIENCE: usize = 40;

/// An edit that somebody made.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) email: String,
    pub(super) field: &'static str,
    pub(super) value: String,
}

pub(super) struct World {
    pub(super) bed: Bed,
    pub(super) seed: u64,
    pub(super) sync: SyncConfigId,
    nodes: [Arc<Syncs>; 2],
    runners: [Option<Runner>; 2],
    chance: SeededEntropy,
    pub(super) policy: &'static str,
    pub(super) edits: Vec<Edit>,
    /// Values that somebody overwrote knowingly: they stood where the edit was made.
    pub(super) overwritten: HashSet<String>,
    /// People who were deleted on some side, so that edits of them may go with them.
    pub(super) deleted: HashSet<String>,
    pub(super) taken_over: u64,
    pub(super) deaths: u64,
    /// What happened, for whoever looks for a fault.
    pub(super) diary: Vec<String>,
    /// The vendor's searches know late of what is there.
    lags: bool,
    count: u64,
}

impl World {
    pub(super) async fn new(engine: Engine, kind: Kind, seed: u64) -> Self {
        let bed = Bed::with(engine, kind, seed).await;
        let chance = SeededEntropy::new(seed ^ 0x5eed);
        let policy = ["manual", "newest", "local", "remote"][usize::try_from(seed / 4 % 4).unwrap()];
        let config = bed.sync(json!({"conflictResolution": policy, "frequency": "manual", "deleteBrakePercent": 100})).await;
        let nodes = [Arc::clone(&bed.syncs), bed.node()];
        Self {
            bed,
            seed,
            sync: config.id,
            nodes,
            runners: [None, None],
            chance,
            policy,
            edits: Vec::new(),
            overwritten: HashSet::new(),
            deleted: HashSet::new(),
            taken_over: 0,
            deaths: 0,
            diary: Vec::new(),
            lags: false,
            count: 0,
        }
    }

    /// Those that are edited.
    pub(super) fn fields(&self) -> Vec<&'static str> {
        let known = self.bed.crm.fields();
        FIELDS.into_iter().filter(|field| known.iter().any(|(ours, _)| ours == field)).collect()
    }

    fn below(&mut self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }

    pub(super) async fn live(&mut self) {
        for _ in 0..EVENTS {
            let event = self.below(20);
            self.note(&format!("event {event}"));
            match event {
                0..=2 => self.make().await,
                3..=8 => self.edit().await,
                9 => self.delete().await,
                10 => self.go_wrong(),
                11 => {
                    let time = Duration::from_millis(1 + self.below(200_000));
                    self.bed.wait(time);
                }
                12 => self.ask().await,
                _ => self.step().await,
            }
        }
    }

    fn note(&mut self, text: &str) {
        let now = self.bed.ambient.now();
        let runs: Vec<String> = self.runners.iter().map(|runner| runner.as_ref().map_or_else(String::new, |one| one.run().phase)).collect();
        self.diary.push(format!("{now} {text} {runs:?}"));
    }

    /// Somebody new, on one side or on both at once.
    async fn make(&mut self) {
        self.count += 1;
        let email = format!("p{}@example.com", self.count);
        // Where a vendor neither keeps addresses unique nor shows at once what is there, two who are made on both sides at the same moment stay two: no
        // client can know.
        let both_may = self.bed.crm.keeps_unique() || !self.lags;
        let side = self.below(if both_may { 4 } else { 3 });
        self.note(&format!("make {email} {side}"));
        if side != 1 {
            let members = self.somebody(&email);
            self.bed.add(members).await;
        }
        if side == 1 || side == 3 {
            let members = self.somebody(&email);
            self.bed.crm.add(&members);
        }
    }

    fn somebody(&mut self, email: &str) -> Value {
        let mut members = json!({"email": email});
        for field in self.fields() {
            // Some vendors do without a last name or a company, others do not.
            if matches!(field, "lastName" | "company") || self.below(2) == 0 {
                members[field] = self.value(email, field).into();
            }
        }
        members
    }

    /// A value that nobody ever wrote before.
    fn value(&mut self, email: &str, field: &'static str) -> String {
        self.count += 1;
        let value = format!("{field}{}", self.count);
        self.edits.push(Edit { email: email.to_owned(), field, value: value.clone() });
        value
    }

    async fn edit(&mut self) {
        let fields = self.fields();
        let field = fields[usize::try_from(self.below(fields.len() as u64)).unwrap()];
        if self.below(2) == 0 {
            let ours = self.bed.ours().await;
            let Some((id, members)) = self.one_of(&ours) else { return };
            let (before, email) = (members.get(field).cloned().unwrap_or_default(), text(&members["email"]));
            let value = self.value(&email, field);
            self.overwrite(&before);
            self.bed.edit(id, json!({field: value})).await;
        } else {
            let rows = self.bed.crm.rows();
            let Some((id, members)) = self.one_of(&rows) else { return };
            let email = text(&members["email"]);
            let value = self.value(&email, field);
            self.overwrite(&members[field]);
            self.bed.crm.edit(&id, &json!({field: value}));
        }
    }

    fn overwrite(&mut self, before: &Value) {
        self.overwritten.extend(before.as_str().map(str::to_owned));
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() {
            return None;
        }
        let index = self.below(all.len() as u64);
        all.get(usize::try_from(index).unwrap()).cloned()
    }

    async fn delete(&mut self) {
        if self.below(2) == 0 {
            let ours = self.bed.ours().await;
            let Some((id, members)) = self.one_of(&ours) else { return };
            self.note(&format!("delete here {}", members["email"]));
            self.deleted.insert(text(&members["email"]));
            self.bed.delete(id).await;
        } else {
            let rows = self.bed.crm.rows();
            let Some((id, members)) = self.one_of(&rows) else { return };
            self.note(&format!("delete there {}", members["email"]));
            self.deleted.insert(text(&members["email"]));
            self.bed.crm.delete(&id);
        }
    }

    fn go_wrong(&mut self) {
        let faults = [
            "rate-limit,retry-after=7,times=1",
            "rate-limit,times=2",
            "html,times=1",
            "server-error,times=1",
            "lost-answer,times=1",
            "lost-answer,after=1,times=1",
            "lost-request,times=1",
            "cut-body,times=1",
            "unauthorized,times=1",
            "partial-batch,every=2,times=1",
            "duplicate-rows,times=3",
            "index-lag,ms=20000",
        ];
        let fault = faults[usize::try_from(self.below(faults.len() as u64)).unwrap()];
        // Its queries are never late, and its connector says so.
        let is_late = fault.starts_with("index-lag");
        if is_late && self.bed.crm.kind == Kind::Salesforce {
            return;
        }
        self.lags |= is_late;
        self.note(fault);
        self.bed.crm.fault(fault);
    }

    async fn ask(&mut self) {
        let mode = if self.below(3) == 0 { Mode::Full } else { Mode::Incremental };
        self.bed.syncs.run(&self.bed.caller, self.sync, NewRun { mode: Some(mode), dry_run: None }).await.unwrap();
    }

    /// A node goes one step on, or begins, or dies.
    async fn step(&mut self) {
        let at = usize::try_from(self.below(2)).unwrap();
        if self.runners[at].is_none() {
            self.runners[at] = self.nodes[at].runner(self.bed.tenant, self.sync).await.unwrap();
            if self.runners[at].is_none() {
                return self.ask().await;
            }
        }
        match self.below(12) {
            // It dies between two steps: its lease runs out.
            0 => {
                self.deaths += 1;
                self.runners[at] = None;
                self.bed.wait(Duration::from_secs(31));
            }
            // It stalls so long that the other takes over; when it wakes up it must change nothing.
            1 => self.bed.wait(Duration::from_secs(31)),
            // It dies in a call to the vendor, whose outcome nobody knows then.
            2 | 3 => {
                let loss = if self.below(2) == 0 { Loss::Before } else { Loss::After };
                self.die_in_a_call(at, loss).await;
            }
            // It dies anywhere: while it waits for its own database, say.
            4 => {
                let polls = self.below(12);
                self.die_after(at, polls).await;
            }
            _ => self.one_step(at).await,
        }
    }

    async fn one_step(&mut self, at: usize) {
        let Some(mut runner) = self.runners[at].take() else { return };
        let stepped = self.nodes[at].step(&mut runner).await;
        match stepped {
            Ok(Next::Again) => self.runners[at] = Some(runner),
            Ok(Next::Later(_) | Next::Ended) => self.nodes[at].give_back(&runner).await.unwrap(),
            Err(error) if error.code() == "sync_taken_over" => self.taken_over += 1,
            Err(error) => panic!("seed {}: {error:?}", self.seed),
        }
    }

    async fn die_in_a_call(&mut self, at: usize, loss: Loss) {
        self.note(&format!("die in a call {at} {loss:?}"));
        let Some(mut runner) = self.runners[at].take() else { return };
        let carrier = Arc::clone(&self.bed.carrier);
        carrier.lose(Some(loss));
        let node = Arc::clone(&self.nodes[at]);
        let lost = tokio::select! {
            biased;
            () = carrier.lost.notified() => true,
            _ = node.step(&mut runner) => false,
        };
        carrier.lose(None);
        if lost {
            self.deaths += 1;
            self.bed.wait(Duration::from_secs(31));
        } else {
            self.nodes[at].give_back(&runner).await.unwrap();
        }
    }

    async fn die_after(&mut self, at: usize, polls: u64) {
        let Some(mut runner) = self.runners[at].take() else { return };
        let node = Arc::clone(&self.nodes[at]);
        let mut step = Box::pin(node.step(&mut runner));
        let mut left = polls;
        let ended = std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(false);
            }
            left -= 1;
            match step.as_mut().poll(context) {
                std::task::Poll::Ready(_) => std::task::Poll::Ready(true),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        })
        .await;
        drop(step);
        if ended {
            self.nodes[at].give_back(&runner).await.unwrap();
        } else {
            self.deaths += 1;
            self.bed.wait(Duration::from_secs(31));
        }
    }

    /// Nothing goes wrong any more and nobody edits: after some runs nothing is left to do.
    pub(super) async fn settle(&mut self) {
        self.runners = [None, None];
        self.bed.vendor_recovers();
        self.bed.wait(Duration::from_secs(60));
        let mut quiet = 0;
        for _ in 0..PATIENCE {
            // Past every pause, and past the vendor's lag.
            self.bed.wait(Duration::from_mins(5));
            let retry = serde_json::from_value(json!({})).unwrap();
            self.bed.syncs.retry(&self.bed.caller, self.sync, retry).await.unwrap();
            self.ask_for(Mode::Full).await;
            let before = self.bed.carrier.writes.load(Ordering::SeqCst);
            let ours = self.bed.ours().await;
            while !matches!(self.bed.drive(self.sync).await, None | Some(Next::Ended)) {
                self.bed.wait(Duration::from_mins(5));
            }
            let still = self.bed.carrier.writes.load(Ordering::SeqCst) == before && ours == self.bed.ours().await;
            quiet = if still { quiet + 1 } else { 0 };
            if quiet == 2 {
                return;
            }
        }
        let log = self.bed.everything_logged(self.sync).await;
        panic!("seed {} ({}): it does not come to rest\n{:#?}", self.seed, self.policy, &log[log.len().saturating_sub(12)..]);
    }

    async fn ask_for(&self, mode: Mode) {
        self.bed.syncs.run(&self.bed.caller, self.sync, NewRun { mode: Some(mode), dry_run: None }).await.unwrap();
    }

    /// The fields of a person that wait for somebody.
    pub(super) async fn open(&self) -> HashMap<RecordId, HashSet<String>> {
        let mut open: HashMap<RecordId, HashSet<String>> = HashMap::new();
        for conflict in self.bed.conflicts().await {
            if conflict.status == ConflictState::Open {
                open.entry(conflict.record_id).or_default().insert(conflict.field);
            }
        }
        open
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
