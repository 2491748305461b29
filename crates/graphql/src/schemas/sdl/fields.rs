//! A field of a type that shows records: which member it is, or which other records it leads to.

use std::collections::HashSet;

use async_graphql::Pos;
use async_graphql::parser::types::{BaseType, Type as Written};
use serde_json::Value;

use super::definitions::{Definitions, Nested, Owner, WrittenField, ty};
use crate::model::derive::parent_name;
use crate::model::shapes::{Member, Shape, Side, takes_more};
use crate::model::{Field, Form, Scalar, Source, Ty};

/// What is wrong with a field, and where.
type Fault = (Pos, String);

/// A field of the model, and the member behind it, if it is one.
pub(super) fn resolve(
    owner: &Owner<'_>,
    written: &WrittenField<'_>,
    definitions: &Definitions<'_>,
) -> Result<(Field, Option<Member>), Fault> {
    if let Some(argument) = written.definition.arguments.first() {
        return Err((argument.pos, "arguments are the server's: leave them out".to_owned()));
    }
    let wanted = ty(&written.definition.ty.node);
    let field = |source: Source| Field::new(&written.name, wanted.clone(), source).about(&written.description);
    if let Some(target) = definitions.owner(wanted.name()) {
        let source = if wanted.is_list() { children(owner, target, written, Form::Plain)? } else { parent(owner, target, written)? };
        return Ok((field(source), None));
    }
    if let Some(target) = wanted.name().strip_suffix("Connection").and_then(|name| definitions.owner(name)) {
        let source = children(owner, target, written, Form::Connection)?;
        return Ok((field(source), None));
    }
    if let Some((source, scalars)) = own(owner, &written.path) {
        let fits = !wanted.is_list() && scalars.iter().any(|scalar| scalar.name() == wanted.name());
        let names: Vec<&str> = scalars.iter().map(|scalar| scalar.name()).collect();
        return if fits {
            Ok((field(source), None))
        } else {
            Err((written.definition.ty.pos, format!("this is of type {}", names.join(" or "))))
        };
    }
    let schema = member_schema(owner, written)?;
    let shape = Shapes { root: &owner.resource.schema, definitions, checked: HashSet::new() }
        .of(&written.definition.ty.node, schema)
        .map_err(|fault| (written.definition.ty.pos, fault))?;
    let member = Member {
        path: written.path.clone(),
        field: written.name.clone(),
        shape,
        is_sure: false,
        is_wanted: written.path.len() == 1 && is_wanted(&owner.resource.schema, &written.path[0]),
        about: written.description.clone(),
    };
    Ok((field(Source::Member(written.path.clone())), Some(member)))
}

/// Whether whoever creates a record must send this member.
pub(super) fn is_wanted(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name));
    let property = schema.get("properties").and_then(|properties| properties.get(name));
    required && property.is_none_or(|property| property.get("default").is_none())
}

/// What every record has beside its members.
fn own(owner: &Owner<'_>, path: &[String]) -> Option<(Source, &'static [Scalar])> {
    let [name] = path else { return None };
    let resource = owner.resource;
    if resource.schema.get("properties").is_some_and(|properties| properties.get(name).is_some()) {
        return None;
    }
    Some(match name.as_str() {
        "id" => (Source::Id, &[Scalar::Id, Scalar::String]),
        "externalId" | "external_id" => (Source::ExternalId, &[Scalar::Id, Scalar::String]),
        "_version" => (Source::Revision, &[Scalar::Int]),
        name if name == resource.created_field || name == "createdAt" => (Source::CreatedAt, &[Scalar::DateTime, Scalar::String]),
        name if resource.updated_field.as_deref() == Some(name) || name == "updatedAt" => {
            (Source::UpdatedAt, &[Scalar::DateTime, Scalar::String])
        }
        _ => return None,
    })
}

