//! Records out of HubSpot's answers, read straight from the bytes: of the properties only those that were asked for, without a tree of values
//! in between. A load reads millions.

use std::borrow::Cow;
use std::fmt;

use kernel::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{associations, objects};
use crate::driver::Each;
use crate::{Fault, RemoteRecord, times};

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) record: RemoteRecord,
    /// The records that were merged into this one, as `hs_merged_object_ids` says.
    pub(super) merged: Vec<String>,
    /// Which item of a batch it answers.
    pub(super) trace: Option<String>,
    /// When it was archived.
    pub(super) archived_at: Option<Timestamp>,
}

/// An answer with rows: of a list, a search, a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Listing {
    pub(super) rows: Vec<Row>,
    /// HubSpot's token of the next page.
    pub(super) after: Option<String>,
    /// How many a search found in all.
    pub(super) total: Option<u64>,
    /// The errors of a batch.
    pub(super) errors: Vec<Value>,
}

/// What is kept of a row.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'f> {
    sorted: Vec<&'f str>,
}

impl<'f> Wanted<'f> {
    /// These fields.
    pub(super) fn new(fields: impl IntoIterator<Item = &'f str>) -> Self {
        let mut sorted: Vec<_> = fields.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted }
    }

    fn has(&self, name: &str) -> bool {
        self.sorted.binary_search(&name).is_ok()
    }
}

/// Reads an answer. Errors: [`Fault::Unavailable`] for one that is none of HubSpot's; whoever wrote with it knows better.
pub(super) fn listing(body: &[u8], wanted: &Wanted<'_>) -> Result<Listing, Fault> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = ListingSeed(wanted).deserialize(&mut reader).and_then(|listing| reader.end().map(|()| listing));
    read.map_err(|error| Fault::Unavailable { message: format!("HubSpot's answer cannot be read: {error}") })
}

/// Reads one record.
pub(super) fn one(body: &[u8], wanted: &Wanted<'_>) -> Result<Row, Fault> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    RowSeed(wanted)
        .deserialize(&mut reader)
        .map_err(|error| Fault::Unavailable { message: format!("HubSpot's answer cannot be read: {error}") })
}

struct ListingSeed<'w>(&'w Wanted<'w>);

impl<'de> DeserializeSeed<'de> for ListingSeed<'_> {
    type Value = Listing;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Listing, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListingSeed<'_> {
    type Value = Listing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `results`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listing, A::Error> {
        let (mut listing, mut is_one) = (Listing::default(), false);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "results" => {
                    listing.rows = map.next_value_seed(Each { seed: RowSeed(self.0), usual: objects::BATCH })?;
                    is_one = true;
                }
                "paging" => {
                    let paging: Option<Value> = map.next_value()?;
                    let after = paging.as_ref().and_then(|paging| paging.pointer("/next/after"));
                    listing.after =
                        after.and_then(|after| after.as_str().map(str::to_owned).or_else(|| after.as_u64().map(|n| n.to_string())));
                }
                "total" => listing.total = map.next_value()?,
                "errors" => listing.errors = map.next_value::<Option<_>>()?.unwrap_or_default(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if is_one { Ok(listing) } else { Err(A::Error::missing_field("results")) }
    }
}

