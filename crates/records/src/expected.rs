//! Optimistic locking: a change that is to happen only if the record is what the caller has seen (RFC 9110 §13).

use kernel::{Error, Kind, RecordId, Result};

use crate::Records;
use crate::records::Record;

/// What a record must be for a change to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    #[default]
    Anything,
    /// There (`If-Match: *`).
    Present,
    /// Not there (`If-None-Match: *`): only an upsert can be meant.
    Absent,
    /// One of these versions (`If-Match: "rec_….7"`); none of them: never.
    Versions(Vec<(RecordId, i64)>),
}

/// Most entity tags of one header.
const MOST_TAGS: usize = 50;

impl Record {
    /// Its entity tag, with the quotation marks: its id and version. A version is never used twice.
    pub fn etag(&self) -> String {
        format!("\"{}.{}\"", self.id, self.revision)
    }
}

impl Expected {
    /// From the value of `If-Match`. Tags that are none of ours, and weak ones, match nothing.
    ///
    /// Error: 400 `malformed_condition`, for what is no list of entity tags.
    pub fn if_match(text: &str) -> Result<Self> {
        if text.trim() == "*" {
            return Ok(Self::Present);
        }
        Ok(Self::Versions(tags(text)?.into_iter().filter_map(|(is_weak, tag)| if is_weak { None } else { version(tag) }).collect()))
    }

    /// Whether the value of `If-None-Match` names this record's version: then the caller has it. Error: 400 `malformed_condition`.
    pub fn is_known(text: &str, record: &Record) -> Result<bool> {
        if text.trim() == "*" {
            return Ok(true);
        }
        Ok(tags(text)?.into_iter().any(|(_, tag)| version(tag) == Some((record.id, record.revision))))
    }

    /// Of a record that is there. Error: 412 `precondition_failed`.
    pub(crate) fn check(&self, record: &Record) -> Result<()> {
        match self {
            Self::Anything | Self::Present => Ok(()),
            Self::Versions(versions) if versions.contains(&(record.id, record.revision)) => Ok(()),
            Self::Versions(_) => Err(failed(format!(
                "The record has changed since you read it: its ETag is {} now. Read it again, and send that in If-Match.",
                record.etag()
            ))),
            Self::Absent => Err(failed("There is a record with this id already. Leave If-None-Match out to change it.".to_owned())),
        }
    }

    /// Of a record that is not there and would be created. Error: 412 `precondition_failed`.
    pub(crate) fn check_absent(&self) -> Result<()> {
        match self {
            Self::Anything | Self::Absent => Ok(()),
            Self::Present | Self::Versions(_) => Err(failed("There is no such record. Leave If-Match out to create it.".to_owned())),
        }
    }
}

fn failed(detail: String) -> Error {
    Error::new(Kind::PreconditionFailed, "precondition_failed", detail)
}

/// The tags of a header, each with whether it is weak.
fn tags(text: &str) -> Result<Vec<(bool, &str)>> {
    let fault = || {
        let detail = "If-Match and If-None-Match take * or entity tags in quotation marks, as ETag gave them, separated by commas.";
        Error::malformed("malformed_condition", detail)
    };
    let mut out = Vec::new();
    // Our tags have no comma; one of somebody else's that has one matches nothing either way.
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (is_weak, rest) = part.strip_prefix("W/").map_or((false, part), |rest| (true, rest));
        let tag = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|tag| !tag.contains('"'));
        out.push((is_weak, tag.ok_or_else(fault)?));
    }
    if out.is_empty() || out.len() > MOST_TAGS { Err(fault()) } else { Ok(out) }
}

fn version(tag: &str) -> Option<(RecordId, i64)> {
    let (id, revision) = tag.split_once('.')?;
    Some((id.parse().ok()?, revision.parse().ok()?))
}

impl Records {
    /// The same records; what is changed through this handle happens only if the record is what is expected.
    #[must_use]
    pub fn expecting(&self, expected: Expected) -> Self {
        Self { expected, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_headers() {
        let id: RecordId = "rec_01jd3m9x7efd2v5k8q0r4tnwye".parse().unwrap();
        assert_eq!(Expected::if_match(" * ").unwrap(), Expected::Present);
        let text = format!("\"{id}.7\", W/\"{id}.8\" ,\"else\"");
        assert_eq!(Expected::if_match(&text).unwrap(), Expected::Versions(vec![(id, 7)]));
        for bad in ["", ",", "7", "\"a", "a\"", "\"a\"b\"", &"\"a\",".repeat(51)] {
            assert_eq!(Expected::if_match(bad).unwrap_err().code(), "malformed_condition", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[ \"W/*a-z0-9.,_]{0,60}") {
            let _ = Expected::if_match(&text);
        }
    }
}
