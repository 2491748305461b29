//! The schema that follows from a blueprint: for each resource type its object type, one field to get one and one to list many, a mutation
//! for each change, and the records that it belongs to or that belong to it; for events a subscription.

use std::collections::HashMap;
use std::sync::Arc;

use blueprint::Blueprint;
use records::{Records, ResourceType};

use super::inputs::{self, Listing};
use super::names::{self, Taken};
use super::reach::Reach;
use super::shapes::{Member, Shapes, Side};
use super::{
    Argument, EventPart, Exposed, Field, Form, MUTATION, Model, ObjectType, QUERY, ResourceAt, SUBSCRIPTION, Source, Ty, connections,
};

/// A resource type on its way into a model.
struct Drawn {
    at: ResourceAt,
    type_name: String,
    kind: Arc<ResourceType>,
    members: Vec<Member>,
    listing: Listing,
    connection: String,
}

/// The schema of a blueprint.
///
/// Errors: internal, when `records` does not know a resource type of it.
pub(crate) fn derive(blueprint: &Blueprint, records: &Records) -> kernel::Result<Model> {
    let mut model = Model::new();
    connections::add_shared(&mut model);
    add_events(&mut model);
    let mut taken = Taken::default();
    let mut drawn = Vec::new();
    for resource in &blueprint.resources {
        let kind = Arc::clone(records.resource_type(&resource.name)?);
        let type_name = taken.take(names::type_name(&resource.name));
        let at = model.resources.len();
        model.resources.push(Exposed { kind: Arc::clone(&kind), reach: Arc::new(Reach::of(blueprint, resource)), sorts: HashMap::new() });
        drawn.push(draw(&mut model, at, type_name, kind));
    }
    for one in &drawn {
        let object = object(one, &drawn);
        model.add_object(object);
    }
    let (mut query, mutation) = (roots_of_queries(&drawn), roots_of_mutations(&drawn));
    if query.is_empty() {
        // A schema must have something to ask (GraphQL §3.6), and a product may have events only.
        let nothing = Field::new("_nothing", Ty::named("Boolean"), Source::Member(Vec::new()));
        query.push(nothing.about("Always null: this product has no resource types. Its events can be subscribed to."));
    }
    model.add_object(ObjectType { name: QUERY.into(), description: "What can be asked.".into(), fields: query });
    if !mutation.is_empty() {
        model.add_object(ObjectType { name: MUTATION.into(), description: "What can be changed.".into(), fields: mutation });
    }
    Ok(model)
}

fn draw(model: &mut Model, at: ResourceAt, type_name: String, kind: Arc<ResourceType>) -> Drawn {
    let resource = kind.resource();
    let members = Shapes::new(&resource.schema).members(model, &type_name);
    let listing = inputs::listing(model, &type_name, resource, &members);
    model.resources[at].sorts.clone_from(&listing.sorts);
    inputs::add(model, &type_name, resource, &members);
    let connection = connections::add(model, &type_name);
    Drawn { at, type_name, kind, members, listing, connection }
}

