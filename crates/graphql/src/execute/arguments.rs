//! Arguments of a field, and what was sent as members of a record.

use kernel::{Error, Result};
use records::{Filter, Op, Operand, Term};
use serde_json::{Map, Value};

use super::Run;
use super::collect::Chosen;
use crate::documents::coerce;
use crate::failure::Failure;
use crate::model::inputs::COMBINATIONS;
use crate::model::{Field, InputType, Model};

/// Coerced arguments by name; what is absent was not sent.
pub(super) type Arguments = Map<String, Value>;

/// The member that takes what the schema does not name.
const REST: &str = "_document";

impl Run<'_> {
    pub(super) fn arguments(&self, field: &Field, one: &Chosen<'_>) -> std::result::Result<Arguments, Failure> {
        if field.arguments.is_empty() {
            return Ok(Arguments::new());
        }
        coerce::arguments(self.ready.model, &field.arguments, one.first(), &self.ready.variables)
    }
}

/// A text that was sent, if it was, and not as null.
pub(super) fn text<'v>(arguments: &'v Arguments, name: &str) -> Option<&'v str> {
    arguments.get(name).and_then(Value::as_str)
}

/// The members of a record, of an argument that is an input object: under the record's own names and in its own places.
///
/// Error: 422, if what stands beside the schema is no object.
pub(super) fn members(model: &Model, input: &str, sent: &Value) -> Result<Map<String, Value>> {
    let mut out = Map::new();
    let (Some(input), Value::Object(sent)) = (model.input(input), sent) else { return Ok(out) };
    match sent.get(REST).filter(|_| input.fields.iter().any(|field| field.name == REST && field.member.is_empty())) {
        Some(Value::Object(more)) => out.extend(more.clone()),
        None | Some(Value::Null) => {}
        Some(_) => return Err(Error::field(format!("/{REST}"), "must be an object")),
    }
    for (name, value) in sent {
        let Some(field) = input.fields.iter().find(|field| field.name == *name) else { continue };
        if name == REST && field.member.is_empty() {
            continue;
        }
        let value = inner(model, field.ty.name(), value)?;
        match field.member.split_last() {
            None => drop(out.insert(name.clone(), value)),
            Some((last, way)) => {
                let mut at = &mut out;
                for step in way {
                    let place = at.entry(step.clone()).or_insert_with(|| Value::Object(Map::new()));
                    if !place.is_object() {
                        *place = Value::Object(Map::new());
                    }
                    let Value::Object(map) = place else { return Ok(out) };
                    at = map;
                }
                at.insert(last.clone(), value);
            }
        }
    }
    Ok(out)
}

/// The same for what stands inside.
fn inner(model: &Model, ty: &str, value: &Value) -> Result<Value> {
    Ok(match value {
        Value::Object(_) if model.input(ty).is_some() => Value::Object(members(model, ty, value)?),
        Value::Array(items) if model.input(ty).is_some() => {
            Value::Array(items.iter().map(|item| inner(model, ty, item)).collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

/// A filter, of an argument of type `…Filter`. What is null is not asked for.
pub(super) fn filter(model: &Model, input: &str, sent: &Value) -> Filter {
    let (Some(input), Value::Object(sent)) = (model.input(input), sent) else { return Filter::default() };
    let mut parts = Vec::new();
    for (name, value) in sent.iter().filter(|(_, value)| !value.is_null()) {
        let items = || value.as_array().into_iter().flatten().map(|item| filter(model, &input.name, item));
        match name.as_str() {
            "and" => parts.push(Filter::All(items().collect())),
            "or" => parts.push(Filter::Any(items().collect())),
            "not" => parts.push(Filter::Not(Box::new(filter(model, &input.name, value)))),
            field => comparisons(input, field, value, &mut parts),
        }
    }
    if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) }
}

/// The comparisons of one member.
fn comparisons(input: &InputType, name: &str, value: &Value, parts: &mut Vec<Filter>) {
    debug_assert!(!COMBINATIONS.contains(&name), "combinations are read before");
    let Some(field) = input.fields.iter().find(|field| field.name == name) else { return };
    let member = field.member.first().unwrap_or(&field.name);
    for (word, operand) in value.as_object().into_iter().flatten() {
        let Some(op) = Op::named(word) else { continue };
        let term = |op, values| Filter::Is(Term { field: member.clone(), op, values });
        let truth = |holds: bool| term(Op::Exists, vec![Operand::Json(Value::Bool(holds))]);
        match (op, operand) {
            // Equal to null is absent.
            (Op::Eq, Value::Null) => parts.push(truth(false)),
            (Op::Ne, Value::Null) => parts.push(truth(true)),
            (_, Value::Null) => {}
            // One of nothing holds of nothing.
            (Op::In, Value::Array(items)) if items.is_empty() => parts.push(Filter::Not(Box::new(Filter::All(Vec::new())))),
            (Op::NotIn, Value::Array(items)) if items.is_empty() => {}
            (_, Value::Array(items)) => parts.push(term(op, items.iter().map(|item| Operand::Json(item.clone())).collect())),
            (_, one) => parts.push(term(op, vec![Operand::Json(one.clone())])),
        }
    }
}
