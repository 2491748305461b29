//! Synchronisation: records of ours and a vendor's objects, both ways, field by field.
//!
//! Purpose: a *sync* ([`SyncConfig`]) joins a resource type and an object of an account at a vendor. Its engine keeps both sides the same: what
//! one side changed goes to the other, what both changed is decided by policy or by a person, and nothing is made twice, lost or echoed.
//!
//! # What is kept
//!
//! | table | what |
//! |---|---|
//! | `sync_configs` | the sync; the vendor's cursors; who runs it (an epoch) |
//! | `sync_links` | our record and the vendor's, unique both ways; the values of the mapped fields that both last agreed on, each in its side's words |
//! | `sync_dirty` | the outbox: our records that the vendor may not know as they are |
//! | `sync_hints` | the vendor's records that are worth a look: webhooks, deletion feeds, complete scans, failures |
//! | `sync_intents` | creations at the vendor, stored before they are asked for |
//! | `sync_runs`, `sync_log` | executions: how far they are, what they counted, what happened to which record |
//! | `sync_conflicts` | fields that a person must decide about |
//!
//! # The merge
//!
//! For each field of a linked record there are four values: ours, the vendor's, and what each was when both agreed. A side has *changed* if its
//! value is not its own agreed one (`merge.rs`). Changed on one side: copied. Both the same, in either side's words: agreed. Both different: the
//! field's policy. Because each side is judged in its own words, a transform that loses something, or a vendor that writes values its own way, is no
//! change; and our own write, when it comes back with the next page, is what was agreed: nothing is written again.
//!
//! A conflict leaves its field alone on both sides; other fields go on. A decision is a row, carried out by the push that comes next, by the same merge.
//!
//! # A run
//!
//! Phases, each a sequence of steps (`engine/`): **pull** the vendor's pages; its **deletions**; **hints**, looks at single records by id; **scan** our
//! own records (full runs); **apply** deletions, under a brake; **push** the outbox; **finish**. A step is one transaction, or some with the vendor's calls
//! between them. What a transaction does, its log and the checkpoint commit together, so a run that is dropped anywhere goes on from there:
//!
//! * before a commit, nothing has happened; the page is read again and found equal;
//! * a creation of which the answer was lost has its intent: when nobody can be asking any more and the vendor's search must know
//!   ([`connectors::ObjectAbout::lag_seconds`]), it is looked up by its key, and made only if it is not there;
//! * an update of which the answer was lost is found equal and agreed.
//!
//! Pull writes here and never there; what must go there is put into the outbox. Push reads what the vendor has (by id, past any index) right before it
//! writes, and writes the changed fields only.
//!
//! # Who changes what, when
//!
//! Changes of ours are written into the outbox by a [`records::Watcher`], in the transaction of the change ([`Watched`]): nothing is missed, and a sync does not
//! hear its own writes. A vendor's webhook is a hint, never the truth. Realtime syncs work on both as they come; polling finds what nobody told.
//!
//! One runner a sync, over all nodes: it has an *epoch* (`engine`), and every transaction of a step checks it. A runner that was taken over changes
//! nothing more here; what it may still have asked the vendor for is behind an intent.
//!
//! Matching: records that are not linked belong together when they agree in the mapping's key. A second record with the same key is reported, never linked
//! or made.
//!
//! Deletions: a feed, a webhook or a complete scan only hints; the record's absence is verified by id. A complete scan hints only with the proof that it was
//! complete. One that was changed since both agreed is made again, unless the policy says otherwise. More than a part of all links at once waits for
//! approval.
//!
//! Invariants:
//! * No two links share a record, on either side.
//! * What is agreed was on both sides at once, or was given up by policy or by a person, and then the log says so.
//! * Nothing is asked to be made without an intent; no intent goes before its end is known.
//! * A transaction of a run whose epoch is not the sync's leaves nothing.
//! * Failed records are visible, are tried again less and less often, and keep no others waiting.
//!
//! Tables: above. Events: none of its own; changes of records emit theirs. Change notices: [`TOPIC_WORK`], [`TOPIC_CONFIGS`].

