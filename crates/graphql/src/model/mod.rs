//! A schema as plain data: what there is to ask, and where each field's value comes from.
//!
//! Everything else follows from it: the schema that documents are validated against ([`crate::dynamic`]), what a document costs
//! ([`crate::documents`]), and its execution ([`crate::execute`]). It is made of the blueprint ([`derive`]) or of a tenant's own type
//! definitions ([`crate::schemas`]).

pub(crate) mod connections;
pub(crate) mod derive;
pub(crate) mod inputs;
pub(crate) mod names;
pub(crate) mod reach;
pub(crate) mod shapes;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use records::ResourceType;
use serde_json::Value;

use reach::Reach;

/// Name of the query type.
pub(crate) const QUERY: &str = "Query";
/// Name of the mutation type.
pub(crate) const MUTATION: &str = "Mutation";
/// Name of the subscription type.
pub(crate) const SUBSCRIPTION: &str = "Subscription";

/// A schema.
#[derive(Default)]
pub(crate) struct Model {
    /// Object types, the roots among them.
    pub(crate) objects: Vec<ObjectType>,
    /// Input types.
    pub(crate) inputs: Vec<InputType>,
    /// Enumerations.
    pub(crate) enums: Vec<EnumType>,
    /// The resource types that fields refer to by their place here.
    pub(crate) resources: Vec<Exposed>,
    names: HashMap<String, Kind>,
}

/// A resource type that a schema shows.
pub(crate) struct Exposed {
    /// The resource type.
    pub(crate) kind: Arc<ResourceType>,
    /// Who may do what to its records.
    pub(crate) reach: Arc<Reach>,
    /// The members that lists are sorted by: the word in this schema, and the record's name.
    pub(crate) sorts: HashMap<String, String>,
}

/// What a name of a type stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A scalar.
    Scalar(Scalar),
    /// An enumeration, by its place in [`Model::enums`].
    Enum(usize),
    /// An object type, by its place in [`Model::objects`].
    Object(usize),
    /// An input type, by its place in [`Model::inputs`].
    Input(usize),
}

/// The scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A signed integer of 32 bits.
    Int,
    /// A double.
    Float,
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// A text that names something; numbers are taken too.
    Id,
    /// Any JSON.
    Json,
    /// A time, RFC 3339.
    DateTime,
}

impl Scalar {
    /// All of them with their names.
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Int, "Int"),
        (Self::Float, "Float"),
        (Self::String, "String"),
        (Self::Boolean, "Boolean"),
        (Self::Id, "ID"),
        (Self::Json, "JSON"),
        (Self::DateTime, "DateTime"),
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(scalar, _)| *scalar == self).map_or("JSON", |(_, name)| name)
    }
}

/// A reference to a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    /// By name.
    Named(String),
    /// A list.
    List(Box<Ty>),
    /// Not null.
    NonNull(Box<Ty>),
}

impl Ty {
    /// The type of this name, which may be null.
    pub(crate) fn named(name: impl Into<String>) -> Self {
        Self::Named(name.into())
    }

    /// The same, not null.
    #[must_use]
    pub(crate) fn required(self) -> Self {
        match self {
            Self::NonNull(_) => self,
            other => Self::NonNull(Box::new(other)),
        }
    }

    /// A list of it.
    #[must_use]
    pub(crate) fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// The name inside.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }

