//! What a document of type definitions defines.

use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, ServiceDocument, Type as Written, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Pos, Positioned, Value};
use blueprint::model::Resource;

use super::{Told, World};
use crate::model::names::{self, RESERVED};
use crate::model::{QUERY, ResourceAt, Scalar, Ty};

/// What is added for each type that shows records.
const SUFFIXES: [&str; 7] = ["Connection", "Edge", "Filter", "Sort", "SortField", "Input", "Patch"];

/// What a document defines.
#[derive(Default)]
pub(super) struct Definitions<'a> {
    /// Types that show records, in order.
    pub(super) owners: Vec<Owner<'a>>,
    /// Types of objects inside of records.
    pub(super) nested: Vec<Nested<'a>>,
    /// Enumerations by name.
    pub(super) enums: Vec<(String, Words)>,
    /// The fields of `type Query`, if it is there.
    pub(super) query: Option<Vec<WrittenField<'a>>>,
}

/// A type that shows records.
pub(super) struct Owner<'a> {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) at: ResourceAt,
    pub(super) resource: &'a Resource,
    pub(super) fields: Vec<WrittenField<'a>>,
}

/// A type of objects inside of records.
pub(super) struct Nested<'a> {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) fields: Vec<WrittenField<'a>>,
}

/// An enumeration.
pub(super) struct Words {
    pub(super) description: String,
    pub(super) values: Vec<String>,
}

/// A field as it is written.
pub(super) struct WrittenField<'a> {
    pub(super) name: String,
    pub(super) pos: Pos,
    pub(super) description: String,
    pub(super) definition: &'a FieldDefinition,
    /// The members that lead to its value; its own name where `@field` says nothing.
    pub(super) path: Vec<String>,
    /// Whether `@field` says something.
    pub(super) is_placed: bool,
}

impl<'a> Definitions<'a> {
    pub(super) fn owner(&self, name: &str) -> Option<&Owner<'a>> {
        self.owners.iter().find(|owner| owner.name == name)
    }

    pub(super) fn nested(&self, name: &str) -> Option<&Nested<'a>> {
        self.nested.iter().find(|nested| nested.name == name)
    }

    pub(super) fn words(&self, name: &str) -> Option<&Words> {
        self.enums.iter().find(|(known, _)| known == name).map(|(_, words)| words)
    }
}

/// A type as a model writes it.
pub(super) fn ty(written: &Written) -> Ty {
    let base = match &written.base {
        BaseType::Named(name) => Ty::named(name.as_str()),
        BaseType::List(inner) => ty(inner).list(),
    };
    if written.nullable { base } else { base.required() }
}

/// Reads the definitions; what cannot be served is told.
pub(super) fn read<'a>(document: &'a ServiceDocument, world: &World<'a>, told: &mut Told) -> Definitions<'a> {
    let mut out = Definitions::default();
    for definition in &document.definitions {
        match definition {
            TypeSystemDefinition::Type(one) => type_definition(&mut out, one, world, told),
            // Saying what the two directives are is harmless, and some tools want it.
            TypeSystemDefinition::Directive(one) if matches!(one.node.name.node.as_str(), "resource" | "field") => {}
            TypeSystemDefinition::Directive(one) => told.add(one.pos, "there are the directives @resource and @field only"),
            TypeSystemDefinition::Schema(one) => {
                let named =
                    |name: &Option<Positioned<async_graphql::Name>>, usual: &str| name.as_ref().is_none_or(|name| name.node == *usual);
                let usual =
                    named(&one.node.query, QUERY) && named(&one.node.mutation, "Mutation") && named(&one.node.subscription, "Subscription");
                if !usual || one.node.extend {
                    told.add(one.pos, "the roots are called Query, Mutation and Subscription");
                }
            }
        }
    }
    clashes(&out, document, told);
    unknown_types(&out, told);
    out
}

fn type_definition<'a>(out: &mut Definitions<'a>, one: &'a Positioned<TypeDefinition>, world: &World<'a>, told: &mut Told) {
    let (definition, name) = (&one.node, one.node.name.node.to_string());
    let pos = definition.name.pos;
    let description = definition.description.as_ref().map(|text| text.node.clone()).unwrap_or_default();
    if definition.extend {
        return told.add(one.pos, "types are defined once and whole: write the type without extend");
    }
    match &definition.kind {
        TypeKind::Object(_) if matches!(name.as_str(), "Mutation" | "Subscription") => {
            told.add(pos, format!("{name} follows from the types: leave it out"));
        }
        TypeKind::Object(object) => {
            let fields: Vec<WrittenField<'a>> = object.fields.iter().filter_map(|field| written(field, told)).collect();
            for (at, field) in fields.iter().enumerate() {
                if fields[..at].iter().any(|before| before.name == field.name) {
                    told.add(field.pos, format!("{name} has a field {} already", field.name));
                }
            }
            if name == QUERY {
                out.query = Some(fields);
                return;
            }
            if let Some(resource) = resource(&definition.directives, world, told) {
                out.owners.push(Owner { name, description, at: out.owners.len(), resource, fields });
            } else if !definition.directives.iter().any(|directive| directive.node.name.node == "resource") {
                out.nested.push(Nested { name, description, fields });
            }
        }
        TypeKind::Enum(one) => {
            let values = one.values.iter().map(|value| value.node.value.node.to_string()).collect();
            out.enums.push((name, Words { description, values }));
        }
        TypeKind::Scalar if Scalar::ALL.iter().any(|(_, known)| *known == name) => {}
        TypeKind::Scalar => {
            let known: Vec<&str> = Scalar::ALL.iter().map(|(_, name)| *name).collect();
            told.add(pos, format!("the scalars are {}", known.join(", ")));
        }
        TypeKind::Interface(_) | TypeKind::Union(_) => {
            told.add(pos, "interfaces and unions are not taken: define a type for each resource");
        }
        TypeKind::InputObject(_) => told.add(pos, "inputs follow from the types: leave them out"),
    }
}