mod accounts;
mod configs;
mod conflicts;
mod engine;
mod frequency;
mod hint_sink;
mod ledger;
mod lifecycle;
mod merge;
mod plan;
mod routes;
mod runs;
mod scheduler;
mod watched;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kernel::{Ambient, NodeId, Scope};
use records::Records;
use store::{Home, Migration, Store};
use tokio_util::sync::CancellationToken;

use scheduler::Scheduler;

pub use accounts::{Accounts, Inbound, Opened};
pub use configs::{Deletions, Direction, NewSyncConfig, Settings, SyncConfig, SyncConfigPatch};
pub use conflicts::{Choice, Conflict, ConflictState, Resolution, Resolutions};
pub use engine::{Next, Runner};
pub use frequency::Frequency;
pub use hint_sink::refuse_removal;
pub use ledger::log::{LogAction, LogEntry};
pub use lifecycle::delete_old;
pub use merge::{Sides, Verdict, Ways, judge, same};
pub use runs::{Counters, Mode, NewRun, Outstanding, Pick, Side, State, SyncRun};
pub use watched::Watched;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "syncs", version: 1, home: Home::State, sql: include_str!("../migrations/0001_syncs.sql") }];

/// The topic of change notices about work: a run that waits, a record in the outbox, a hint. The key is tenant and sync.
pub const TOPIC_WORK: &str = "sync.work";
/// The topic of change notices about syncs that were made, changed or deleted. The key is the sync.
pub const TOPIC_CONFIGS: &str = "sync_config";

/// How long a runner is good without a word from it.
const LEASE: Duration = Duration::from_secs(30);
/// After so long every node knows of a sync.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Our name in the audit log.
pub(crate) const PART: &str = "syncs";

/// Work across tenants.
pub(crate) fn scope() -> Scope {
    Scope::system(PART)
}

/// What syncs stand on.
pub struct Around {
    /// Our side.
    pub records: Arc<Records>,
    /// The accounts at vendors.
    pub accounts: Arc<dyn Accounts>,
    /// Where tenants' functions run.
    pub scripts: script::Engine,
    /// Which life of which server this is.
    pub node: NodeId,
    /// The resource type of a sync that names none.
    pub default_resource: String,
}

/// Syncs, their runs and their conflicts.
pub struct Syncs {
    store: Store,
    ambient: Ambient,
    records: Arc<Records>,
    accounts: Arc<dyn Accounts>,
    scripts: script::Engine,
    name: String,
    default_resource: String,
    scheduler: Scheduler,
    closed: CancellationToken,
    started: OnceLock<()>,
}

impl Syncs {
    /// Nothing happens by itself before [`Syncs::start`]. Changes of records are heard by [`Watched`], which the binary sets.
    pub fn new(store: Store, ambient: Ambient, around: Around) -> Arc<Self> {
        let syncs = Arc::new(Self {
            name: around.node.to_string(),
            records: around.records,
            accounts: around.accounts,
            scripts: around.scripts,
            default_resource: around.default_resource,
            scheduler: Scheduler::default(),
            closed: CancellationToken::new(),
            started: OnceLock::new(),
            store,
            ambient,
        });
        let weak = Arc::downgrade(&syncs);
        syncs.store.on_change(Box::new(move |change| {
            if let Some(syncs) = weak.upgrade() {
                syncs.scheduler.judge(change);
            }
        }));
        syncs
    }

    /// Begins to run what is due. Must be called on a tokio runtime. A second call changes nothing.
    pub fn start(self: &Arc<Self>) {
        if self.started.set(()).is_ok() {
            scheduler::start(self);
        }
    }

    /// Begins nothing more: runs stop after the step that they are in, and go on with the next start, or on another node.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// The same, and waits until they have stopped, at most so long.
    pub async fn drain(&self, deadline: Duration) {
        self.close();
        self.scheduler.drain(deadline).await;
    }
}

impl Drop for Syncs {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}
