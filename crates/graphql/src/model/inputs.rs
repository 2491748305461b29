//! What is sent: filters and orders of lists, members of records.

use std::collections::{HashMap, HashSet};

use blueprint::model::Resource;
use serde_json::Value;

use super::names::{self, Taken};
use super::shapes::{Member, Shape, Side};
use super::{Argument, EnumType, InputType, Model, Scalar, Ty};

/// What a list can be asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    /// Name of the filter's input type.
    pub(crate) filter: String,
    /// Name of the order's input type.
    pub(crate) sort: String,
    /// Whether text can be searched for.
    pub(crate) is_searchable: bool,
    /// The words of the order, and the members that they stand for.
    pub(crate) sorts: HashMap<String, String>,
    /// The fields that can be compared.
    pub(crate) filters: HashSet<String>,
}

/// Names of combinations of filters.
pub(crate) const COMBINATIONS: [&str; 3] = ["and", "or", "not"];
/// Comparisons for values that have an order, by the names that they have in `records` too.
const ORDERED: [&str; 9] = ["eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "exists"];
/// For values that have none.
const PLAIN: [&str; 5] = ["eq", "ne", "in", "nin", "exists"];
/// For the creation time.
const CREATED: [&str; 5] = ["eq", "gt", "gte", "lt", "lte"];

/// Adds the filter and the order of an object type with these members: what is none of them is neither filtered nor sorted by.
pub(crate) fn listing(model: &mut Model, type_name: &str, resource: &Resource, members: &[Member]) -> Listing {
    let field_of = |name: &str| members.iter().find(|member| member.is(name)).map(|member| (member.field.clone(), &member.shape));
    let filter = format!("{type_name}Filter");
    let mut fields = Vec::new();
    for member in &resource.filters {
        let Some((field, shape)) = field_of(member) else { continue };
        if COMBINATIONS.contains(&field.as_str()) {
            continue;
        }
        let compared = comparison(model, shape);
        let about = format!("Compares {member}.");
        fields.push(Argument::new(field, Ty::named(compared), about).of(std::slice::from_ref(member)));
    }
    let created = names::member_name(&resource.created_field);
    if !fields.iter().any(|field| field.name == created) {
        model.add_input(compare("CreationFilter", "DateTime", &CREATED));
        let about = "Compares the time of creation.";
        fields.push(Argument::new(created.clone(), Ty::named("CreationFilter"), about).of(std::slice::from_ref(&resource.created_field)));
    }
    let filters = fields.iter().map(|field| field.name.clone()).collect();
    let own = || Ty::named(&filter).required();
    fields.push(Argument::new("and", own().list(), "All of these hold."));
    fields.push(Argument::new("or", own().list(), "At least one of these holds."));
    fields.push(Argument::new("not", Ty::named(&filter), "This does not hold."));
    let description = format!("Which {} a list shows: all that is named must hold.", resource.plural);
    model.add_input(InputType { name: filter.clone(), description, fields });
    let mut sorts: Vec<(String, String)> = resource
        .sort
        .iter()
        .filter_map(|member| Some((field_of(member)?.0, member.clone())))
        .filter(|(word, _)| *word != created)
        .collect();
    sorts.push((created, resource.created_field.clone()));
    sorts.retain(|(word, _)| !matches!(word.as_str(), "true" | "false" | "null"));
    let values = sorts.iter().map(|(word, _)| word.clone()).collect();
    let (by, sort) = (format!("{type_name}SortField"), format!("{type_name}Sort"));
    model.add_enum(EnumType { name: by.clone(), description: format!("By what {} are sorted.", resource.plural), values });
    let mut direction = Argument::new("direction", Ty::named("SortDirection"), "Which way.");
    direction.default = Some(Value::from("ASC"));
    let field = Argument::new("field", Ty::named(by).required(), "By what.");
    model.add_input(InputType { name: sort.clone(), description: "An order.".into(), fields: vec![field, direction] });
    Listing { filter, sort, is_searchable: !resource.search.is_empty(), sorts: sorts.into_iter().collect(), filters }
}

/// The name of the input type that compares values of a shape.
fn comparison(model: &mut Model, shape: &Shape) -> String {
    let (name, value) = match shape {
        Shape::Scalar(Scalar::Json) | Shape::Object(_) | Shape::List(..) => ("StringFilter".to_owned(), "String".to_owned()),
        Shape::Scalar(scalar) => (format!("{}Filter", scalar.name()), scalar.name().to_owned()),
        Shape::Enum(name) => (format!("{name}Filter"), name.clone()),
    };
    let is_ordered = !matches!(shape, Shape::Enum(_) | Shape::Scalar(Scalar::Boolean));
    let words: &[&str] = if is_ordered { &ORDERED } else { &PLAIN };
    model.add_input(compare(&name, &value, words));
    name
}

/// An input type with these comparisons of values of a type.
fn compare(name: &str, value: &str, words: &[&str]) -> InputType {
    let one = |about: &'static str| (Ty::named(value), about);
    let many = |about: &'static str| (Ty::named(value).required().list(), about);
    let fields = words.iter().map(|word| {
        let (ty, about) = match *word {
            "eq" => one("Is equal."),
            "ne" => one("Is not equal; holds where it is absent too."),
            "in" => many("Is one of these."),
            "nin" => many("Is none of these; holds where it is absent too."),
            "gt" => one("Is greater."),
            "gte" => one("Is greater or equal."),
            "lt" => one("Is less."),
            "lte" => one("Is less or equal."),
            _ => (Ty::named("Boolean"), "True: is there and not null. False: is absent or null."),
        };
        Argument::new(*word, ty, about)
    });
    let about = format!("Compares a {value}: all that is named must hold.");
    InputType { name: name.to_owned(), description: about, fields: fields.collect() }
}

/// Adds the members of a new record (`…Input`) and of a change (`…Patch`).
pub(crate) fn add(model: &mut Model, type_name: &str, resource: &Resource, members: &[Member]) {
    let open = resource.schema.as_object().is_some_and(super::shapes::takes_more);
    for side in [Side::Input, Side::Patch] {
        let mut taken = Taken::default();
        let writable = members.iter().filter(|member| !member.path.first().is_some_and(|name| resource.is_derived(name)));
        let mut fields: Vec<Argument> = writable
            .map(|member| {
                let ty = member.shape.ty(side);
                let wanted =
                    member.is_wanted && side == Side::Input && !member.path.first().is_some_and(|name| resource.server_set.contains(name));
                Argument::new(taken.take(member.field.clone()), if wanted { ty.required() } else { ty }, &member.about).of(&member.path)
            })
            .collect();
        if open {
            let about = "Members that the schema does not name, as an object.";
            fields.push(Argument::new(taken.take("_document".into()), Ty::named("JSON"), about));
        }
        if fields.is_empty() {
            // An input type has at least one field.
            fields.push(Argument::new("_document", Ty::named("JSON"), "There is nothing to be sent."));
        }
        let (suffix, what) = if side == Side::Input { ("Input", "Members of a new") } else { ("Patch", "Changed members of a") };
        let description = format!("{what} {}.", resource.name);
        model.add_input(InputType { name: format!("{type_name}{suffix}"), description, fields });
    }
}