#[derive(Clone, Copy)]
struct RowSeed<'w>(&'w Wanted<'w>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let (mut id, mut properties, mut merged, mut linked) = (None, Map::new(), Vec::new(), None);
        let (mut modified_at, mut deleted, mut archived_at, mut trace) = (None, false, None, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "id" => id = Some(map.next_value::<Cow<'de, str>>()?.into_owned()),
                "properties" => (properties, merged) = map.next_value_seed(PropertiesSeed(self.0))?,
                "updatedAt" => modified_at = map.next_value::<Option<Cow<'de, str>>>()?.and_then(|text| times::parse(&text)),
                "archived" => deleted = map.next_value::<Option<bool>>()?.unwrap_or_default(),
                "archivedAt" => archived_at = map.next_value::<Option<Cow<'de, str>>>()?.and_then(|text| times::parse(&text)),
                "objectWriteTraceId" => trace = map.next_value::<Option<String>>()?,
                "associations" => linked = map.next_value::<Option<Value>>()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let id = id.ok_or_else(|| A::Error::missing_field("id"))?;
        for name in self.0.sorted.iter().filter(|name| associations::target(name).is_some()) {
            associations::put(&mut properties, name, linked.as_ref());
        }
        let record = RemoteRecord { id, fields: properties, modified_at, deleted, merged_into: None };
        Ok(Row { record, merged, trace, archived_at })
    }
}

struct PropertiesSeed<'w>(&'w Wanted<'w>);

impl<'de> DeserializeSeed<'de> for PropertiesSeed<'_> {
    type Value = (Map<String, Value>, Vec<String>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PropertiesSeed<'_> {
    type Value = (Map<String, Value>, Vec<String>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kept, mut merged) = (Map::with_capacity(self.0.sorted.len()), Vec::new());
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_wanted = self.0.has(&key);
            if key == MERGED {
                let value: Option<Cow<'de, str>> = map.next_value()?;
                merged = value.iter().flat_map(|text| text.split(';')).filter(|id| !id.is_empty()).map(str::to_owned).collect();
                if is_wanted {
                    kept.insert(
                        key.into_owned(),
                        value.filter(|text| !text.is_empty()).map_or(Value::Null, |text| Value::String(text.into_owned())),
                    );
                }
            } else if is_wanted {
                // HubSpot has no empty values, only none.
                let value: Value = map.next_value()?;
                kept.insert(key.into_owned(), if value == "" { Value::Null } else { value });
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok((kept, merged))
    }
}

/// The property that names the records that were merged into one.
pub(super) const MERGED: &str = "hs_merged_object_ids";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_asked_for_is_kept() {
        let body = json!({"total": 3, "results": [{
            "id": "101", "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-31T12:00:00.000Z", "archived": false, "url": "x",
            "properties": {"email": "a@b.co", "firstname": null, "lastname": "", "createdate": "x", "hs_merged_object_ids": "7;8"},
            "associations": {"companies": {"results": [{"id": "12", "type": "contact_to_company"}]}},
        }], "paging": {"next": {"after": "101", "link": "x"}}});
        let wanted = Wanted::new(["firstname", "email", "lastname", "phone", "associations.companies", "associations.deals"]);
        let listing = listing(body.to_string().as_bytes(), &wanted).unwrap();
        assert_eq!((listing.after.as_deref(), listing.total, listing.rows.len()), (Some("101"), Some(3), 1));
        let Row { record, merged, .. } = &listing.rows[0];
        assert_eq!(merged, &["7", "8"]);
        assert_eq!((record.id.as_str(), record.modified_at.map(Timestamp::millis)), ("101", Some(1_769_860_800_000)));
        let expected =
            json!({"email": "a@b.co", "firstname": null, "lastname": null, "associations.companies": "12", "associations.deals": null});
        assert_eq!(Value::Object(record.fields.clone()), expected);
    }

    #[test]
    fn what_is_no_listing_is_an_answer_that_did_not_come() {
        for body in
            ["", "{}", "[]", "<html>", r#"{"results": [{"properties": {}}]}"#, r#"{"results": []} x"#, r#"{"results": [{"id": 5}]}"#]
        {
            assert!(matches!(listing(body.as_bytes(), &Wanted::new([])), Err(Fault::Unavailable { .. })), "{body}");
        }
        assert_eq!(listing(br#"{"results": [], "paging": null}"#, &Wanted::new([])).unwrap(), Listing::default());
        assert_eq!(one(br#"{"id": "5"}"#, &Wanted::new([])).unwrap().record.id, "5");
    }
}
