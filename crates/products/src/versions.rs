//! The versions that were applied.

use std::sync::Arc;

use kernel::{Error, Result, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Products, Text, sql};

/// How a version came into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A server started with it.
    Start,
    /// A running server read it.
    Reload,
    /// Somebody went one step back.
    Rollback,
}

impl How {
    /// As it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reload => "reload",
            Self::Rollback => "rollback",
        }
    }

    pub(crate) fn read(text: &str) -> Result<Self> {
        [Self::Start, Self::Reload, Self::Rollback]
            .into_iter()
            .find(|how| how.as_str() == text)
            .ok_or_else(|| Error::internal("a blueprint version was applied in an unknown way"))
    }
}

/// A blueprint that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// From 1; the highest is in force.
    pub number: i64,
    /// The blueprint's name.
    pub name: String,
    /// Names its text.
    pub hash: String,
    /// How it came into force.
    pub how: How,
    /// Who applied it: a server, or a person at the command line.
    pub applied_by: String,
    /// When.
    pub applied_at: Timestamp,
    /// What was said about it.
    pub note: Option<String>,
    /// The version whose text it has again.
    pub restores: Option<i64>,
    /// The version that it took the place of in a step back.
    pub undoes: Option<i64>,
}

impl Products {
    /// Every version that is kept, the newest first.
    pub async fn versions(&self) -> Result<Vec<Version>> {
        self.store.read(Scope::system("products"), sql::all).await
    }

    /// The version that is in force, and its text. None: nothing was applied yet.
    pub async fn in_force(&self) -> Result<Option<(Version, String)>> {
        self.store.read(Scope::system("products"), sql::latest).await
    }

    /// The blueprint that is in force. None: there is none yet, or the present program cannot read it any more.
    pub async fn blueprint(&self) -> Result<Option<Arc<blueprint::Blueprint>>> {
        Ok(self.in_force().await?.and_then(|(version, text)| parsed(&version, &text)))
    }

    /// The text of a version. Error: 404.
    pub async fn text(&self, number: i64) -> Result<String> {
        let read = move |tx: &mut store::Tx<'_>| sql::get(tx, number);
        let found = self.store.read(Scope::system("products"), read).await?;
        found.map(|(_, text)| text).ok_or_else(|| Error::not_found("blueprint version"))
    }
}

/// A kept text as the present program reads it. None, and a warning: it does not; the language has changed since.
pub(crate) fn parsed(version: &Version, text: &str) -> Option<Arc<blueprint::Blueprint>> {
    match Text::parse(text, &format!("version {}", version.number)) {
        Ok(text) => Some(text.blueprint),
        Err(faults) => {
            tracing::warn!(version = version.number, %faults, "the blueprint that was applied last cannot be read any more: nothing is compared");
            None
        }
    }
}
