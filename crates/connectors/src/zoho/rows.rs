//! Records out of Zoho's answers, read straight from the bytes: of the fields only those that were asked for.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::dialect;
use crate::driver::{Answer, Each};
use crate::{Fault, RemoteRecord, times};

/// The field with the time of the last change.
pub(super) const MODIFIED: &str = "Modified_Time";

/// Records and what Zoho says about the page.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) records: Vec<RemoteRecord>,
    pub(super) info: Info,
}

/// Zoho's `info`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub(super) more_records: bool,
    pub(super) next_page_token: Option<String>,
}

/// Reads an answer; an empty one (204) is an empty page. Errors: what Zoho hides in a 200; [`Fault::Unavailable`] for nonsense.
pub(super) fn listing(answer: &Answer, fields: &[&str]) -> Result<Listing, Fault> {
    if answer.body.trim_ascii().is_empty() {
        return Ok(Listing::default());
    }
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let mut reader = serde_json::Deserializer::from_slice(&answer.body);
    let read = ListingSeed(&sorted).deserialize(&mut reader).and_then(|listing| reader.end().map(|()| listing));
    read.map_err(|error| match serde_json::from_slice::<Value>(&answer.body) {
        Ok(said) if said["code"].is_string() => dialect::inside(&said, true),
        _ => Fault::Unavailable { message: format!("Zoho's answer cannot be read: {error}") },
    })
}

/// A value as it is kept. Of another record (a lookup, an owner) only the id: its name may change without this record's changing, and is not
/// what one would write.
fn kept(value: Value) -> Value {
    match value {
        Value::Object(mut map) if map.contains_key("id") => {
            map.retain(|name, _| name == "id");
            Value::Object(map)
        }
        Value::String(text) if text.is_empty() => Value::Null,
        other => other,
    }
}

struct ListingSeed<'f>(&'f [&'f str]);

impl<'de> DeserializeSeed<'de> for ListingSeed<'_> {
    type Value = Listing;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listing, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListingSeed<'_> {
    type Value = Listing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listing, A::Error> {
        let (mut records, mut info) = (None, Info::default());
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "data" => records = Some(map.next_value_seed(Each { seed: RowSeed(self.0), usual: 200 })?),
                "info" => info = map.next_value::<Option<Info>>()?.unwrap_or_default(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let records = records.ok_or_else(|| A::Error::missing_field("data"))?;
        Ok(Listing { records, info })
    }
}

#[derive(Clone, Copy)]
struct RowSeed<'f>(&'f [&'f str]);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = RemoteRecord;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RemoteRecord, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = RemoteRecord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RemoteRecord, A::Error> {
        let mut record = RemoteRecord {
            id: String::new(),
            fields: Map::with_capacity(self.0.len()),
            modified_at: None,
            deleted: false,
            merged_into: None,
        };
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_wanted = self.0.binary_search(&&*key).is_ok();
            if key == "id" {
                record.id = map.next_value()?;
                if is_wanted {
                    record.fields.insert(key.into_owned(), Value::String(record.id.clone()));
                }
            } else if is_wanted || key == MODIFIED {
                let value: Value = map.next_value()?;
                if key == MODIFIED {
                    record.modified_at = value.as_str().and_then(times::parse);
                }
                if is_wanted {
                    record.fields.insert(key.into_owned(), kept(value));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if record.id.is_empty() { Err(A::Error::missing_field("id")) } else { Ok(record) }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn answer(body: &str) -> Answer {
        let at = kernel::Timestamp::from_millis(0);
        Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()), json: Value::Null, at }
    }

    #[test]
    fn what_was_asked_for_is_kept_and_of_others_the_id() {
        let body = json!({"data": [{"id": "57", "Modified_Time": "2026-01-31T13:00:00+01:00", "Email": "a@b.co", "Phone": "", "City": "x",
            "Owner": {"id": "9", "name": "Ada", "email": "x"}, "$editable": true, "No_of_Employees": 5}], "info": {"more_records": true, "next_page_token": "t"}});
        let listing = listing(&answer(&body.to_string()), &["Email", "Phone", "Owner", "No_of_Employees"]).unwrap();
        let record = &listing.records[0];
        assert_eq!((record.id.as_str(), record.modified_at.map(kernel::Timestamp::millis)), ("57", Some(1_769_860_800_000)));
        let expected = json!({"Email": "a@b.co", "Phone": null, "Owner": {"id": "9"}, "No_of_Employees": 5});
        assert_eq!(Value::Object(record.fields.clone()), expected);
        assert_eq!((listing.info.more_records, listing.info.next_page_token.as_deref()), (true, Some("t")));
    }

    #[test]
    fn an_error_in_a_good_answer_is_found() {
        let error = r#"{"code": "OAUTH_SCOPE_MISMATCH", "status": "error", "message": "no", "details": {}}"#;
        assert!(matches!(listing(&answer(error), &[]), Err(Fault::Forbidden { .. })));
        for body in ["<html>", "{}", "[]", r#"{"data": [{}]}"#, r#"{"data": [] } x"#] {
            assert!(matches!(listing(&answer(body), &[]), Err(Fault::Unavailable { .. })), "{body}");
        }
        assert!(listing(&answer(""), &[]).unwrap().records.is_empty());
    }
}
