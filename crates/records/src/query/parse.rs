//! A filter from JSON: `{"status": "NEW"}`, `{"score": {"gte": 10, "lt": 20}}`, `{"or": [{…}, {…}]}`, `{"not": {…}}`.

use kernel::{Error, Result};
use serde_json::Value;

use super::filter::{Filter, MAX_DEPTH, MAX_TERMS, MAX_TEXT, Op, Operand, Term};
use crate::document::pointer;

impl Filter {
    /// Reads a filter from its JSON text.
    ///
    /// Errors: 422 `validation_failed` at `/filter`, with what is wrong: not JSON, too long, too deep, an unknown operator.
    pub fn from_text(text: &str) -> Result<Self> {
        if text.len() > 16 * MAX_TEXT {
            return Err(Error::field("/filter", format!("is longer than {} bytes", 16 * MAX_TEXT)));
        }
        let value = serde_json::from_str(text).map_err(|error| Error::field("/filter", format!("is not JSON: {error}")))?;
        Self::from_json(&value)
    }

    /// Reads a filter from JSON. Which members it may name is checked by the list that it is for.
    ///
    /// Errors: as for [`Filter::from_text`].
    pub fn from_json(value: &Value) -> Result<Self> {
        let filter = read(value, "/filter", 1)?;
        filter.check_bounds()?;
        Ok(filter)
    }
}

fn read(value: &Value, at: &str, depth: usize) -> Result<Filter> {
    if depth > MAX_DEPTH {
        return Err(Error::field("/filter", format!("nests deeper than {MAX_DEPTH} levels")));
    }
    let Value::Object(members) = value else {
        return Err(Error::field(at, "must be an object such as {\"status\": \"NEW\"}"));
    };
    if members.len() > MAX_TERMS {
        return Err(Error::field(at, format!("has {} members; {MAX_TERMS} are allowed", members.len())));
    }
    let mut parts = Vec::with_capacity(members.len());
    for (name, inner) in members {
        let here = format!("{at}{}", pointer(name));
        match name.as_str() {
            "and" => parts.push(Filter::All(list(inner, &here, depth)?)),
            "or" => parts.push(Filter::Any(list(inner, &here, depth)?)),
            "not" => parts.push(Filter::Not(Box::new(read(inner, &here, depth + 1)?))),
            field => comparisons(field, inner, &here, &mut parts)?,
        }
    }
    Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
}

fn list(value: &Value, at: &str, depth: usize) -> Result<Vec<Filter>> {
    let items = value.as_array().filter(|items| !items.is_empty() && items.len() <= MAX_TERMS);
    let items = items.ok_or_else(|| Error::field(at, format!("must be a list of 1 to {MAX_TERMS} filters")))?;
    items.iter().enumerate().map(|(i, item)| read(item, &format!("{at}/{i}"), depth + 1)).collect()
}

/// `"NEW"`, `null`, or `{"gte": 10, "lt": 20}`.
fn comparisons(field: &str, value: &Value, at: &str, parts: &mut Vec<Filter>) -> Result<()> {
    let term = |op, values| Filter::Is(Term { field: field.to_owned(), op, values });
    match value {
        Value::Null => parts.push(term(Op::Exists, vec![Operand::Json(Value::Bool(false))])),
        Value::Object(operators) if operators.is_empty() => return Err(Error::field(at, "names no operator")),
        Value::Object(operators) => {
            for (name, operand) in operators {
                let here = format!("{at}{}", pointer(name));
                let op = Op::named(name).ok_or_else(|| unknown_operator(&here))?;
                parts.push(term(op, operands(op, operand, &here)?));
            }
        }
        Value::Array(_) => return Err(Error::field(at, "must be one value; for several use {\"in\": […]}")),
        value => parts.push(term(Op::Eq, vec![Operand::Json(value.clone())])),
    }
    Ok(())
}

fn operands(op: Op, value: &Value, at: &str) -> Result<Vec<Operand>> {
    match value {
        Value::Array(items) if op.takes_many() => Ok(items.iter().map(|item| Operand::Json(item.clone())).collect()),
        _ if op.takes_many() => Err(Error::field(at, "must be a list of values")),
        value => Ok(vec![Operand::Json(value.clone())]),
    }
}

/// 422 that names what there is.
pub fn unknown_operator(at: &str) -> Error {
    let names: Vec<&str> = Op::ALL.iter().map(|(name, _)| *name).collect();
    Error::field(at, format!("is not an operator; there are {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn fault(value: &Value) -> (String, String) {
        let error = Filter::from_json(value).unwrap_err();
        (error.fields()[0].pointer.clone(), error.fields()[0].detail.clone())
    }

    #[test]
    fn reads_what_it_says() {
        let term = |field: &str, op, value: Value| Filter::Is(Term { field: field.into(), op, values: vec![Operand::Json(value)] });
        assert_eq!(Filter::from_json(&json!({"a": 1})).unwrap(), term("a", Op::Eq, json!(1)));
        assert_eq!(Filter::from_json(&json!({"a": null})).unwrap(), term("a", Op::Exists, json!(false)));
        let both = Filter::from_json(&json!({"a": {"gte": 1, "lt": 2}})).unwrap();
        assert_eq!(both, Filter::All(vec![term("a", Op::Gte, json!(1)), term("a", Op::Lt, json!(2))]));
        let nested = Filter::from_json(&json!({"or": [{"a": 1}, {"not": {"b": true}}]})).unwrap();
        let not = Filter::Not(Box::new(term("b", Op::Eq, json!(true))));
        assert_eq!(nested, Filter::Any(vec![term("a", Op::Eq, json!(1)), not]));
        assert!(Filter::from_json(&json!({})).unwrap().is_empty());
    }

    #[test]
    fn faults_have_a_place() {
        for (value, pointer) in [
            (json!([]), "/filter"),
            (json!({"a": {"like": "x"}}), "/filter/a/like"),
            (json!({"a": {}}), "/filter/a"),
            (json!({"a": [1]}), "/filter/a"),
            (json!({"a": {"in": 1}}), "/filter/a/in"),
            (json!({"or": []}), "/filter/or"),
            (json!({"or": [1]}), "/filter/or/0"),
            (json!({"a/b": {"x": 1}}), "/filter/a~1b/x"),
        ] {
            assert_eq!(fault(&value).0, pointer, "{value}");
        }
    }

    #[test]
    fn hostile_filters_are_bounded() {
        let deep = (0..100).fold(json!({"a": 1}), |inner, _| json!({ "not": inner }));
        assert!(fault(&deep).1.contains("deeper"));
        let wide = json!({"or": (0..41).map(|i| json!({ "a": i })).collect::<Vec<_>>()});
        assert!(fault(&wide).1.contains("1 to 40"));
        let many: Vec<Value> = (0..20).map(|_| json!({"and": [{"a": 1}, {"a": 2}, {"a": 3}]})).collect();
        assert!(fault(&json!({ "or": many })).1.contains("60 comparisons"));
        assert!(fault(&json!({"a": {"in": (0..201).collect::<Vec<_>>()}})).1.contains("201 values"));
        assert!(Filter::from_text(&" ".repeat(16_001)).is_err());
        assert!(Filter::from_text(&"[".repeat(10_000)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "[\\[\\]{}\":,a-c0-9 norad]{0,200}") {
            let _ = Filter::from_text(&text);
        }
    }
}
