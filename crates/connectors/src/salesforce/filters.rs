//! What else must hold: `{"LeadSource": "Web", "Score__c": {"gte": 5}, "Status": ["Open", "Working"], "Email": null}`.

use std::collections::HashMap;

use kernel::Timestamp;
use serde_json::{Map, Value};

use super::kinds::Kind;
use super::{names, soql};
use crate::Fault;

/// Whether the kinds of the fields must be known to write it: a day and a moment stand without quotes, and look like texts here.
pub(super) fn needs_kinds(filter: &Value) -> bool {
    match filter {
        Value::String(text) => looks_like_time(text),
        Value::Array(all) => all.iter().any(needs_kinds),
        Value::Object(map) => map.values().any(needs_kinds),
        _ => false,
    }
}

fn looks_like_time(text: &str) -> bool {
    looks_like_day(text) || Timestamp::parse(text).is_ok()
}

fn looks_like_day(text: &str) -> bool {
    text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok()
}

/// The filter as conditions, in its order.
///
/// Errors: [`Fault::Refused`] with the field that is meant.
pub(super) fn conditions(filter: Option<&Value>, kinds: &HashMap<String, Kind>) -> Result<Vec<String>, Fault> {
    match filter {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => {
            let mut all = Vec::new();
            for (name, wanted) in map {
                let field = names::field(name)?;
                let kind = kinds.get(&field.to_ascii_lowercase()).copied();
                one(field, kind, wanted, &mut all)?;
            }
            Ok(all)
        }
        Some(_) => Err(refused(None, "a filter is an object of fields and what they must be")),
    }
}

fn one(field: &str, kind: Option<Kind>, wanted: &Value, all: &mut Vec<String>) -> Result<(), Fault> {
    match wanted {
        Value::Array(values) => all.push(listed(field, kind, values, "IN")?),
        Value::Object(operators) => return compared(field, kind, operators, all),
        plain => all.push(format!("{field} = {}", literal(kind, plain)?)),
    }
    Ok(())
}

fn compared(field: &str, kind: Option<Kind>, operators: &Map<String, Value>, all: &mut Vec<String>) -> Result<(), Fault> {
    for (operator, value) in operators {
        let sign = match operator.as_str() {
            "eq" => "=",
            "ne" => "!=",
            "gt" => ">",
            "gte" => ">=",
            "lt" => "<",
            "lte" => "<=",
            "like" => "LIKE",
            "in" | "notIn" => {
                let values = value.as_array().ok_or_else(|| refused(Some(field), "`in` and `notIn` take a list"))?;
                all.push(listed(field, kind, values, if operator == "in" { "IN" } else { "NOT IN" })?);
                continue;
            }
            _ => return Err(refused(Some(field), "an operator is one of eq, ne, gt, gte, lt, lte, like, in, notIn")),
        };
        all.push(format!("{field} {sign} {}", literal(kind, value)?));
    }
    Ok(())
}

fn listed(field: &str, kind: Option<Kind>, values: &[Value], sign: &str) -> Result<String, Fault> {
    if values.is_empty() {
        return Err(refused(Some(field), "a list of values is not empty"));
    }
    let literals: Result<Vec<_>, _> = values.iter().map(|value| literal(kind, value)).collect();
    Ok(format!("{field} {sign} ({})", literals?.join(",")))
}

fn literal(kind: Option<Kind>, value: &Value) -> Result<String, Fault> {
    match (kind, value) {
        (Some(Kind::Moment), Value::String(text)) if looks_like_day(text) => Ok(format!("{text}T00:00:00Z")),
        (Some(Kind::Moment), Value::String(text)) => Timestamp::parse(text).map_or_else(|_| soql::literal(value), |at| Ok(soql::time(at))),
        (Some(Kind::Day), Value::String(text)) if looks_like_day(text) => Ok(text.clone()),
        _ => soql::literal(value),
    }
}

fn refused(field: Option<&str>, why: &str) -> Fault {
    Fault::Refused { code: "INVALID_FILTER".to_owned(), message: why.to_owned(), field: field.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(filter: &Value) -> Result<Vec<String>, Fault> {
        let kinds = [("createddate", Kind::Moment), ("birthdate", Kind::Day)];
        conditions(Some(filter), &kinds.map(|(name, kind)| (name.to_owned(), kind)).into())
    }

    #[test]
    fn filters_become_conditions() {
        let filter = json!({"LeadSource": "Web's", "Email": null, "Status": ["Open", "Working"], "Score__c": {"gte": 5, "lt": 9.5},
            "CreatedDate": {"gt": "2027-01-15T10:00:00+02:00", "lte": "2027-01-16"}, "Birthdate": "2000-02-29",
            "Description": "2027-01-15", "City": {"notIn": ["X"], "like": "B%"}});
        let expected = [
            r"LeadSource = 'Web\'s'",
            "Email = null",
            "Status IN ('Open','Working')",
            "Score__c >= 5",
            "Score__c < 9.5",
            "CreatedDate > 2027-01-15T08:00:00.000Z",
            "CreatedDate <= 2027-01-16T00:00:00Z",
            "Birthdate = 2000-02-29",
            "Description = '2027-01-15'",
            "City NOT IN ('X')",
            "City LIKE 'B%'",
        ];
        assert_eq!(written(&filter).unwrap(), expected);
        assert!(needs_kinds(&filter) && !needs_kinds(&json!({"LeadSource": "Web", "Score__c": {"gte": 5}})));
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            json!("x"),
            json!({"Name = ''--": 1}),
            json!({"A": {"like it": 1}}),
            json!({"A": []}),
            json!({"A": {"in": 1}}),
            json!({"A": [[1]]}),
        ] {
            assert!(matches!(written(&filter), Err(Fault::Refused { .. })), "{filter}");
        }
    }
}
