//! A bit for each value that a block has: what has none of the bits looked for is not in it. The opposite does not follow.

/// The bits are kept in 63, so that they are a number that is not negative on both engines. The hash is part of what is stored.
const BITS: u32 = 63;

/// The marks of a block, or of what is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Of clients and keys.
    pub(crate) subjects: i64,
    /// Of methods, endpoints, statuses, error codes and environments.
    pub(crate) kinds: i64,
}

impl Marks {
    pub(crate) fn add(&mut self, other: Self) {
        self.subjects |= other.subjects;
        self.kinds |= other.kinds;
    }
}

fn bit(bytes: &[u8]) -> i64 {
    1 << (crc32fast::hash(bytes) % BITS)
}

/// Of a client or a key.
pub(crate) fn of_id(id: [u8; 16]) -> i64 {
    bit(&id)
}

/// Of a method, an endpoint, an error code or an environment.
pub(crate) fn of_text(text: &str) -> i64 {
    bit(text.as_bytes())
}

/// Of a status and of its class.
pub(crate) fn of_status(status: u16) -> i64 {
    bit(&status.to_be_bytes()) | of_class(status)
}

/// Of a status' class alone.
pub(crate) fn of_class(status: u16) -> i64 {
    bit(&[u8::try_from(status / 100).unwrap_or(0)])
}
