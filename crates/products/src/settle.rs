//! What a server that has read a blueprint file is to serve.

use std::sync::Arc;

use blueprint::Blueprint;
use kernel::{Result, Scope};
use store::Engine;

use crate::judge::{Judgement, Strictness};
use crate::versions::{How, Version, parsed};
use crate::{Products, Text, sql};

/// What is to be served.
#[derive(Debug)]
pub enum Settled {
    /// The file: it says what is in force.
    Same(Arc<Blueprint>),
    /// The file, which is in force as soon as [`Products::record`] has said so: what it changes may be changed.
    New(Ticket),
    /// Not the file, since somebody went a step back from what it says: the version that is in force.
    Kept {
        /// What to serve.
        blueprint: Arc<Blueprint>,
        /// In words.
        why: String,
    },
    /// Nothing new, and why, with the way out.
    Refused(String),
}

/// A blueprint that may take effect.
#[derive(Debug)]
pub struct Ticket {
    pub(crate) text: Text,
    /// The version that it was compared with; 0: none.
    pub(crate) after: i64,
    /// What it changes; empty for the first.
    pub judgement: Judgement,
}

impl Ticket {
    /// What to serve.
    pub fn blueprint(&self) -> &Arc<Blueprint> {
        &self.text.blueprint
    }
}

impl Products {
    /// Compares a file with what is in force. `how`: a reload may break nothing that anybody relies on; a start may, in full knowledge, unless
    /// other servers are running.
    pub async fn settle(&self, text: Text, how: How) -> Result<Settled> {
        let Some((version, kept)) = self.in_force().await? else {
            return Ok(Settled::New(Ticket { text, after: 0, judgement: Judgement::default() }));
        };
        let after = version.number;
        let Some(old) = parsed(&version, &kept).filter(|_| version.hash != text.hash()) else {
            // The same text; or one with which nothing can be compared.
            let same = version.hash == text.hash();
            let new = || Settled::New(Ticket { text: text.clone(), after, judgement: Judgement::default() });
            return Ok(if same { Settled::Same(Arc::clone(&text.blueprint)) } else { new() });
        };
        if text.means(&old) {
            return Ok(Settled::Same(Arc::clone(&text.blueprint)));
        }
        if let Some(why) = self.undone(&version, &text).await? {
            return Ok(Settled::Kept { blueprint: old, why });
        }
        let judgement = self.judge(&old, &text.blueprint).await?;
        let (strictness, beside) = self.strictness(how).await?;
        if let Some(why) = judgement.refusal(strictness) {
            let way_out = if judgement.objections.is_empty() { beside } else { "" };
            return Ok(Settled::Refused(format!("{why}; version {after} of the blueprint stays in force{way_out}")));
        }
        Ok(Settled::New(Ticket { text, after, judgement }))
    }

    /// Why the file is not to be applied, if it says what somebody went a step back from.
    async fn undone(&self, version: &Version, text: &Text) -> Result<Option<String>> {
        let Some(undone) = version.undoes else { return Ok(None) };
        let read = move |tx: &mut store::Tx<'_>| sql::get(tx, undone);
        let Some((before, kept)) = self.store.read(Scope::system("products"), read).await? else { return Ok(None) };
        let same = before.hash == text.hash() || parsed(&before, &kept).is_some_and(|old| text.means(&old));
        let Version { number, applied_by, applied_at, .. } = version;
        Ok(same.then(|| {
            format!(
                "the file says what version {undone} said, from which {applied_by} went a step back at {applied_at}; version {number} is served. \
                 Change the file to apply something else, or go a step back again with: tradewind blueprint rollback"
            )
        }))
    }

    /// How strict to be, and what to add where that is the only obstacle.
    async fn strictness(&self, how: How) -> Result<(Strictness, &'static str)> {
        if how != How::Start {
            return Ok((Strictness::Promises, "; restart the server to apply it all the same"));
        }
        // One server alone holds the files of SQLite.
        if self.store.engine() == Engine::Sqlite {
            return Ok((Strictness::Data, ""));
        }
        let alive = self.store.read(Scope::system("products"), sql::live_servers).await?;
        if alive == 0 {
            return Ok((Strictness::Data, ""));
        }
        let way_out = " and is served by others. Give this server the same file; or stop the others first to apply it all the same";
        Ok((Strictness::Promises, way_out))
    }
}