fn written<'a>(field: &'a Positioned<FieldDefinition>, told: &mut Told) -> Option<WrittenField<'a>> {
    let name = field.node.name.node.to_string();
    let (mut path, mut is_placed) = (vec![name.clone()], false);
    for directive in &field.node.directives {
        match directive.node.name.node.as_str() {
            "field" => {
                let (text, pos) = argument(directive, "path", told)?;
                path = text.split('.').map(str::to_owned).collect();
                is_placed = true;
                if path.iter().any(String::is_empty) || path.len() > 8 {
                    told.add(pos, "a path is names of members with dots between them: address.city");
                    return None;
                }
            }
            "deprecated" => {}
            other => told.add(directive.pos, format!("@{other} is not known: on fields there is @field(path:)")),
        }
    }
    if !names::is_name(&name) {
        told.add(field.node.name.pos, "a name does not begin with two underscores");
        return None;
    }
    let description = field.node.description.as_ref().map(|text| text.node.clone()).unwrap_or_default();
    Some(WrittenField { name, pos: field.node.name.pos, description, definition: &field.node, path, is_placed })
}

/// The resource type that a type shows.
fn resource<'a>(directives: &[Positioned<ConstDirective>], world: &World<'a>, told: &mut Told) -> Option<&'a Resource> {
    for other in directives.iter().filter(|directive| directive.node.name.node != "resource") {
        told.add(other.pos, format!("@{} is not known: on types there is @resource(name:)", other.node.name.node));
    }
    let directive = directives.iter().find(|directive| directive.node.name.node == "resource")?;
    let (name, pos) = argument(directive, "name", told)?;
    let found = world.blueprint.resource(&name);
    if found.is_none() {
        let known: Vec<&str> = world.blueprint.resources.iter().map(|resource| resource.name.as_str()).collect();
        told.add(pos, format!("there is no resource type {name:?}; there are {}", known.join(", ")));
    }
    found
}

/// The one argument of a directive, a text.
fn argument(directive: &Positioned<ConstDirective>, name: &str, told: &mut Told) -> Option<(String, Pos)> {
    let [(known, value)] = directive.node.arguments.as_slice() else {
        told.add(directive.pos, format!("@{} has one argument: {name}", directive.node.name.node));
        return None;
    };
    match &value.node {
        Value::String(text) if known.node == *name => Some((text.clone(), value.pos)),
        _ => {
            told.add(known.pos, format!("@{} has one argument, a text: {name}", directive.node.name.node));
            None
        }
    }
}

/// Names that two things would have.
fn clashes(out: &Definitions<'_>, document: &ServiceDocument, told: &mut Told) {
    let mut seen: Vec<&str> = Vec::new();
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(one) = definition else { continue };
        let (name, pos) = (one.node.name.node.as_str(), one.node.name.pos);
        let is_scalar = matches!(one.node.kind, TypeKind::Scalar);
        if seen.contains(&name) {
            told.add(pos, format!("{name} is defined twice"));
        }
        seen.push(name);
        if name != QUERY && !is_scalar && !matches!(name, "Mutation" | "Subscription") && RESERVED.contains(&name) {
            told.add(pos, format!("{name} is a name of the server's own: choose another"));
        }
        if !names::is_name(name) {
            told.add(pos, "a name does not begin with two underscores");
        }
        let follows = |owner: &Owner<'_>| SUFFIXES.iter().any(|suffix| format!("{}{suffix}", owner.name) == name);
        let inside = |nested: &Nested<'_>| ["Input", "Patch"].iter().any(|suffix| format!("{}{suffix}", nested.name) == name);
        if out.owners.iter().any(follows) || out.nested.iter().any(inside) {
            told.add(pos, format!("{name} follows from another type: leave it out, or choose another name"));
        }
    }
    let empty = |fields: &[WrittenField<'_>]| fields.is_empty();
    if out.owners.iter().any(|owner| empty(&owner.fields)) || out.nested.iter().any(|nested| empty(&nested.fields)) {
        told.add(Pos { line: 1, column: 1 }, "every type has at least one field");
    }
}

/// Fields of types that nobody defines.
fn unknown_types(out: &Definitions<'_>, told: &mut Told) {
    let scalar = |name: &str| Scalar::ALL.iter().any(|(_, known)| *known == name);
    let connection = |name: &str| name.strip_suffix("Connection").is_some_and(|owner| out.owner(owner).is_some());
    let known = |name: &str| {
        scalar(name) || out.owner(name).is_some() || out.nested(name).is_some() || out.words(name).is_some() || connection(name)
    };
    let fields = out.owners.iter().flat_map(|owner| &owner.fields).chain(out.nested.iter().flat_map(|nested| &nested.fields));
    for field in fields.chain(out.query.iter().flatten()) {
        let ty = ty(&field.definition.ty.node);
        if !known(ty.name()) {
            told.add(field.definition.ty.pos, format!("there is no type {}", ty.name()));
        }
    }
}
