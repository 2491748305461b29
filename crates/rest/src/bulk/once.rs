//! `Idempotency-Key` of an import. Its body is not held, so it is not one thing that is done once: each part of a hundred lines is, with a slot of
//! its own in the transaction of its records. Sent again, the parts that were stored answer as they did, and the others are stored now: an import
//! that was cut off goes on where it stood.

use http::request::Parts;
use kernel::{Error, RequestSlot, Result, TenantScope};

/// The header, and what the documents say of it.
pub(crate) const KEY: (&str, &str) = (
    "Idempotency-Key",
    "The same lines with the same key are imported once: an import that was cut off goes on where it stood, and one that ended is told again",
);
/// Longest key in characters.
const MAX_KEY: usize = 255;

/// The key of an import, and what the request says beside its lines.
pub(crate) struct Once {
    key: String,
    about: blake3::Hasher,
}

impl Once {
    /// None: the request has no key. Error: 400 `invalid_idempotency_key`.
    pub(crate) fn of(head: &Parts) -> Result<Option<Self>> {
        let Some(value) = head.headers.get(KEY.0) else { return Ok(None) };
        let fits = |text: &&str| (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        let key = value.to_str().ok().filter(fits);
        let key =
            key.ok_or_else(|| Error::malformed("invalid_idempotency_key", "An idempotency key has 1 to 255 printable ASCII characters."))?;
        let mut about = blake3::Hasher::new();
        for part in [head.method.as_str(), head.uri.path(), head.uri.query().unwrap_or_default()] {
            add(&mut about, part);
        }
        Ok(Some(Self { key: key.to_owned(), about }))
    }

    /// What all parts depend on: the columns of a CSV.
    pub(crate) fn also(&mut self, text: &str) {
        add(&mut self.about, text);
    }

    /// The authority for one part, with its slot. `lines`: as they were sent.
    pub(crate) fn part(&self, scope: &TenantScope, number: usize, lines: &Fingerprint) -> TenantScope {
        let mut whole = self.about.clone();
        add(&mut whole, &number.to_string());
        whole.update(lines.0.finalize().as_bytes());
        // No key of a caller has a line break: a part's slot is nobody else's.
        let slot = RequestSlot::new(format!("{}\n{number}", self.key), scope.key_owner(), *whole.finalize().as_bytes());
        scope.with_slot(slot)
    }
}

/// Lines, as they were sent.
#[derive(Default)]
pub(crate) struct Fingerprint(blake3::Hasher);

impl Fingerprint {
    pub(crate) fn add(&mut self, line: &str) {
        add(&mut self.0, line);
    }
}

fn add(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}
