//! A tenant's type definitions: read, checked against the blueprint, and made into a schema.
//!
//! ```graphql
//! type Deal @resource(name: "lead") {
//!   id: ID!
//!   state: String @field(path: "status")
//!   city: String @field(path: "address.city")
//!   owner: Person @field(path: "agentId")
//!   offers: [Offer!]
//! }
//! ```
//!
//! A type with `@resource` shows records of that resource type; a type without shows objects inside of them. A field is the member of its own
//! name, or the one at `@field(path:)`; a field of another type with `@resource` leads to the record that the member names, a list of such to
//! the records that name this one. `type Query` may choose and rename the roots: a type by itself is one record by `id`, a list of it many,
//! `<Type>Connection` many with their places; without it both come from the types' names. What cannot be served is refused with line and
//! column, all of it at once.

mod definitions;
mod fields;
mod roots;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Pos, parser};
use records::ResourceType;

use crate::documents::scan;
use crate::model::derive::add_events;
use crate::model::inputs::{self, Listing};
use crate::model::reach::Reach;
use crate::model::shapes::{Member, Side};
use crate::model::{Argument, EnumType, Exposed, Field, InputType, Model, ObjectType, ResourceAt, Source, connections};
use definitions::{Definitions, Nested, Owner};

/// Longest type definitions, in bytes.
pub(crate) const MAX_BYTES: usize = scan::MAX_BYTES;
/// Most faults that are told at once.
const MAX_FAULTS: usize = 50;

/// What is wrong, each with its place: `line 3, column 5: …`.
pub(crate) type Faults = Vec<String>;

/// What type definitions may refer to.
pub(crate) struct World<'a> {
    /// The blueprint.
    pub(crate) blueprint: &'a blueprint::Blueprint,
    /// Its resource type of this name.
    pub(crate) kind: &'a dyn Fn(&str) -> Option<Arc<ResourceType>>,
}

/// A collection of faults.
#[derive(Default)]
pub(super) struct Told(Faults);

impl Told {
    pub(super) fn add(&mut self, pos: Pos, fault: impl std::fmt::Display) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(format!("line {}, column {}: {fault}", pos.line, pos.column));
        }
    }
}

/// A type that shows records, on its way into the model.
pub(super) struct Drawn {
    pub(super) at: ResourceAt,
    pub(super) name: String,
    pub(super) members: Vec<Member>,
    pub(super) fields: Vec<Field>,
    pub(super) listing: Listing,
}

/// Makes a schema of type definitions.
///
/// Errors: what is wrong, in words.
pub(crate) fn compile(text: &str, world: &World<'_>) -> Result<Model, Faults> {
    scan::check(text).map_err(|failure| vec![format!("line 1, column 1: {}", failure.message())])?;
    let document = parser::parse_schema(text).map_err(|error| {
        let pos = error.positions().next().unwrap_or_default();
        vec![format!("line {}, column {}: this is not SDL: there is a syntax error here", pos.line, pos.column)]
    })?;
    let mut told = Told::default();
    let definitions = definitions::read(&document, world, &mut told);
    if definitions.owners.is_empty() && told.0.is_empty() {
        told.add(Pos { line: 1, column: 1 }, "no type has @resource(name:), so that there is nothing to show");
    }
    let mut model = Model::new();
    connections::add_shared(&mut model);
    add_events(&mut model);
    add_enums(&mut model, &definitions);
    add_nested(&mut model, &definitions);
    let mut drawn = Vec::new();
    for owner in &definitions.owners {
        drawn.extend(draw(&mut model, owner, &definitions, world, &mut told));
    }
    if !told.0.is_empty() {
        return Err(told.0);
    }
    for one in &mut drawn {
        connections::add(&mut model, &one.name);
    }
    // Lists of other types are shown with those types' own filters and orders.
    let listings: HashMap<String, Listing> = drawn.iter().map(|one| (one.name.clone(), one.listing.clone())).collect();
    for one in &mut drawn {
        for field in &mut one.fields {
            if let Source::Children(_, _, form) = field.source
                && let Some(listing) =
                    listings.get(field.ty.name().trim_end_matches("Connection")).or_else(|| listings.get(field.ty.name()))
            {
                field.arguments = connections::arguments(listing, form);
            }
        }
        let fields = std::mem::take(&mut one.fields);
        let owner = definitions.owners.iter().find(|owner| owner.name == one.name);
        let description = owner.map(|owner| owner.description.clone()).unwrap_or_default();
        model.add_object(ObjectType { name: one.name.clone(), description, fields });
    }
    roots::add(&mut model, &definitions, &drawn, &mut told);
    if told.0.is_empty() { Ok(model) } else { Err(told.0) }
}

fn add_enums(model: &mut Model, definitions: &Definitions<'_>) {
    for (name, one) in &definitions.enums {
        model.add_enum(EnumType { name: name.clone(), description: one.description.clone(), values: one.values.clone() });
    }
}

/// Types of objects inside of records, with their inputs.
fn add_nested(model: &mut Model, definitions: &Definitions<'_>) {
    for Nested { name, description, fields } in &definitions.nested {
        let out = fields.iter().map(|field| {
            let ty = definitions::ty(&field.definition.ty.node);
            Field::new(&field.name, ty, Source::Member(field.path.clone())).about(&field.description)
        });
        model.add_object(ObjectType { name: name.clone(), description: description.clone(), fields: out.collect() });
        for side in [Side::Input, Side::Patch] {
            let suffix = if side == Side::Input { "Input" } else { "Patch" };
            let inputs = fields.iter().map(|field| {
                let ty = fields::sent(&field.definition.ty.node, definitions, side);
                Argument::new(&field.name, ty, &field.description).of(&field.path)
            });
            model.add_input(InputType { name: format!("{name}{suffix}"), description: description.clone(), fields: inputs.collect() });
        }
    }
}

/// A type that shows records: its members, filters, orders and inputs.
fn draw(model: &mut Model, owner: &Owner<'_>, definitions: &Definitions<'_>, world: &World<'_>, told: &mut Told) -> Option<Drawn> {
    let kind = (world.kind)(&owner.resource.name)?;
    let at = owner.at;
    debug_assert_eq!(at, model.resources.len(), "owners are drawn in their order");
    let reach = Arc::new(Reach::of(world.blueprint, owner.resource));
    model.resources.push(Exposed { kind, reach, sorts: HashMap::new() });
    let mut members: Vec<Member> = Vec::new();
    let mut fields = Vec::new();
    for written in &owner.fields {
        match fields::resolve(owner, written, definitions) {
            Ok((field, member)) => {
                fields.push(field);
                members.extend(member);
            }
            Err((pos, fault)) => told.add(pos, fault),
        }
    }
    let listing = inputs::listing(model, &owner.name, owner.resource, &members);
    model.resources[at].sorts.clone_from(&listing.sorts);
    inputs::add(model, &owner.name, owner.resource, &members);
    Some(Drawn { at, name: owner.name.clone(), members, fields, listing })
}
