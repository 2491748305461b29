//! A blueprint file that was read.

use std::sync::Arc;

use blueprint::{Blueprint, LoadError};

/// A blueprint and the text that says it.
#[derive(Clone)]
pub struct Text {
    /// What the text says.
    pub blueprint: Arc<Blueprint>,
    text: Arc<str>,
}

impl Text {
    /// Reads a built-in blueprint by its name, or any other by its path. Errors: those of [`blueprint::load`].
    pub fn read(name_or_path: &str) -> Result<Self, LoadError> {
        let text = blueprint::text(name_or_path)?;
        let blueprint = blueprint::parse(&text, name_or_path)?;
        Ok(Self { blueprint: Arc::new(blueprint), text: text.into() })
    }

    /// From a text that is at hand; `origin` stands in front of its faults.
    pub fn parse(text: &str, origin: &str) -> Result<Self, blueprint::Faults> {
        Ok(Self { blueprint: Arc::new(blueprint::parse(text, origin)?), text: text.into() })
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names the text, not what it means.
    pub(crate) fn hash(&self) -> String {
        blake3::hash(self.text.as_bytes()).to_hex()[..32].to_owned()
    }

    /// Whether both say the same, perhaps in other words: comments, order of members, defaults written out.
    pub fn means(&self, other: &Blueprint) -> bool {
        format!("{:?}", self.blueprint) == format!("{other:?}")
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold headers that are secrets.
        write!(f, "Text({}, {})", self.blueprint.name, self.hash())
    }
}
