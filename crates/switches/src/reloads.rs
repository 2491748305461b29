//! The call to reload: every server reads its blueprint again and answers what it made of it.

use kernel::{Error, NodeId, Result, Scope, Timestamp};
use store::{Store, Tx};
use tokio::sync::watch;

use crate::{Switches, read, write};

const NAME: &str = "reload";
/// Answers to older calls are forgotten.
const KEPT: i64 = 20;

/// A call to reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub number: i64,
    /// The servers that were alive when it was made.
    pub nodes: Vec<NodeId>,
}

/// What a server made of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// It serves the new blueprint.
    Applied,
    /// It is the blueprint that it served.
    Unchanged,
    /// It keeps the old one.
    Refused,
}

impl ReloadOutcome {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadAnswer {
    /// Whose.
    pub node: NodeId,
    /// `applied`, `unchanged` or `refused`.
    pub outcome: String,
    /// What, or why not.
    pub detail: String,
}

/// Asks every server to read its blueprint again.
pub async fn ask_to_reload(store: &Store) -> Result<Call> {
    store
        .write(crate::operator()?, |tx| {
            let number = last_call(tx)? + 1;
            write(tx, NAME, &number.to_string())?;
            tx.exec("DELETE FROM reload_answers WHERE number < ?1", &[(number - KEPT).into()])?;
            tx.audit("blueprint.reload", NAME)?;
            let oldest = tx.now().minus(store::NODE_DEAD_AFTER);
            let nodes =
                tx.query("SELECT id FROM nodes WHERE stopped_at IS NULL AND heartbeat_at >= ?1 ORDER BY id", &[oldest.into()], |row| {
                    row.get(0)
                })?;
            Ok(Call { number, nodes })
        })
        .await
}

/// The answers to a call so far.
pub async fn answers(store: &Store, number: i64) -> Result<Vec<ReloadAnswer>> {
    store
        .read(Scope::system("switches"), move |tx| {
            tx.query("SELECT node_id, outcome, detail FROM reload_answers WHERE number = ?1 ORDER BY node_id", &[number.into()], |row| {
                Ok(ReloadAnswer { node: row.get(0)?, outcome: row.get(1)?, detail: row.get(2)? })
            })
        })
        .await
}

/// The last call's number; 0 if there was none.
pub(crate) fn last_call(tx: &mut Tx<'_>) -> Result<i64> {
    let text = read(tx, NAME)?;
    text.map_or(Ok(0), |text| text.parse().map_err(Error::internal))
}

impl Switches {
    /// Changes with every call to reload; the value is its number. Calls made before this server began are not new.
    pub fn calls(&self) -> watch::Receiver<i64> {
        let mut calls = self.calls.subscribe();
        calls.mark_unchanged();
        calls
    }

    /// Answers a call for this server.
    pub async fn answer(&self, number: i64, node: NodeId, outcome: ReloadOutcome, detail: String) -> Result<()> {
        self.store
            .write(Scope::system("switches"), move |tx| {
                let now: Timestamp = tx.now();
                tx.exec(
                    "INSERT INTO reload_answers (number, node_id, outcome, detail, answered_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (number, node_id) DO NOTHING",
                    &[number.into(), node.into(), outcome.name().into(), detail.into(), now.into()],
                )?;
                Ok(())
            })
            .await
    }
}