/// The record that a member names.
fn parent(owner: &Owner<'_>, target: &Owner<'_>, written: &WrittenField<'_>) -> Result<Source, Fault> {
    let of_target: Vec<_> = owner.resource.parents.iter().filter(|parent| parent.resource == target.resource.name).collect();
    let named = |member: &str| of_target.iter().find(|parent| parent.field == member);
    let found = if written.is_placed {
        named(&written.path.join("."))
    } else {
        let by_name =
            of_target.iter().find(|parent| parent.field == written.name || parent_name(&parent.field, &parent.resource) == written.name);
        by_name.or_else(|| of_target.first().filter(|_| of_target.len() == 1))
    };
    found.map(|parent| Source::Parent(target.at, parent.field.clone())).ok_or_else(|| {
        let members: Vec<&str> = of_target.iter().map(|parent| parent.field.as_str()).collect();
        let hint =
            if members.is_empty() { "none does".to_owned() } else { format!("say which with @field(path:): {}", members.join(", ")) };
        (
            written.pos,
            format!(
                "this must be a member of {} that names {}; {hint}",
                owner.resource.name,
                blueprint::with_article(&target.resource.name)
            ),
        )
    })
}

/// The records that name this one.
fn children(owner: &Owner<'_>, target: &Owner<'_>, written: &WrittenField<'_>, form: Form) -> Result<Source, Fault> {
    let of_owner: Vec<_> = target.resource.parents.iter().filter(|parent| parent.resource == owner.resource.name).collect();
    let found = if written.is_placed {
        let path = written.path.join(".");
        of_owner.iter().find(|parent| parent.field == path)
    } else {
        of_owner.first().filter(|_| of_owner.len() == 1)
    };
    found.map(|parent| Source::Children(target.at, parent.field.clone(), form)).ok_or_else(|| {
        let members: Vec<&str> = of_owner.iter().map(|parent| parent.field.as_str()).collect();
        let hint =
            if members.is_empty() { "none does".to_owned() } else { format!("say which with @field(path:): {}", members.join(", ")) };
        (
            written.pos,
            format!(
                "this must be a member of {} that names {}; {hint}",
                target.resource.name,
                blueprint::with_article(&owner.resource.name)
            ),
        )
    })
}

/// The JSON Schema of a member; none where any value may be.
fn member_schema<'a>(owner: &'a Owner<'_>, written: &WrittenField<'_>) -> Result<Option<&'a Value>, Fault> {
    let root = &owner.resource.schema;
    let mut at = Some(root);
    for name in &written.path {
        let Some(schema) = at else { return Ok(None) };
        let schema = resolved(root, schema);
        let Some(object) = schema.and_then(Value::as_object) else { return Ok(None) };
        let properties = object.get("properties").and_then(Value::as_object);
        at = match properties.and_then(|properties| properties.get(name)) {
            Some(property) => Some(property),
            None if takes_more(object) || properties.is_none() && !std::ptr::eq(schema.unwrap_or(root), root) => return Ok(None),
            None => {
                let known: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let hint = if written.is_placed { "" } else { " (say which it is with @field(path:))" };
                return Err((written.pos, format!("{} has no member {name:?}{hint}; it has {}", owner.resource.name, known.join(", "))));
            }
        };
    }
    Ok(at)
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let mut at = schema;
    for _ in 0..8 {
        let Some(target) = at.get("$ref") else { return Some(at) };
        at = root.pointer(target.as_str()?.strip_prefix('#')?)?;
    }
    None
}

/// Compares written types with the JSON Schema of a member.
struct Shapes<'a> {
    root: &'a Value,
    definitions: &'a Definitions<'a>,
    /// Types of inner objects that were compared, each with the place of the schema: types may contain each other, and themselves.
    checked: HashSet<(String, Option<*const Value>)>,
}

