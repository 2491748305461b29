//! Search: filters in groups, sorts, pages by offset up to 10,000 rows. It sees what was written a little later.

use std::cmp::Ordering;
use std::ops::Bound;

use serde_json::{Value, json};

use super::failure::Failure;
use super::portal::{Portal, Scene, Type};
use super::rows;
use super::write::time;
use crate::stand::Answer;
use crate::tables::{Fields, Row};

/// Rows that a query can reach.
const CEILING: usize = 10_000;

struct Filter {
    property: String,
    operator: String,
    value: String,
    high: String,
    values: Vec<String>,
}

struct Seen<'p> {
    row: &'p Row<String>,
    fields: &'p Fields<String>,
    changed_at: i64,
}

pub(super) fn search(portal: &Portal, scene: &Scene<'_>, kind: &str) -> Result<Answer, Failure> {
    let (found, body) = (portal.kind(kind)?, scene.body()?);
    let groups = groups(found, &body["filterGroups"])?;
    let sorts = sorts(found, &body["sorts"])?;
    let limit = number(&body["limit"]).unwrap_or(10);
    if limit == 0 || limit > 200 {
        return Err(Failure::invalid("limit must be between 1 and 200"));
    }
    let after = number(&body["after"]).unwrap_or(0);
    if after + limit > CEILING {
        return Err(Failure::invalid(format!("The maximum number of search results is {CEILING}; paging beyond it is not supported")));
    }
    let query = body["query"].as_str().unwrap_or_default().to_lowercase();
    let mut hits: Vec<_> = candidates(found, &groups)
        .filter(|row| row.gone.is_none())
        .filter_map(|row| row.searched(scene.at).map(|(fields, changed_at)| Seen { row, fields, changed_at }))
        .filter(|seen| groups.is_empty() || groups.iter().any(|group| group.iter().all(|filter| holds(found, filter, seen))))
        .filter(|seen| query.is_empty() || seen.fields.iter().any(|(_, text)| text.to_lowercase().contains(&query)))
        .collect();
    hits.sort_by(|one, other| {
        let decided = sorts.iter().find_map(|(property, is_descending)| {
            // Ids are what long runs sort by, page after page.
            let order = if property == "hs_object_id" {
                one.row.id.cmp(&other.row.id)
            } else {
                compare(found, property, get(found, property, one).as_deref(), get(found, property, other).as_deref())
            };
            order.is_ne().then(|| if *is_descending { order.reverse() } else { order })
        });
        decided.unwrap_or_else(|| one.row.id.cmp(&other.row.id))
    });
    let asked: Vec<String> = body["properties"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let from = if scene.call.repeats_rows() { after.saturating_sub(1) } else { after };
    let page = hits.iter().take(after + limit).skip(from);
    let results: Vec<_> = page.map(|seen| rows::shown_as(found, seen.row, seen.fields, seen.changed_at, Some(&asked))).collect();
    let mut value = json!({"total": hits.len(), "results": results});
    if after + limit < hits.len() {
        value["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(Answer::json(200, &value))
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).or_else(|| value.as_str()?.parse().ok())
}

fn groups(kind: &Type, given: &Value) -> Result<Vec<Vec<Filter>>, Failure> {
    let groups: Vec<_> = given.as_array().into_iter().flatten().collect();
    let filters = |group: &Value| group["filters"].as_array().cloned().unwrap_or_default();
    let total: usize = groups.iter().map(|group| filters(group).len()).sum();
    if groups.len() > 5 || groups.iter().any(|group| filters(group).len() > 10) || total > 25 {
        return Err(Failure::invalid("At most 5 filter groups with at most 10 filters each and 25 filters in all are supported"));
    }
    groups.iter().map(|group| filters(group).iter().map(|one| filter(kind, one)).collect()).collect()
}

fn filter(kind: &Type, given: &Value) -> Result<Filter, Failure> {
    let text =
        |value: &Value| value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned);
    let property = text(&given["propertyName"]);
    if kind.property(&property).is_none() {
        return Err(Failure::invalid(format!("There was a problem with the request: property {property} does not exist")));
    }
    let operator = text(&given["operator"]);
    let known = [
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN",
        "NOT_CONTAINS_TOKEN",
    ];
    if !known.contains(&operator.as_str()) {
        return Err(Failure::invalid(format!("Invalid input JSON: Cannot deserialize operator `{operator}`")));
    }
    let values = given["values"].as_array().into_iter().flatten().map(text).collect();
    Ok(Filter { property, operator, value: text(&given["value"]), high: text(&given["highValue"]), values })
}

fn sorts(kind: &Type, given: &Value) -> Result<Vec<(String, bool)>, Failure> {
    let one = |sort: &Value| {
        let name = sort.as_str().or_else(|| sort["propertyName"].as_str()).unwrap_or_default();
        let is_descending = sort["direction"] == "DESCENDING" || name.starts_with('-');
        let name = name.trim_start_matches('-').to_owned();
        if kind.property(&name).is_none() { Err(Failure::invalid(format!("Cannot sort by {name}"))) } else { Ok((name, is_descending)) }
    };
    given.as_array().into_iter().flatten().map(one).collect()
}

/// Rows that may satisfy the groups: fewer than all where the one group bounds the id or the time of change.
fn candidates<'p>(kind: &'p Type, groups: &[Vec<Filter>]) -> Box<dyn Iterator<Item = &'p Row<String>> + 'p> {
    let bound = |name: &str| {
        let [group] = groups else { return None };
        let lower =
            group.iter().filter(|filter| filter.property == name && matches!(filter.operator.as_str(), "GT" | "GTE" | "EQ" | "BETWEEN"));
        lower.filter_map(|filter| time(&filter.value)).max()
    };
    if let Some(id) = bound("hs_object_id") {
        return Box::new(kind.rows.all(u64::try_from(id).unwrap_or(0)..));
    }
    match bound(kind.modified()) {
        // With a lag, search sees a row under its older time too: those changed since are candidates all the same.
        Some(since) => Box::new(kind.rows.changed((Bound::Included((since, 0)), Bound::Unbounded))),
        None => Box::new(kind.rows.all(..)),
    }
}

