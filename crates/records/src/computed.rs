//! Members that the server computes of others, whenever a record is written.

use blueprint::model::ComputedForm;
use serde_json::{Map, Number, Value};

use crate::resource_type::ResourceType;

/// Sets every computed member of a document, or takes it away where there is nothing to compute.
pub(crate) fn apply(kind: &ResourceType, document: &mut Map<String, Value>) {
    for computed in &kind.resource().computed {
        match value(&computed.form, document) {
            Some(value) => document.insert(computed.field.clone(), value),
            None => document.shift_remove(&computed.field),
        };
    }
}

fn value(form: &ComputedForm, document: &Map<String, Value>) -> Option<Value> {
    match form {
        ComputedForm::Text(template) => Some(Value::String(text(template, document))),
        ComputedForm::Sum(members) => {
            let numbers: Vec<&Number> = members.iter().filter_map(|name| document.get(name)?.as_number()).collect();
            if numbers.is_empty() { None } else { total(&numbers, i64::checked_add, |a, b| a + b) }
        }
        ComputedForm::Product(members) => {
            let numbers: Option<Vec<&Number>> = members.iter().map(|name| document.get(name)?.as_number()).collect();
            total(&numbers?, i64::checked_mul, |a, b| a * b)
        }
        ComputedForm::Copy(way) => {
            let (first, rest) = way.split_first()?;
            let found = rest.iter().try_fold(document.get(first)?, |value, part| value.get(part))?;
            (!found.is_null()).then(|| found.clone())
        }
    }
}

/// `{firstName} {lastName}`, without the spaces that an absent member leaves.
fn text(template: &str, document: &Map<String, Value>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((plain, after)) = rest.split_once('{') {
        out.push_str(plain);
        let Some((name, tail)) = after.split_once('}') else { break };
        match document.get(name) {
            Some(Value::String(text)) => out.push_str(text),
            None | Some(Value::Null) => {}
            Some(other) => out.push_str(&other.to_string()),
        }
        rest = tail;
    }
    out.push_str(rest);
    out.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Whole numbers stay whole as long as they fit.
fn total(numbers: &[&Number], whole: fn(i64, i64) -> Option<i64>, real: fn(f64, f64) -> f64) -> Option<Value> {
    let integers: Option<Vec<i64>> = numbers.iter().map(|number| number.as_i64()).collect();
    let exact = integers.and_then(|integers| integers.into_iter().map(Some).reduce(|a, b| whole(a?, b?)).flatten());
    match exact {
        Some(exact) => Some(Value::from(exact)),
        None => {
            let sum = numbers.iter().filter_map(|number| number.as_f64()).reduce(real)?;
            Number::from_f64(sum).map(Value::Number)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn computed(form: &ComputedForm, document: &Value) -> Option<Value> {
        value(form, document.as_object().unwrap())
    }

    #[test]
    fn forms() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let text = |template: &str| ComputedForm::Text(template.to_owned());
        for (form, document, expected) in [
            (text("{a} {b}"), json!({"a": "Ada", "b": "Byron"}), Some(json!("Ada Byron"))),
            (text("{a} {b}, {c}"), json!({"b": "Byron", "c": 7}), Some(json!("Byron, 7"))),
            (ComputedForm::Sum(names(&["a", "b"])), json!({"a": 1, "b": 2}), Some(json!(3))),
            (ComputedForm::Sum(names(&["a", "b"])), json!({"a": 1.5, "b": null}), Some(json!(1.5))),
            (ComputedForm::Sum(names(&["a", "b"])), json!({}), None),
            (ComputedForm::Product(names(&["a", "b"])), json!({"a": 3, "b": 2.5}), Some(json!(7.5))),
            (ComputedForm::Product(names(&["a", "b"])), json!({"a": 3}), None),
            (ComputedForm::Product(names(&["a", "b"])), json!({"a": i64::MAX, "b": 2}), Some(json!(i64::MAX as f64 * 2.0))),
            (ComputedForm::Copy(names(&["a", "city"])), json!({"a": {"city": "Rome"}}), Some(json!("Rome"))),
            (ComputedForm::Copy(names(&["a", "city"])), json!({"a": "Rome"}), None),
        ] {
            assert_eq!(computed(&form, &document), expected, "{form:?} of {document}");
        }
    }
}
