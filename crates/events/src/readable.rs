//! Whether JSON can be read as values, and not only as text.
//!
//! RFC 8259 lets a text say `1e999` or `"\ud800"`, which no double and no string can hold (RFC 7493 §2 forbids both). Filters, schemas
//! and receivers read values: what they cannot read is refused when it is published, so that it is not lost on the way. It also lets an object have a member twice (RFC 7493 §2.3 forbids it): one reader takes the first, another the
//! last, and a filter that looked at one would deliver the other.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

/// Why a text cannot be read in one way only.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// An object has a member twice.
    Duplicate {
        /// Which: a pointer from the top of the text.
        pointer: String,
    },
    /// A number or a text that no value can hold.
    Value(serde_json::Error),
}

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
        let mut names = Names::default();
        while let Some(name) = members.next_key::<Name<'de>>()? {
            if names.has(&name) {
                return Err(A::Error::custom(name.text()));
            }
            names.add(name);
            members.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// A member's name: as it stands in the text, or unescaped.
enum Name<'de> {
    Borrowed(&'de str),
    Owned(Box<str>),
}

impl Name<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name::Owned(text.into()))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// How many names are compared one by one, without an allocation.
const FEW: usize = 12;

/// The names of an object so far. Nearly every object has few, none of them escaped.
#[derive(Default)]
struct Names<'de> {
    few: [&'de str; FEW],
    count: usize,
    more: Option<HashSet<Cow<'de, str>>>,
}

impl<'de> Names<'de> {
    fn has(&self, name: &Name<'de>) -> bool {
        let text = name.text();
        self.few[..self.count].contains(&text) || self.more.as_ref().is_some_and(|more| more.contains(text))
    }

    fn add(&mut self, name: Name<'de>) {
        let name = match name {
            Name::Borrowed(text) if self.count < FEW => {
                self.few[self.count] = text;
                self.count += 1;
                return;
            }
            Name::Borrowed(text) => Cow::Borrowed(text),
            Name::Owned(text) => Cow::Owned(text.into()),
        };
        self.more.get_or_insert_default().insert(name);
    }
}

/// Whether `text` is JSON that can be read, and in one way only: what a publisher may send as `data`.
pub fn is_readable(text: &str) -> bool {
    check(text).is_ok()
}

/// The pointer to a member of `text` that occurs twice in its object. `text` is JSON.
pub fn duplicate_member(text: &str) -> Option<String> {
    match check(text) {
        Err(Unreadable::Duplicate { pointer }) => Some(pointer),
        Ok(()) | Err(Unreadable::Value(_)) => None,
    }
}

/// Says what cannot be read in `text`, which is known to be JSON.
pub(crate) fn check(text: &str) -> Result<(), Unreadable> {
    match serde_json::from_str::<Readable>(text) {
        Ok(Readable) => Ok(()),
        // What we raise ourselves is about data; the parser's own faults are about syntax.
        Err(error) if error.classify() == Category::Data => Err(Unreadable::Duplicate { pointer: place(text) }),
        Err(error) => Err(Unreadable::Value(error)),
    }
}

/// Where the member stands that occurs twice. Asked for once it is known that there is one.
fn place(text: &str) -> String {
    let mut parser = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, Readable>(&mut parser) else { return String::new() };
    let token = |name: &str| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            serde_path_to_error::Segment::Seq { index } => pointer += &format!("/{index}"),
            serde_path_to_error::Segment::Map { key } => pointer += &token(key),
            _ => {}
        }
    }
    // The path leads to the object, and the message is the name; the position that serde_json adds is cut off.
    let message = error.inner().to_string();
    pointer + &token(message.rsplit_once(" at line ").map_or(message.as_str(), |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Unreadable, check};

    fn duplicate(text: &str) -> Option<String> {
        match check(text) {
            Err(Unreadable::Duplicate { pointer }) => Some(pointer),
            _ => None,
        }
    }

    #[test]
    fn finds_members_that_occur_twice() {
        for (text, pointer) in [
            (r#"{"a":1,"a":2}"#, "/a"),
            (r#"{"x":[{"a":{"b":1,"c":2,"b":[]}}]}"#, "/x/0/a/b"),
            (r#"{"a":1,"\u0061":2}"#, "/a"),
            (r#"{"\u0061":1,"a":2}"#, "/a"),
            (r#"{"":1,"":2}"#, "/"),
            (r#"{"a/b":{"a/b":1,"a/b":2}}"#, "/a~1b/a~1b"),
        ] {
            assert_eq!(duplicate(text).as_deref(), Some(pointer), "{text}");
        }
        let many: Vec<String> = (0..100).map(|n| format!("\"m{n}\":{n}")).collect();
        assert!(check(&format!("{{{}}}", many.join(","))).is_ok());
        assert_eq!(duplicate(&format!("{{{},\"m3\":0}}", many.join(","))).as_deref(), Some("/m3"));
        assert_eq!(duplicate(&format!("{{{},\"m77\":0}}", many.join(","))).as_deref(), Some("/m77"));
        assert!(check(r#"{"a":{"a":{"a":[{"a":1},{"a":1}]}}}"#).is_ok());
    }

    proptest! {
        #[test]
        fn agrees_with_a_count_of_the_names(names in prop::collection::vec("[a-d\u{e9}]{0,2}", 0..30)) {
            let members: Vec<String> = names.iter().map(|name| format!("{}:1", serde_json::Value::from(name.as_str()))).collect();
            let distinct: std::collections::HashSet<&String> = names.iter().collect();
            prop_assert_eq!(check(&format!("{{{}}}", members.join(","))).is_err(), distinct.len() < names.len());
        }
    }

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
