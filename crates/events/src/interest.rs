//! Which events a reader wants to see, and which it may.

use std::fmt::Write as _;

use kernel::{Caller, ClientId, Error, Result};
use store::Value;

use crate::Pattern;

/// Most patterns of one reader.
const MAX_PATTERNS: usize = 100;

/// Types, and the client whose credential reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interest {
    /// Empty: every type.
    types: Vec<Pattern>,
    /// A client sees what is addressed to everyone or to itself, as its webhooks do.
    client: Option<ClientId>,
}

impl Interest {
    /// From `eventTypes`: exact types, `lead.*` or `*`, separated by commas. Error: 422 at `/eventTypes`.
    pub(crate) fn new(caller: &Caller, event_types: Option<&str>) -> Result<Self> {
        let mut types = Vec::new();
        for text in event_types.unwrap_or("*").split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let bad = || Error::field("/eventTypes", format!("{text:?} must be an event type, or words and .*, or *"));
            types.push(Pattern::parse(text).ok_or_else(bad)?);
        }
        if types.is_empty() || types.len() > MAX_PATTERNS {
            return Err(Error::field("/eventTypes", format!("must have 1 to {MAX_PATTERNS} items")));
        }
        if types.contains(&Pattern::All) {
            types.clear();
        }
        Ok(Self { types, client: caller.client() })
    }

    /// Whether some events may be passed over.
    pub(crate) fn is_narrow(&self) -> bool {
        !self.types.is_empty() || self.client.is_some()
    }

    /// The same as SQL on `events e`; adds its parameters to those that are there.
    pub(crate) fn conditions(&self, params: &mut Vec<Value>) -> String {
        let mut place = |value: Value| {
            params.push(value);
            params.len()
        };
        let mut sql = String::new();
        for (at, types) in self.types.iter().enumerate() {
            sql.push_str(if at == 0 { " AND (" } else { " OR " });
            // Writing to a String cannot fail.
            let _ = match types {
                Pattern::Exact(name) => write!(sql, "e.event_type = ?{}", place(name.into())),
                Pattern::Below(words) => {
                    // The next character after the dot is the slash.
                    let end = format!("{}/", words.trim_end_matches('.'));
                    let (from, to) = (place(words.into()), place(end.into()));
                    write!(sql, "(e.event_type >= ?{from} AND e.event_type < ?{to})")
                }
                Pattern::All => write!(sql, "1 = 1"),
            };
        }
        if !self.types.is_empty() {
            sql.push(')');
        }
        if let Some(client) = self.client {
            let _ = write!(sql, " AND (e.client_id IS NULL OR e.client_id = ?{})", place(client.into()));
        }
        sql
    }
}
