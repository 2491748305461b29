//! Whether JSON can be read as values, and not only as text.
//!
//! RFC 8259 lets a text say `1e999` or `"\ud800"`, which no double and no string can hold (RFC 7493 §2 forbids both). Filters, schemas
//! and receivers read values: what they cannot read is refused when it is published, so that it is not lost on the way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Reads everything and keeps nothing.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<KeyText, Self>()?.is_some() {}
        Ok(self)
    }
}

/// A member's name, which must be readable too.
struct KeyText;

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Readable).map(|_| Self)
    }
}

/// Says what cannot be read in `text`, which is known to be JSON.
pub(crate) fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<Readable>(text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn reads_values_and_refuses_what_none_can_hold() {
        for good in ["1", "-0.5e300", "123456789012345678901234567890", r#""\ud83d\ude00""#, r#"{"a":[null,true,{"b":""}]}"#] {
            assert!(check(good).is_ok(), "{good}");
            assert!(serde_json::from_str::<serde_json::Value>(good).is_ok(), "{good}");
        }
        for bad in ["1e999", "[-1e400]", r#""\ud800""#, r#"{"\udc00":1}"#, r#"{"a":{"b":["\ud800x"]}}"#] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
