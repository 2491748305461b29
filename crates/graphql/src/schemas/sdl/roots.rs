//! What can be asked of a tenant's schema: as `type Query` says, or one and many of each type; and what can be changed.

use super::definitions::{Definitions, WrittenField, ty};
use super::fields::is_wanted;
use super::{Drawn, Told};
use crate::model::derive::{id_argument, mutations};
use crate::model::names::{self, Taken};
use crate::model::{Argument, Field, Form, MUTATION, Model, ObjectType, QUERY, Source, Ty, connections};

/// Adds the roots.
pub(super) fn add(model: &mut Model, definitions: &Definitions<'_>, drawn: &[Drawn], told: &mut Told) {
    let query = match &definitions.query {
        Some(fields) => fields.iter().filter_map(|field| root(field, definitions, drawn, told)).collect(),
        None => both(definitions, drawn),
    };
    model.add_object(ObjectType { name: QUERY.into(), description: "What can be asked.".into(), fields: query });
    let mut taken = Taken::default();
    let mut fields = Vec::new();
    for one in drawn {
        let Some(owner) = definitions.owner(&one.name) else { continue };
        let resource = owner.resource;
        let mut own = mutations(&mut taken, one.at, &one.name, resource.singleton, &resource.name);
        // What cannot be sent whole cannot be made.
        let properties = resource.schema.get("required").and_then(serde_json::Value::as_array).into_iter().flatten();
        let mut wanted = properties.filter_map(serde_json::Value::as_str).filter(|name| is_wanted(&resource.schema, name));
        let derived = |name: &str| resource.is_derived(name) || resource.server_set.iter().any(|set| set == name);
        if wanted.any(|name| !derived(name) && !one.members.iter().any(|member| member.is(name))) {
            own.retain(|field| !matches!(field.source, Source::Create(_)));
        }
        fields.extend(own);
    }
    model.add_object(ObjectType { name: MUTATION.into(), description: "What can be changed.".into(), fields });
}

/// One and many of each type, by its name.
fn both(definitions: &Definitions<'_>, drawn: &[Drawn]) -> Vec<Field> {
    let mut taken = Taken::default();
    let mut out = Vec::new();
    for one in drawn {
        let Some(owner) = definitions.owner(&one.name) else { continue };
        let about = format!("Records of {}.", owner.resource.name);
        let single = taken.take(names::lower(&one.name));
        if owner.resource.singleton {
            out.push(Field::new(single, Ty::named(&one.name), Source::Single(one.at)).about(about));
            continue;
        }
        out.push(Field::new(single, Ty::named(&one.name), Source::Get(one.at)).with(vec![id_argument()]).about(&about));
        let list = Field::new(
            taken.take(names::plural(&one.name)),
            Ty::named(format!("{}Connection", one.name)),
            Source::List(one.at, Form::Connection),
        );
        out.push(list.with(connections::arguments(&one.listing, Form::Connection)).about(about));
    }
    out
}

/// A root as it is written.
fn root(written: &WrittenField<'_>, definitions: &Definitions<'_>, drawn: &[Drawn], told: &mut Told) -> Option<Field> {
    let wanted = ty(&written.definition.ty.node);
    let name = wanted.name();
    let (target, form) = match drawn.iter().find(|one| one.name == name) {
        Some(one) => (one, wanted.is_list().then_some(Form::Plain)),
        None => match name.strip_suffix("Connection").and_then(|name| drawn.iter().find(|one| one.name == name)) {
            Some(one) if !wanted.is_list() => (one, Some(Form::Connection)),
            _ => {
                let fault = "a field of Query shows a type with @resource: the type itself, a list of it, or <Type>Connection";
                told.add(written.definition.ty.pos, fault);
                return None;
            }
        },
    };
    if written.is_placed {
        told.add(written.pos, "@field is for members of types");
    }
    let single = definitions.owner(&target.name).is_some_and(|owner| owner.resource.singleton);
    let (source, mut arguments) = match form {
        Some(form) => (Source::List(target.at, form), connections::arguments(&target.listing, form)),
        None if single => (Source::Single(target.at), Vec::new()),
        None => (Source::Get(target.at), vec![id_argument()]),
    };
    for argument in &written.definition.arguments {
        let name = argument.node.name.node.as_str();
        if arguments.iter().any(|known| known.name == name) {
            continue;
        }
        match (form, further(target, name)) {
            (Some(_), Some(further)) => arguments.push(further),
            _ => {
                let known = known(target, &arguments, form.is_some()).join(", ");
                told.add(argument.pos, format!("there is no argument {name} here; there are {known}"));
            }
        }
    }
    Some(Field::new(&written.name, wanted, source).with(arguments).about(&written.description))
}

/// The names of the arguments that a root may have; each once.
fn known<'a>(target: &'a Drawn, arguments: &'a [Argument], is_list: bool) -> Vec<&'a str> {
    let mut names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    let filtered = target.members.iter().map(|member| member.field.as_str()).filter(|name| target.listing.filters.contains(*name));
    for name in std::iter::once("limit").chain(filtered).filter(|_| is_list) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// An argument that a tenant asks for: `limit`, or a field that must be equal.
fn further(target: &Drawn, name: &str) -> Option<Argument> {
    if name == "limit" {
        return Some(Argument::new(name, Ty::named("Int"), "The first so many: 1 to 100."));
    }
    let member = target.members.iter().find(|member| member.field == name && target.listing.filters.contains(name))?;
    let ty = member.shape.ty(crate::model::shapes::Side::Input);
    let mut argument = Argument::new(name, ty, format!("Only records whose {name} is this."));
    // A place in the record makes it a comparison, whatever it is called.
    argument.member.clone_from(&member.path);
    Some(argument)
}