/// The object type of a resource type.
fn object(one: &Drawn, all: &[Drawn]) -> ObjectType {
    let resource = one.kind.resource();
    let mut taken = Taken::default();
    let mut fields = Vec::new();
    let time = || Ty::named("DateTime").required();
    for (name, ty, source, about) in [
        ("id", Ty::named("ID").required(), Source::Id, "Its id."),
        ("externalId", Ty::named("ID"), Source::ExternalId, "The host's id for it, if it gave one."),
    ] {
        fields.push(Field::new(taken.take(name.into()), ty, source).about(about));
    }
    for member in &one.members {
        let ty = member.shape.ty(Side::Output);
        let ty = if member.is_sure { ty.required() } else { ty };
        fields.push(Field::new(taken.take(member.field.clone()), ty, Source::Member(member.path.clone())).about(&member.about));
    }
    let created = names::member_name(&resource.created_field);
    fields.push(Field::new(taken.take(created), time(), Source::CreatedAt).about("When it was created."));
    let updated = resource.updated_field.as_ref().map_or_else(|| "updatedAt".to_owned(), |name| names::member_name(name));
    fields.push(Field::new(taken.take(updated), time(), Source::UpdatedAt).about("When it was last changed."));
    let version =
        "Its version: 1 at first, one more with every change. Send it as `version` of a mutation to change only what you have seen.";
    fields.push(Field::new(taken.take("_version".into()), Ty::named("Int").required(), Source::Revision).about(version));
    let open = resource.schema.as_object().is_some_and(super::shapes::takes_more);
    if open {
        let about = "All of its members, also those that the schema does not name.";
        fields.push(Field::new(taken.take("_document".into()), Ty::named("JSON").required(), Source::Member(Vec::new())).about(about));
    }
    fields.extend(parents(one, all, &mut taken));
    fields.extend(children(one, all, &mut taken));
    let description = resource.schema.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
    ObjectType { name: one.type_name.clone(), description: description.to_owned(), fields }
}

/// `companyId` of a call leads to its `company`.
fn parents(one: &Drawn, all: &[Drawn], taken: &mut Taken) -> Vec<Field> {
    let each = one.kind.resource().parents.iter().filter_map(|parent| {
        let target = all.iter().find(|other| other.kind.name() == parent.resource)?;
        let name = taken.take(parent_name(&parent.field, &parent.resource));
        let about = format!("The {} that {} names; null if it is gone.", parent.resource, parent.field);
        Some(Field::new(name, Ty::named(&target.type_name), Source::Parent(target.at, parent.field.clone())).about(about))
    });
    each.collect()
}

/// `companyId`, `company_id` to `company`; else the name of the resource type.
pub(crate) fn parent_name(member: &str, resource: &str) -> String {
    let stem = member.strip_suffix("Id").or_else(|| member.strip_suffix("_id")).filter(|stem| !stem.is_empty());
    names::field_name(stem.unwrap_or(resource))
}

/// A company has `calls`: those whose `companyId` names it.
fn children(one: &Drawn, all: &[Drawn], taken: &mut Taken) -> Vec<Field> {
    let mut out = Vec::new();
    for other in all {
        let own = other.kind.resource().parents.iter().filter(|parent| parent.resource == one.kind.name());
        for parent in own {
            let several = other.kind.resource().parents.iter().filter(|same| same.resource == one.kind.name()).count() > 1;
            let plural = names::field_name(&other.kind.resource().plural);
            let name = if several { format!("{plural}By{}", names::upper(&names::field_name(&parent.field))) } else { plural };
            let source = Source::Children(other.at, parent.field.clone(), Form::Connection);
            let arguments = connections::arguments(&other.listing, Form::Connection);
            let about = format!("The {} whose {} names this.", other.kind.resource().plural, parent.field);
            out.push(Field::new(taken.take(name), Ty::named(&other.connection), source).with(arguments).about(about));
        }
    }
    out
}

fn roots_of_queries(drawn: &[Drawn]) -> Vec<Field> {
    let mut taken = Taken::default();
    let mut out = Vec::new();
    for one in drawn {
        let resource = one.kind.resource();
        let single = names::field_name(&resource.name);
        if resource.singleton {
            let field = Field::new(taken.take(single), Ty::named(&one.type_name), Source::Single(one.at));
            out.push(field.about(format!("The tenant's {}.", resource.name)));
            continue;
        }
        let get = Field::new(taken.take(single), Ty::named(&one.type_name), Source::Get(one.at)).with(vec![id_argument()]);
        out.push(get.about(format!("One {} by its id; null if there is none.", resource.name)));
        let plural = taken.take(names::field_name(&resource.plural));
        let list = Field::new(plural, Ty::named(&one.connection), Source::List(one.at, Form::Connection));
        let arguments = connections::arguments(&one.listing, Form::Connection);
        out.push(list.with(arguments).about(format!("The tenant's {}, a part at a time.", resource.plural)));
    }
    out
}