impl<'a> Shapes<'a> {
    /// The shape that a written type gives a member. Error: why it does not fit.
    fn of(&mut self, written: &Written, schema: Option<&'a Value>) -> Result<Shape, String> {
        let schema = schema.and_then(|schema| resolved(self.root, schema));
        let types = schema.map(types).unwrap_or_default();
        let name = match &written.base {
            BaseType::List(_) if !may_be(&types, &["array"]) => {
                return Err(format!("the member is of type {}, and no list", types.join(" or ")));
            }
            BaseType::List(inner) => {
                let items = schema.and_then(|schema| schema.get("items")).filter(|items| items.is_object());
                return Ok(Shape::List(Box::new(self.of(inner, items)?), inner.nullable));
            }
            BaseType::Named(name) => name.as_str(),
        };
        if let Some((scalar, _)) = Scalar::ALL.iter().find(|(_, known)| name == *known) {
            return if fits(*scalar, &types) {
                Ok(Shape::Scalar(*scalar))
            } else {
                Err(format!("the member is of type {}, not {name}", types.join(" or ")))
            };
        }
        if let Some(words) = self.definitions.words(name) {
            return words_of(name, words.values.iter().map(|word| &**word), schema, &types);
        }
        match self.definitions.nested(name) {
            Some(nested) if may_be(&types, &["object"]) => {
                self.check_nested(nested, schema)?;
                Ok(Shape::Object(name.to_owned()))
            }
            Some(_) => Err(format!("the member is of type {}, and no object", types.join(" or "))),
            None => Err(format!("there is no type {name}")),
        }
    }

    /// Whether every field of a type of inner objects is there.
    fn check_nested(&mut self, nested: &Nested<'_>, schema: Option<&'a Value>) -> Result<(), String> {
        if !self.checked.insert((nested.name.clone(), schema.map(std::ptr::from_ref))) {
            return Ok(());
        }
        for field in &nested.fields {
            let mut at = schema;
            for name in &field.path {
                let Some(here) = at.and_then(|schema| resolved(self.root, schema)) else { break };
                let properties = here.get("properties").and_then(Value::as_object);
                at = match properties {
                    None => None,
                    Some(properties) => match properties.get(name) {
                        Some(property) => Some(property),
                        None if here.as_object().is_some_and(takes_more) => None,
                        None => return Err(format!("{}.{}: the member has no {name:?}", nested.name, field.name)),
                    },
                };
            }
            self.of(&field.definition.ty.node, at).map_err(|fault| format!("{}.{}: {fault}", nested.name, field.name))?;
        }
        Ok(())
    }
}

/// Whether a member of these types (none: any) may be written as one of `wanted`.
fn may_be(types: &[&str], wanted: &[&str]) -> bool {
    types.is_empty() || types.iter().all(|one| wanted.contains(one))
}

fn fits(scalar: Scalar, types: &[&str]) -> bool {
    match scalar {
        Scalar::Json => true,
        Scalar::Int => may_be(types, &["integer"]),
        Scalar::Float => may_be(types, &["integer", "number"]),
        Scalar::Boolean => may_be(types, &["boolean"]),
        Scalar::Id => may_be(types, &["string", "integer"]),
        Scalar::String | Scalar::DateTime => may_be(types, &["string"]),
    }
}

/// The shape of an enumeration that has `words`, all that the member may be.
fn words_of<'a>(name: &str, words: impl Iterator<Item = &'a str>, schema: Option<&Value>, types: &[&str]) -> Result<Shape, String> {
    if !may_be(types, &["string"]) {
        return Err(format!("the member is of type {}, and no text", types.join(" or ")));
    }
    let words: HashSet<&str> = words.collect();
    let values = schema.and_then(|schema| schema.get("enum")).and_then(Value::as_array);
    let left_out: Vec<&str> = values.into_iter().flatten().filter_map(Value::as_str).filter(|value| !words.contains(value)).collect();
    match left_out.as_slice() {
        [] => Ok(Shape::Enum(name.to_owned())),
        missing => Err(format!("{name} leaves out {}, which the member may be", missing.join(", "))),
    }
}

fn types(schema: &Value) -> Vec<&str> {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    types.into_iter().filter(|name| *name != "null").collect()
}

/// A written type as an input's.
pub(super) fn sent(written: &Written, definitions: &Definitions<'_>, side: Side) -> Ty {
    match &written.base {
        BaseType::List(inner) => {
            let inner_ty = sent(inner, definitions, Side::Input);
            if inner.nullable { inner_ty.list() } else { inner_ty.required().list() }
        }
        BaseType::Named(name) if definitions.nested(name).is_some() => {
            Ty::named(format!("{name}{}", if side == Side::Patch { "Patch" } else { "Input" }))
        }
        BaseType::Named(name) => Ty::named(name.as_str()),
    }
}
