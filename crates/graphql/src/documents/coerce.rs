//! Values that were sent, as variables or in the document, as the types of the schema want them (GraphQL §3.5 to §3.12, §6.1.2, §6.4.1).
//!
//! What is absent stays absent: a mutation can tell `null` from nothing.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{BaseType, Field as Selected, OperationDefinition, Type as Written};
use async_graphql_value::Value as Literal;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::model::{Argument, Kind, Model, Scalar, Ty};

/// Values of variables by name; one that was not given and has no default is absent.
pub(crate) type Variables = HashMap<String, Value>;

/// How deep a value may nest.
const MAX_DEPTH: usize = 40;

/// The variables of an operation.
///
/// Errors: `invalid_variable`, one for each variable that is wrong.
pub(crate) fn variables(model: &Model, operation: &OperationDefinition, given: &Map<String, Value>) -> Result<Variables, Vec<Failure>> {
    let mut out = Variables::new();
    let mut faults = Vec::new();
    for definition in &operation.variable_definitions {
        let (name, ty) = (definition.node.name.node.as_str(), written(&definition.node.var_type.node));
        let fault = |detail: String| Failure::new("invalid_variable", detail).at(definition.pos).with("variable", name);
        let value = match given.get(name) {
            Some(value) => value.clone(),
            None => match &definition.node.default_value {
                Some(default) => match literal(model, &ty, &default.node.clone().into_value(), &Variables::new()) {
                    Ok(value) => {
                        out.extend(value.map(|value| (name.to_owned(), value)));
                        continue;
                    }
                    Err(why) => {
                        faults.push(fault(format!("The default of ${name} {}.", why.text())));
                        continue;
                    }
                },
                None if matches!(ty, Ty::NonNull(_)) => {
                    faults.push(fault(format!("${name} ({ty}) must be given.")));
                    continue;
                }
                None => continue,
            },
        };
        match sent(model, &ty, &value, 0) {
            Ok(value) => drop(out.insert(name.to_owned(), value)),
            Err(why) => faults.push(fault(format!("${name}{} {}.", why.place(), why.text()))),
        }
    }
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

/// The arguments of a field, defaults filled in.
///
/// Error: `invalid_argument`.
pub(crate) fn arguments(
    model: &Model,
    declared: &[Argument],
    field: &Positioned<Selected>,
    variables: &Variables,
) -> Result<Map<String, Value>, Failure> {
    let mut out = Map::new();
    for argument in declared {
        let given = field.node.get_argument(&argument.name);
        let value = match given {
            Some(given) => literal(model, &argument.ty, &given.node, variables).map_err(|why| {
                let detail = format!("The argument {}{} {}.", argument.name, why.place(), why.text());
                Failure::new("invalid_argument", detail).at(given.pos)
            })?,
            None => None,
        };
        match value.or_else(|| argument.default.clone()) {
            Some(value) => drop(out.insert(argument.name.clone(), value)),
            None if matches!(argument.ty, Ty::NonNull(_)) => {
                return Err(Failure::new("invalid_argument", format!("The argument {} must be given.", argument.name)).at(field.pos));
            }
            None => {}
        }
    }
    Ok(out)
}

/// Why a value does not fit, and where in it.
pub(crate) struct Misfit {
    way: Vec<String>,
    text: String,
}

impl Misfit {
    fn new(text: impl Into<String>) -> Self {
        Self { way: Vec::new(), text: text.into() }
    }

    fn below(mut self, step: impl Into<String>) -> Self {
        self.way.insert(0, step.into());
        self
    }

    fn place(&self) -> String {
        self.way.iter().map(|step| format!(".{step}")).collect()
    }

    fn text(&self) -> &str {
        &self.text
    }
}

/// A type as a document writes it.
fn written(ty: &Written) -> Ty {
    let base = match &ty.base {
        BaseType::Named(name) => Ty::named(name.as_str()),
        BaseType::List(inner) => written(inner).list(),
    };
    if ty.nullable { base } else { base.required() }
}

/// A value of JSON as a type wants it.
fn sent(model: &Model, ty: &Ty, value: &Value, depth: usize) -> Result<Value, Misfit> {
    if depth > MAX_DEPTH {
        return Err(Misfit::new("nests too deeply"));
    }
    match ty {
        Ty::NonNull(_) if value.is_null() => Err(Misfit::new("must not be null")),
        Ty::NonNull(inner) => sent(model, inner, value, depth),
        _ if value.is_null() => Ok(Value::Null),
        Ty::List(inner) => match value {
            Value::Array(items) => {
                let each =
                    items.iter().enumerate().map(|(n, item)| sent(model, inner, item, depth + 1).map_err(|why| why.below(n.to_string())));
                each.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            one => Ok(Value::Array(vec![sent(model, inner, one, depth + 1)?])),
        },
        Ty::Named(name) => match model.kind(name) {
            Some(Kind::Scalar(scalar)) => scalar_of(scalar, value),
            Some(Kind::Enum(at)) => enumerated(model, at, value.as_str()),
            Some(Kind::Input(at)) => {
                let Value::Object(members) = value else { return Err(Misfit::new(format!("must be an object ({name})"))) };
                let fields = &model.inputs[at].fields;
                known(fields, members.keys().map(String::as_str))?;
                object(fields, |field| members.get(&field.name).map(|value| sent(model, &field.ty, value, depth + 1)).transpose())
            }
            _ => Err(Misfit::new(format!("is of type {name}, which is no input type"))),
        },
    }
}

/// A value of the document as a type wants it; none: a variable that was not given.
fn literal(model: &Model, ty: &Ty, value: &Literal, variables: &Variables) -> Result<Option<Value>, Misfit> {
    if let Literal::Variable(name) = value {
        // It was coerced to its own type, which validation found to fit here.
        return match (variables.get(name.as_str()), ty) {
            (Some(Value::Null), Ty::NonNull(_)) => Err(Misfit::new("must not be null")),
            (found, _) => Ok(found.cloned()),
        };
    }
    match ty {
        Ty::NonNull(inner) => match value {
            Literal::Null => Err(Misfit::new("must not be null")),
            _ => literal(model, inner, value, variables),
        },
        _ if matches!(value, Literal::Null) => Ok(Some(Value::Null)),
        Ty::List(inner) => match value {
            Literal::List(items) => {
                let each = items.iter().enumerate().map(|(n, item)| {
                    let item = literal(model, inner, item, variables).map_err(|why| why.below(n.to_string()))?;
                    match (item, inner.as_ref()) {
                        (None, Ty::NonNull(_)) => Err(Misfit::new("must not be null").below(n.to_string())),
                        (item, _) => Ok(item.unwrap_or(Value::Null)),
                    }
                });
                each.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
            }
            one => Ok(literal(model, inner, one, variables)?.map(|one| Value::Array(vec![one]))),
        },
        Ty::Named(name) => match model.kind(name) {
            Some(Kind::Scalar(Scalar::Json)) => free(value, variables).map(Some),
            Some(Kind::Scalar(scalar)) => {
                let plain = match value {
                    Literal::Number(number) => Value::Number(number.clone()),
                    Literal::String(text) => Value::String(text.clone()),
                    Literal::Boolean(flag) => Value::Bool(*flag),
                    _ => return Err(Misfit::new(format!("must be a {name}"))),
                };
                scalar_of(scalar, &plain).map(Some)
            }
            Some(Kind::Enum(at)) => match value {
                Literal::Enum(word) => enumerated(model, at, Some(word.as_str())).map(Some),
                _ => enumerated(model, at, None).map(Some),
            },
            Some(Kind::Input(at)) => {
                let Literal::Object(members) = value else { return Err(Misfit::new(format!("must be an object ({name})"))) };
                let fields = &model.inputs[at].fields;
                known(fields, members.keys().map(async_graphql::Name::as_str))?;
                let value = object(fields, |field| match members.get(field.name.as_str()) {
                    Some(value) => literal(model, &field.ty, value, variables),
                    None => Ok(None),
                })?;
                Ok(Some(value))
            }
            _ => Err(Misfit::new(format!("is of type {name}, which is no input type"))),
        },
    }
}

/// Any value, with variables in it replaced.
fn free(value: &Literal, variables: &Variables) -> Result<Value, Misfit> {
    Ok(match value {
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        Literal::Null => Value::Null,
        Literal::Number(number) => Value::Number(number.clone()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(flag) => Value::Bool(*flag),
        Literal::Enum(word) => Value::String(word.to_string()),
        Literal::Binary(_) => return Err(Misfit::new("must be JSON")),
        Literal::List(items) => Value::Array(items.iter().map(|item| free(item, variables)).collect::<Result<_, _>>()?),
        Literal::Object(members) => {
            let each = members.iter().map(|(name, value)| Ok((name.to_string(), free(value, variables)?)));
            Value::Object(each.collect::<Result<_, Misfit>>()?)
        }
    })
}

/// No member but these.
fn known<'n>(fields: &[Argument], names: impl Iterator<Item = &'n str>) -> Result<(), Misfit> {
    for name in names {
        if !fields.iter().any(|field| field.name == name) {
            return Err(Misfit::new("is not known here").below(name));
        }
    }
    Ok(())
}

/// An input object: each field's value, its default, or nothing.
fn object(fields: &[Argument], mut value_of: impl FnMut(&Argument) -> Result<Option<Value>, Misfit>) -> Result<Value, Misfit> {
    let mut out = Map::new();
    for field in fields {
        let value = value_of(field).map_err(|why| why.below(field.name.clone()))?;
        match value.or_else(|| field.default.clone()) {
            Some(value) => drop(out.insert(field.name.clone(), value)),
            None if matches!(field.ty, Ty::NonNull(_)) => return Err(Misfit::new("must be given").below(field.name.clone())),
            None => {}
        }
    }
    Ok(Value::Object(out))
}

fn scalar_of(scalar: Scalar, value: &Value) -> Result<Value, Misfit> {
    let fits = match (scalar, value) {
        (Scalar::Json, _) => true,
        (Scalar::Int, Value::Number(number)) => return whole(number),
        (Scalar::Float, Value::Number(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::String | Scalar::Id | Scalar::DateTime, Value::String(_)) => true,
        (Scalar::Id, Value::Number(number)) if number.is_i64() || number.is_u64() => return Ok(Value::String(number.to_string())),
        _ => false,
    };
    if fits { Ok(value.clone()) } else { Err(Misfit::new(format!("must be of type {}", scalar.name()))) }
}

/// An integer of 32 bits; `3.0` is one.
fn whole(number: &serde_json::Number) -> Result<Value, Misfit> {
    let whole = number.as_i64().or_else(|| {
        let real = number.as_f64().filter(|real| real.fract() == 0.0 && real.abs() <= f64::from(u32::MAX))?;
        #[allow(clippy::cast_possible_truncation, reason = "a whole number within the bounds that were just compared")]
        Some(real as i64)
    });
    let small = whole.and_then(|whole| i32::try_from(whole).ok());
    small.map(Value::from).ok_or_else(|| Misfit::new("must be a whole number of 32 bits"))
}

fn enumerated(model: &Model, at: usize, word: Option<&str>) -> Result<Value, Misfit> {
    let one = &model.enums[at];
    let found = word.filter(|word| one.values.iter().any(|value| value == word));
    found.map(Value::from).ok_or_else(|| Misfit::new(format!("must be one of {} ({})", one.values.join(", "), one.name)))
}
