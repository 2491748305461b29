//! Cursors and tokens of pages as texts that say everything, for connectors whose vendors tell time by themselves: a cursor is a mark and
//! milliseconds, a token the JSON of a place.

use kernel::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Fault;

/// A token's text. The place must be of numbers, texts and what is made of them.
pub(crate) fn token(place: &impl Serialize) -> String {
    serde_json::to_string(place).expect("numbers and texts are JSON")
}

/// Reads a token. Errors: [`Fault::Stale`] for a text that is none.
pub(crate) fn read_token<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::stale("The page's token is none of this connector's."))
}

/// A cursor's text; `mark` is the connector's own: `hs1:`.
pub(crate) fn cursor(mark: &str, from: Timestamp) -> String {
    format!("{mark}{}", from.millis())
}

/// Reads a cursor. Errors: [`Fault::Stale`] for a text that is none.
pub(crate) fn read_cursor(mark: &str, text: &str) -> Result<Timestamp, Fault> {
    let ms = text.strip_prefix(mark).and_then(|ms| ms.parse().ok());
    ms.map(Timestamp::from_millis).ok_or_else(|| Fault::stale("The cursor is none of this connector's."))
}