fn get(kind: &Type, property: &str, seen: &Seen<'_>) -> Option<String> {
    rows::value(kind, property, seen.row, seen.fields, seen.changed_at)
}

fn is_time(kind: &Type, property: &str) -> bool {
    kind.property(property).is_some_and(|property| matches!(property.kind.as_str(), "datetime" | "date"))
}

/// The order of two values of a property; none is first.
fn compare(kind: &Type, property: &str, one: Option<&str>, other: Option<&str>) -> Ordering {
    let (Some(one), Some(other)) = (one, other) else { return one.is_some().cmp(&other.is_some()) };
    let is_number = property == "hs_object_id" || kind.property(property).is_some_and(|property| property.kind == "number");
    if is_number {
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        return number(one).partial_cmp(&number(other)).unwrap_or(Ordering::Equal);
    }
    if is_time(kind, property) {
        let at = |text: &str| time(text).or_else(|| time(&format!("{text}T00:00:00Z")));
        return at(one).cmp(&at(other));
    }
    one.to_lowercase().cmp(&other.to_lowercase())
}

fn holds(kind: &Type, filter: &Filter, seen: &Seen<'_>) -> bool {
    let own = get(kind, &filter.property, seen);
    let against = |value: &str| own.as_deref().map(|own| compare(kind, &filter.property, Some(own), Some(value)));
    let token = |own: &str| {
        let pattern = filter.value.to_lowercase();
        let own = own.to_lowercase();
        match pattern.trim_matches('*') {
            inner if inner.len() < pattern.len() => own.contains(inner),
            plain => own.split(|c: char| !c.is_alphanumeric()).any(|word| word == plain) || own == plain,
        }
    };
    match filter.operator.as_str() {
        "EQ" => against(&filter.value) == Some(Ordering::Equal),
        "NEQ" => own.is_some() && against(&filter.value) != Some(Ordering::Equal),
        "LT" => against(&filter.value) == Some(Ordering::Less),
        "LTE" => against(&filter.value).is_some_and(Ordering::is_le),
        "GT" => against(&filter.value) == Some(Ordering::Greater),
        "GTE" => against(&filter.value).is_some_and(Ordering::is_ge),
        "BETWEEN" => against(&filter.value).is_some_and(Ordering::is_ge) && against(&filter.high).is_some_and(Ordering::is_le),
        "IN" => filter.values.iter().any(|value| against(value) == Some(Ordering::Equal)),
        "NOT_IN" => own.is_some() && !filter.values.iter().any(|value| against(value) == Some(Ordering::Equal)),
        "HAS_PROPERTY" => own.is_some(),
        "NOT_HAS_PROPERTY" => own.is_none(),
        "CONTAINS_TOKEN" => own.as_deref().is_some_and(token),
        _ => own.as_deref().is_some_and(|own| !token(own)),
    }
}
