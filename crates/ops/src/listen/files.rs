//! Deliveries as files: plain JSON, to look at, to change and to send again.

use std::collections::BTreeMap;
use std::path::Path;

use http::HeaderMap;
use kernel::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// A delivery as it was forwarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// The event's id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it was forwarded first.
    pub forwarded_at: Timestamp,
    /// As they were sent, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Byte for byte.
    pub body: String,
}

impl Recording {
    pub(super) fn new(id: &str, event_type: &str, at: Timestamp, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            id: id.to_owned(),
            event_type: event_type.to_owned(),
            forwarded_at: at,
            headers: headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// Sorts by time; an id's colon is no good in every file system.
    fn name(&self) -> String {
        format!("{:015}-{}.json", self.forwarded_at.millis(), self.id.replace(':', "_"))
    }
}

/// Writes one into `dir`, which is made if it is not there.
pub(super) fn write(dir: &Path, recording: &Recording) -> Result<()> {
    let text = serde_json::to_string_pretty(recording).map_err(Error::internal)?;
    let path = dir.join(recording.name());
    std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&path, text + "\n")).map_err(|error| unusable(&path, &error))
}

/// Reads a file, or every `.json` file of a directory in the order of the names.
pub(super) fn read(from: &Path) -> Result<Vec<Recording>> {
    let mut paths = vec![from.to_owned()];
    if from.is_dir() {
        let entries = std::fs::read_dir(from).map_err(|error| unusable(from, &error))?;
        paths =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<_>>().map_err(|error| unusable(from, &error))?;
        paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
        paths.sort();
    }
    paths.iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &Path) -> Result<Recording> {
    let text = std::fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    let fault = |error| Error::invalid("unreadable_recording", format!("{} is not a recorded delivery: {error}", path.display()));
    serde_json::from_str(&text).map_err(fault)
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid("unusable_file", format!("{}: {error}", path.display()))
}
