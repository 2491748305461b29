//! Why a function did not give a result.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The source cannot be read.
    Syntax,
    /// The function threw.
    Thrown,
    /// It took too long.
    Time,
    /// It took too much memory.
    Memory,
    /// Its result is too large.
    Output,
    /// It is no function, or its result is not what is asked for.
    Shape,
    /// It could not be run: our fault, not its.
    Unavailable,
}

/// A function's fault, for its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// What happened, for people; at most some hundred characters.
    pub message: String,
    /// Where in the source, from 1, if that is known.
    #[serde(default)]
    pub line: Option<u32>,
    /// Where in the line, from 1, if that is known.
    #[serde(default)]
    pub column: Option<u32>,
}

impl Fault {
    /// A fault without a place.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), line: None, column: None }
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(FaultKind::Unavailable, "functions cannot be run at the moment")
    }

    pub(crate) fn time() -> Self {
        let limit = crate::TIME_LIMIT.as_millis();
        Self::new(FaultKind::Time, format!("the function took more than {limit} ms of processor time and was stopped"))
    }

    pub(crate) fn memory() -> Self {
        let limit = crate::MEMORY_LIMIT / (1024 * 1024);
        Self::new(FaultKind::Memory, format!("the function took more than {limit} MB of memory and was stopped"))
    }

    pub(crate) fn output() -> Self {
        let limit = crate::MAX_OUTPUT / 1024;
        Self::new(FaultKind::Output, format!("the function's result is larger than {limit} KB"))
    }

    /// Whether the engine that it happened in can be trusted to be as it was.
    pub(crate) fn is_breach(&self) -> bool {
        matches!(self.kind, FaultKind::Time | FaultKind::Memory | FaultKind::Output)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " (line {line}, column {column})"),
            (Some(line), None) => write!(f, " (line {line})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