    /// Whether it is a list, null or not.
    pub(crate) fn is_list(&self) -> bool {
        match self {
            Self::Named(_) => false,
            Self::List(_) => true,
            Self::NonNull(inner) => inner.is_list(),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// An object type.
pub(crate) struct ObjectType {
    /// Its name.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) description: String,
    /// Its fields, in order.
    pub(crate) fields: Vec<Field>,
}

impl ObjectType {
    /// The field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// A field of an object type.
#[derive(Clone)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) description: String,
    /// Its arguments.
    pub(crate) arguments: Vec<Argument>,
    /// Its type.
    pub(crate) ty: Ty,
    /// Where its value comes from.
    pub(crate) source: Source,
}

impl Field {
    /// Without arguments.
    pub(crate) fn new(name: impl Into<String>, ty: Ty, source: Source) -> Self {
        Self { name: name.into(), description: String::new(), arguments: Vec::new(), ty, source }
    }

    /// With words about it.
    #[must_use]
    pub(crate) fn about(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// With arguments.
    #[must_use]
    pub(crate) fn with(mut self, arguments: Vec<Argument>) -> Self {
        self.arguments = arguments;
        self
    }
}

/// An argument of a field, or a field of an input type.
#[derive(Clone)]
pub(crate) struct Argument {
    /// Its name.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) description: String,
    /// Its type.
    pub(crate) ty: Ty,
    /// What it is when nothing is said.
    pub(crate) default: Option<Value>,
    /// Where a record has it; empty: under the same name.
    pub(crate) member: Vec<String>,
}

impl Argument {
    /// One without a default.
    pub(crate) fn new(name: impl Into<String>, ty: Ty, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), ty, default: None, member: Vec::new() }
    }

    /// The same for a member that records have elsewhere.
    #[must_use]
    pub(crate) fn of(mut self, member: &[String]) -> Self {
        if member != [self.name.as_str()] {
            self.member = member.to_vec();
        }
        self
    }
}

/// An input type.
pub(crate) struct InputType {
    /// Its name.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) description: String,
    /// Its fields, in order.
    pub(crate) fields: Vec<Argument>,
}

/// An enumeration. Its values are texts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EnumType {
    /// Its name.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) description: String,
    /// Its values.
    pub(crate) values: Vec<String>,
}

/// The place of a resource type in [`Model::resources`].
pub(crate) type ResourceAt = usize;

/// Whether a list is answered with its edges or plainly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A Relay connection.
    Connection,
    /// The records alone.
    Plain,
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// One record by its id.
    Get(ResourceAt),
    /// The one record of a type that has one for each tenant.
    Single(ResourceAt),
    /// Many records.
    List(ResourceAt, Form),
    /// A new record.
    Create(ResourceAt),
    /// A changed record.
    Update(ResourceAt),
    /// A record less.
    Delete(ResourceAt),
    /// Events as they come.
    Events,

    /// A record's id.
    Id,
    /// The host's id for a record.
    ExternalId,
    /// How often a record was changed, plus one.
    Revision,
    /// When a record was created.
    CreatedAt,
    /// When a record was last changed.
    UpdatedAt,
    /// A member of a record's document, or of an object in it, by its path.
    Member(Vec<String>),
    /// The record that a member names.
    Parent(ResourceAt, String),
    /// The records that name this one by a member.
    Children(ResourceAt, String, Form),

    /// The edges of a connection.
    Edges,
    /// The records of a connection.
    Nodes,
    /// How a connection goes on.
    PageInfo,
    /// How many records match in all.
    TotalCount,
    /// The record of an edge.
    Node,
    /// The place of an edge.
    Cursor,
    /// A part of the page information.
    Page(PagePart),
    /// A part of an event.
    Event(EventPart),
    /// The id of what was deleted.
    DeletedId,
}

/// A part of the page information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PagePart {
    /// `hasNextPage`
    HasNext,
    /// `hasPreviousPage`
    HasPrevious,
    /// `startCursor`
    Start,
    /// `endCursor`
    End,
}

/// A part of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventPart {
    /// Its id.
    Id,
    /// Its type.
    Type,
    /// When it happened.
    OccurredAt,
    /// When it was accepted.
    CreatedAt,
    /// The payload.
    Data,
    /// The place after it.
    Cursor,
}

impl Model {
    /// With the scalars only.
    pub(crate) fn new() -> Self {
        let names = Scalar::ALL.iter().map(|(scalar, name)| ((*name).to_owned(), Kind::Scalar(*scalar))).collect();
        Self { names, ..Self::default() }
    }

    /// What a name stands for.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.names.get(name).copied()
    }

    /// The object type of this name.
    pub(crate) fn object(&self, name: &str) -> Option<&ObjectType> {
        match self.kind(name) {
            Some(Kind::Object(at)) => self.objects.get(at),
            _ => None,
        }
    }

    /// The input type of this name.
    pub(crate) fn input(&self, name: &str) -> Option<&InputType> {
        match self.kind(name) {
            Some(Kind::Input(at)) => self.inputs.get(at),
            _ => None,
        }
    }

    /// Adds an object type. A name that is taken already stays as it is.
    pub(crate) fn add_object(&mut self, object: ObjectType) {
        if !self.names.contains_key(&object.name) {
            self.names.insert(object.name.clone(), Kind::Object(self.objects.len()));
            self.objects.push(object);
        }
    }

    /// Adds an input type. A name that is taken already stays as it is.
    pub(crate) fn add_input(&mut self, input: InputType) {
        if !self.names.contains_key(&input.name) {
            self.names.insert(input.name.clone(), Kind::Input(self.inputs.len()));
            self.inputs.push(input);
        }
    }

    /// Adds an enumeration. A name that is taken already stays as it is.
    pub(crate) fn add_enum(&mut self, one: EnumType) {
        if !self.names.contains_key(&one.name) {
            self.names.insert(one.name.clone(), Kind::Enum(self.enums.len()));
            self.enums.push(one);
        }
    }
}
