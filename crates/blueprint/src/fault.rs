//! What is wrong with a blueprint file, or another one that people write, for the person who wrote it.

use std::fmt;

/// Most faults that are reported; the rest is counted.
const MOST: usize = 100;

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `endpoints[3].scope`, counted from 0. Empty: the whole file.
    pub path: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The column, counted from 1 in characters, where it is known.
    pub column: Option<usize>,
    /// What is wrong, without the place.
    pub message: String,
    /// What was probably meant: `leads:read`.
    pub suggestion: Option<String>,
}

impl Fault {
    /// A fault at a place.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, column: None, message: message.into(), suggestion: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            match self.column {
                Some(column) => write!(f, "line {line}, column {column}: ")?,
                None => write!(f, "line {line}: ")?,
            }
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        self.suggestion.as_ref().map_or(Ok(()), |name| write!(f, "; did you mean {name}?"))
    }
}

/// All the faults of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    what: &'static str,
    origin: String,
    faults: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(origin: &str, faults: Vec<Fault>) -> Self {
        Self::of("blueprint", origin, faults)
    }

    /// Faults of another kind of file than a blueprint; `what` is its name: `connector`. There is at least one.
    pub fn of(what: &'static str, origin: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| (fault.line.unwrap_or(usize::MAX), fault.column.unwrap_or(usize::MAX)));
        Self { what, origin: origin.to_owned(), faults }
    }

    /// Which file: the `origin` given to [`crate::parse`].
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The faults, in the order of their places. Never empty.
    pub fn list(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        write!(f, "The {} {} has {count} fault{}:", self.what, self.origin, if count == 1 { "" } else { "s" })?;
        for fault in self.faults.iter().take(MOST) {
            write!(f, "\n  {fault}")?;
        }
        if count > MOST {
            write!(f, "\n  … and {} more", count - MOST)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
