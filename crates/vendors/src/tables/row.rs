//! One row.

use super::Fields;

/// How a row went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Into the bin, from which it may come back.
    Bin,
    /// For good.
    Purged,
    /// It was merged into this one.
    Merged(u64),
}

/// That a row is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// When, in milliseconds.
    pub at: i64,
    /// How.
    pub how: How,
}

/// What a row was from some time on.
#[derive(Clone, Debug)]
pub struct Version<V> {
    /// Its fields.
    pub fields: Fields<V>,
    /// When they became so, in milliseconds.
    pub changed_at: i64,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row<V> {
    /// Its number within the table.
    pub id: u64,
    /// Its fields.
    pub fields: Fields<V>,
    /// When it was made, in milliseconds.
    pub created_at: i64,
    /// When it was last changed, in milliseconds.
    pub changed_at: i64,
    /// Whether and how it is gone.
    pub gone: Option<Gone>,
    /// The user that changed it last.
    pub changed_by: u64,
    /// From when on search sees the row as it is now, in milliseconds; before that it sees [`Row::before`].
    pub indexed_at: i64,
    /// What search sees until then; nothing, if the row is new.
    pub before: Option<Box<Version<V>>>,
}

impl<V> Row<V> {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.fields.get(name)
    }

    /// What search sees of it at `now`: fields and the time of the change.
    pub fn searched(&self, now: i64) -> Option<(&Fields<V>, i64)> {
        if now >= self.indexed_at {
            return Some((&self.fields, self.changed_at));
        }
        self.before.as_deref().map(|before| (&before.fields, before.changed_at))
    }
}
