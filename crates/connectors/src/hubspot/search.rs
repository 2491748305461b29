//! Searching in the order of ids.
//!
//! A search reaches 10,000 rows by its own paging, and rows that share one time of change cannot be told apart by that time. So each page asks
//! anew for ids beyond the last one that was seen: that passes the ceiling and any number of equal times.

use kernel::Timestamp;
use serde_json::{Value, json};

use super::dialect::Speech;
use super::objects;
use super::rows::{self, Listing, Wanted};
use super::settings::Settings;
use super::values::told;
use crate::driver::Answer;
use crate::{Call, Fault, Session, driver};

/// Rows of a page, HubSpot's most.
pub(super) const PAGE: usize = 200;
/// Values of one field that a filter may name: HubSpot's most groups.
const GROUPS: usize = 5;
/// Filters of a group and in all.
const FILTERS: (usize, usize) = (10, 25);

/// What is searched for.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    groups: Vec<Vec<Value>>,
}

fn filter(property: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"propertyName": property, "operator": operator, "value": value.into()})
}

impl Search {
    /// By an object of property and value. Several values of one property (at most five) mean any of them; `null` means none.
    ///
    /// Errors: [`Fault::Refused`] for more than HubSpot can filter by.
    pub(super) fn by(given: Option<&Value>) -> Result<Self, Fault> {
        let mut groups = vec![Vec::new()];
        for (property, value) in given.and_then(Value::as_object).into_iter().flatten() {
            let values = value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
            let one = |value: &Value| match value {
                Value::Null => json!({"propertyName": property, "operator": "NOT_HAS_PROPERTY"}),
                value => filter(property, "EQ", told(value)),
            };
            groups = groups
                .iter()
                .flat_map(|group: &Vec<Value>| {
                    values.iter().map(|value| {
                        let mut group = group.clone();
                        group.push(one(value));
                        group
                    })
                })
                .collect();
            if groups.is_empty() || groups.len() > GROUPS {
                let message = format!("A filter of HubSpot names 1 to {GROUPS} values in all.");
                return Err(Fault::Refused { code: "filter_too_large".to_owned(), message, field: Some(property.clone()) });
            }
        }
        // Two more come to each group: the time and the id.
        if groups[0].len() + 2 > FILTERS.0 || (groups[0].len() + 2) * groups.len() > FILTERS.1 {
            let message = "HubSpot cannot filter by so many properties.".to_owned();
            return Err(Fault::Refused { code: "filter_too_large".to_owned(), message, field: None });
        }
        Ok(Self { groups })
    }

    /// And one of these values. HubSpot compares the values of an `IN` with texts in lower case, and with options as they are.
    #[must_use]
    pub(super) fn any(mut self, property: &str, values: &[String]) -> Self {
        if let [value] = values {
            return self.and(property, "EQ", Some(value.clone()));
        }
        let mut all: Vec<String> = values.iter().flat_map(|value| [value.clone(), value.to_lowercase()]).collect();
        all.sort_unstable();
        all.dedup();
        let one = json!({"propertyName": property, "operator": "IN", "values": all});
        self.groups.iter_mut().for_each(|group| group.push(one.clone()));
        self
    }

    /// And this holds.
    #[must_use]
    pub(super) fn and(mut self, property: &str, operator: &str, value: Option<String>) -> Self {
        let one = value.map_or_else(|| json!({"propertyName": property, "operator": operator}), |value| filter(property, operator, value));
        self.groups.iter_mut().for_each(|group| group.push(one.clone()));
        self
    }

    fn body(&self, fields: &[&str], limit: usize) -> Value {
        let groups: Vec<_> = self.groups.iter().filter(|group| !group.is_empty()).map(|group| json!({"filters": group})).collect();
        let sorts = json!([{"propertyName": "hs_object_id", "direction": "ASCENDING"}]);
        json!({"filterGroups": groups, "sorts": sorts, "properties": fields, "limit": limit})
    }

    /// The first rows, in the order of ids.
    pub(super) async fn first(&self, session: &Session, object: &str, fields: &[&str], limit: usize) -> Result<Listing, Fault> {
        self.ask(session, object, fields, limit).await.map(|(listing, _)| listing)
    }

    /// A page of them, and the answer that it came with.
    pub(super) async fn page(&self, session: &Session, object: &str, fields: &[&str]) -> Result<(Listing, Answer), Fault> {
        self.ask(session, object, fields, PAGE).await
    }

    async fn ask(&self, session: &Session, object: &str, fields: &[&str], limit: usize) -> Result<(Listing, Answer), Fault> {
        let settings = Settings::of(session)?;
        let call = Call::post(settings.objects(object, &["search"])?, self.body(fields, limit)).repeatable(true);
        let answer = driver::fetch(session, &Speech::of(&settings), call).await?;
        let listing = rows::listing(&answer.body, &Wanted::new(fields.iter().copied()))?;
        Ok((listing, answer))
    }
}

/// The largest id of some rows, which must lie beyond `last`. Errors: [`Fault::Unavailable`], so that nothing goes round for ever.
pub(super) fn furthest(listing: &Listing, last: u64) -> Result<u64, Fault> {
    let furthest = listing.rows.iter().filter_map(|row| row.record.id.parse().ok()).max();
    furthest
        .filter(|id| *id > last)
        .ok_or_else(|| Fault::Unavailable { message: "HubSpot's search does not go on: it repeats ids.".to_owned() })
}

/// How many records there are, as the search knows. `None`: it does not say.
pub(super) async fn total(session: &Session, object: &str) -> Option<u64> {
    Search { groups: Vec::new() }.first(session, object, &["hs_object_id"], 1).await.ok()?.total
}

/// Whether paging by ids has come to the end.
pub(super) fn is_last(listing: &Listing) -> bool {
    listing.rows.is_empty() || (listing.after.is_none() && listing.rows.len() < PAGE)
}

/// The fields of a search: properties only, since associations are asked for apart.
pub(super) fn properties(fields: &[String]) -> Vec<&str> {
    fields.iter().map(String::as_str).filter(|name| super::associations::target(name).is_none()).collect()
}

/// That an object changed at that time or later.
pub(super) fn changed_since(search: Search, object: &str, from: Timestamp) -> Search {
    search.and(objects::modified(object), "GTE", Some(from.millis().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_all_of_its_fields_and_any_of_their_values() {
        let search =
            Search::by(Some(&json!({"city": ["Berlin", "Wien"], "score": 5, "phone": null}))).unwrap().and("x", "GT", Some("1".into()));
        let body = search.body(&["email"], 200);
        let groups = body["filterGroups"].as_array().unwrap();
        assert_eq!(groups.len(), 2);
        assert_eq!(
            groups[1]["filters"],
            json!([
                {"propertyName": "city", "operator": "EQ", "value": "Wien"}, {"propertyName": "score", "operator": "EQ", "value": "5"},
                {"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"}, {"propertyName": "x", "operator": "GT", "value": "1"},
            ])
        );
        assert_eq!(Search::by(None).unwrap().body(&[], 1)["filterGroups"], json!([]));
    }

    #[test]
    fn what_hubspot_cannot_filter_by_is_refused() {
        let many: serde_json::Map<_, _> = (0..9).map(|n| (format!("p{n}"), json!("x"))).collect();
        for given in [
            json!({"city": ["a", "b", "c", "d", "e", "f"]}),
            json!({"city": []}),
            json!({"a": ["1", "2", "3"], "b": ["1", "2"]}),
            Value::Object(many),
        ] {
            assert!(matches!(Search::by(Some(&given)), Err(Fault::Refused { .. })), "{given}");
        }
    }
}
