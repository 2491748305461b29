//! Which types of event a webhook listens to: `lead.created`, `lead.*`, `*`.

use std::fmt;

use blueprint::Blueprint;
use kernel::{Error, EventType, Result};

/// One entry of `events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This type.
    Exact(EventType),
    /// Every type below these words; kept with its last dot: `lead.`.
    Below(String),
    /// Every type.
    All,
}

impl Pattern {
    /// Reads an entry. It need not match anything declared.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        match text.strip_suffix(".*") {
            Some(words) => words.parse::<EventType>().ok().map(|_| Self::Below(format!("{words}."))),
            None => text.parse().ok().map(Self::Exact),
        }
    }

    /// Whether it matches `event_type`.
    pub fn matches(&self, event_type: &str) -> bool {
        match self {
            Self::Exact(own) => own.as_str() == event_type,
            Self::Below(words) => event_type.starts_with(words.as_str()),
            Self::All => true,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(event_type) => event_type.fmt(f),
            Self::Below(words) => write!(f, "{words}*"),
            Self::All => f.write_str("*"),
        }
    }
}

/// Most entries of `events`.
const MAX_PATTERNS: usize = 100;

/// Reads `events`: at least one, each once, exact names declared (or `inbound.…`).
///
/// Errors: 422 `unknown_event_type`, 422 `validation_failed`.
pub(crate) fn parse_all(texts: &[String], blueprint: &Blueprint) -> Result<Vec<Pattern>> {
    if texts.is_empty() || texts.len() > MAX_PATTERNS {
        return Err(Error::field("/events", format!("must have 1 to {MAX_PATTERNS} items, has {}", texts.len())));
    }
    let mut patterns = Vec::with_capacity(texts.len());
    for (n, text) in texts.iter().enumerate() {
        let at = format!("/events/{n}");
        let pattern = Pattern::parse(text).ok_or_else(|| Error::field(&at, "must be an event type, or words and .*, or *"))?;
        if let Pattern::Exact(name) = &pattern
            && blueprint.event(name.as_str()).is_none()
            && !name.as_str().starts_with("inbound.")
        {
            return Err(Error::invalid("unknown_event_type", "There is no such event type; see errors.")
                .at(at, format!("{name} is not a declared event type; GET /api/v1/webhook-events lists them")));
        }
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn matching_table() {
        for (pattern, event_type, expected) in [
            ("lead.created", "lead.created", true),
            ("lead.created", "lead.created.twice", false),
            ("lead.*", "lead.created", true),
            ("lead.*", "lead.created.twice", true),
            ("lead.*", "lead", false),
            ("lead.*", "leads.created", false),
            ("lead.created.*", "lead.created", false),
            ("inbound.github.*", "inbound.github.push", true),
            ("*", "anything.at-all", true),
        ] {
            let read = Pattern::parse(pattern).unwrap();
            assert_eq!(read.matches(event_type), expected, "{pattern} {event_type}");
            assert_eq!(read.to_string(), pattern);
        }
    }

    #[test]
    fn other_wildcards_are_no_patterns() {
        for bad in ["", "lead*", "*.created", "lead.*.created", "**", ".*", "lead..*", "lead created"] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }
}
