//! Which types of event somebody listens to: `lead.created`, `lead.*`, `*`.

use std::fmt;

use kernel::EventType;

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