/// What names a record.
pub(crate) fn id_argument() -> Argument {
    Argument::new("id", Ty::named("ID").required(), "Its id, or `ext:` and the host's id.")
}

/// What names the version that a change is meant for.
pub(crate) fn version_argument() -> Argument {
    let about = "Change it only if this is its version (`_version`): else the error `precondition_failed`, and nothing happens.";
    Argument::new("version", Ty::named("Int"), about)
}

fn roots_of_mutations(drawn: &[Drawn]) -> Vec<Field> {
    let mut taken = Taken::default();
    let mut out = Vec::new();
    for one in drawn {
        out.extend(mutations(&mut taken, one.at, &one.type_name, one.kind.resource().singleton, &one.kind.resource().name));
    }
    out
}

/// The mutations of one object type.
pub(crate) fn mutations(taken: &mut Taken, at: ResourceAt, type_name: &str, is_single: bool, word: &str) -> Vec<Field> {
    let mut field =
        |verb: &str, ty: Ty, source: Source, about: String| Field::new(taken.take(format!("{verb}{type_name}")), ty, source).about(about);
    // What fails is null, so that the others of the same operation, which have happened, are told.
    let one = || Ty::named(type_name);
    let patch =
        Argument::new("patch", Ty::named(format!("{type_name}Patch")).required(), "What changes: null removes a member, others stay.");
    let update = field("update", one(), Source::Update(at), format!("Changes {}.", blueprint::with_article(word)));
    if is_single {
        return vec![update.with(vec![patch, version_argument()])];
    }
    let input = Argument::new("input", Ty::named(format!("{type_name}Input")).required(), "Its members.");
    let external = Argument::new("externalId", Ty::named("ID"), "The host's id for it, unique among its kind.");
    vec![
        field("create", one(), Source::Create(at), format!("Creates {}.", blueprint::with_article(word))).with(vec![input, external]),
        update.with(vec![id_argument(), patch, version_argument()]),
        field("delete", Ty::named("DeletedRecord"), Source::Delete(at), format!("Deletes {}.", blueprint::with_article(word)))
            .with(vec![id_argument(), version_argument()]),
    ]
}

/// The events, and what a deletion answers.
pub(crate) fn add_events(model: &mut Model) {
    let field =
        |name: &str, ty: &str, part: EventPart, about: &str| Field::new(name, Ty::named(ty).required(), Source::Event(part)).about(about);
    let mut data = field("data", "JSON", EventPart::Data, "The payload; null once it has been erased.");
    data.ty = Ty::named("JSON");
    model.add_object(ObjectType {
        name: "Event".into(),
        description: "A fact that happened.".into(),
        fields: vec![
            field("id", "ID", EventPart::Id, "Its id."),
            field("type", "String", EventPart::Type, "What happened."),
            field("occurredAt", "DateTime", EventPart::OccurredAt, "When it happened."),
            field("createdAt", "DateTime", EventPart::CreatedAt, "When it was accepted."),
            data,
            field("cursor", "String", EventPart::Cursor, "The place after it: send it as `cursor` to go on here."),
        ],
    });
    let types = Argument::new("types", Ty::named("String").required().list(), "Types and patterns (`lead.*`); none: all.");
    let cursor = Argument::new("cursor", Ty::named("String"), "Go on here, so that nothing is missed; none: with what comes.");
    let events = Field::new("events", Ty::named("Event").required(), Source::Events).with(vec![types, cursor]);
    model.add_object(ObjectType {
        name: SUBSCRIPTION.into(),
        description: "What is told as it happens.".into(),
        fields: vec![events.about("Events as they are committed, in order.")],
    });
    model.add_object(ObjectType {
        name: "DeletedRecord".into(),
        description: "What was deleted.".into(),
        fields: vec![Field::new("id", Ty::named("ID").required(), Source::DeletedId).about("Its id.")],
    });
}
