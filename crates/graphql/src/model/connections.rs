//! What lists look like: connections after the Relay specification, their edges and pages, and the arguments of every list.

use super::inputs::Listing;
use super::{Argument, EnumType, Field, Form, Model, ObjectType, PagePart, Source, Ty};

/// Adds `PageInfo` and the directions of orders.
pub(crate) fn add_shared(model: &mut Model) {
    let flag = || Ty::named("Boolean").required();
    let part = |name: &str, ty: Ty, part: PagePart, about: &str| Field::new(name, ty, Source::Page(part)).about(about);
    model.add_object(ObjectType {
        name: "PageInfo".into(),
        description: "How a list goes on (Relay).".into(),
        fields: vec![
            part("hasNextPage", flag(), PagePart::HasNext, "Whether there are records after these."),
            part("hasPreviousPage", flag(), PagePart::HasPrevious, "Whether there are records before these."),
            part("startCursor", Ty::named("String"), PagePart::Start, "The place of the first: send it as `before`."),
            part("endCursor", Ty::named("String"), PagePart::End, "The place of the last: send it as `after`."),
        ],
    });
    model.add_enum(EnumType {
        name: "SortDirection".into(),
        description: "Which way an order goes.".into(),
        values: vec!["ASC".into(), "DESC".into()],
    });
}

/// Adds the connection and the edge of an object type; answers the connection's name.
pub(crate) fn add(model: &mut Model, node: &str) -> String {
    let (connection, edge) = (format!("{node}Connection"), format!("{node}Edge"));
    let many = |name: &str| Ty::named(name).required().list().required();
    model.add_object(ObjectType {
        name: edge.clone(),
        description: format!("One {node} of a list, and its place."),
        fields: vec![
            Field::new("cursor", Ty::named("String").required(), Source::Cursor).about("Its place: send it as `after` or `before`."),
            Field::new("node", Ty::named(node).required(), Source::Node).about("The record."),
        ],
    });
    model.add_object(ObjectType {
        name: connection.clone(),
        description: format!("A part of a list of {node} (Relay)."),
        fields: vec![
            Field::new("edges", many(&edge), Source::Edges).about("The records with their places."),
            Field::new("nodes", many(node), Source::Nodes).about("The records alone."),
            Field::new("pageInfo", Ty::named("PageInfo").required(), Source::PageInfo).about("How the list goes on."),
            Field::new("totalCount", Ty::named("Int").required(), Source::TotalCount)
                .about("How many match in all. Counted when it is asked for only."),
        ],
    });
    connection
}

/// The arguments of a list.
pub(crate) fn arguments(listing: &Listing, form: Form) -> Vec<Argument> {
    let int = || Ty::named("Int");
    let text = || Ty::named("String");
    let mut out = vec![
        Argument::new("first", int(), "The first so many after `after`: 1 to 100. Without `first` and `last`: 20."),
        Argument::new("after", text(), "Go on after this cursor."),
        Argument::new("last", int(), "The last so many before `before`: 1 to 100."),
        Argument::new("before", text(), "Go back before this cursor."),
    ];
    if form == Form::Plain {
        out.truncate(2);
    }
    out.push(Argument::new("filter", Ty::named(&listing.filter), "Only records that satisfy all of this."));
    if listing.is_searchable {
        out.push(Argument::new("search", text(), "Only records in whose searchable members this text occurs, whatever the case."));
    }
    out.push(Argument::new("sort", Ty::named(&listing.sort), "The order. Without it: the newest first."));
    out
}
