//! The kinds of things.

use serde_json::Value;

/// How a record is named in paths and bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// `rec_…`, a string.
    TypeId,
    /// A positive integer, counted per resource type over all tenants.
    Integer,
}

/// A declared kind of thing.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Singular: `lead`. Names the type in `/records/{type}` and in `<resource>Id` of events.
    pub name: String,
    /// Plural: `leads`.
    pub plural: String,
    /// How its records are named.
    pub id_form: IdForm,
    /// JSON Schema (2020-12, type object) of the record's own members; `additionalProperties` is false unless the file says otherwise.
    /// `default` values of top-level properties are filled in on create.
    pub schema: Value,
    /// Members that a list may be filtered by, with equality: `?status=…`. The members that name parents are among them.
    pub filters: Vec<String>,
    /// Members that `?search=` looks in, case-insensitively.
    pub search: Vec<String>,
    /// Members that a list may be sorted by, beside creation time.
    pub sort: Vec<String>,
    /// Members whose values are unique per tenant (absent and null values are not compared).
    pub unique: Vec<String>,
    /// Members that the server sets to the present time.
    pub stamps: Vec<Stamp>,
    /// Members that the server computes of others.
    pub computed: Vec<Computed>,
    /// Members that only the operator's side sets (by service key, by a job): a partner's call that names one is refused.
    pub server_set: Vec<String>,
    /// Members, or values of them, that need a scope of their own.
    pub guarded: Vec<Guarded>,
    /// Which values of a member may follow which.
    pub states: Option<States>,
    /// Records of other types that its records belong to.
    pub parents: Vec<Parent>,
    /// Whether each tenant has exactly one, from its beginning.
    pub singleton: bool,
    /// Members of a singleton whose values are kept by period, as records of another type.
    pub history: Vec<History>,
    /// A singleton's members at first; `{tenant.name}` in a text stands for the tenant's name.
    pub initial: Vec<(String, Value)>,
    /// Scopes that open `/api/v1/records/{type}` to partners, beside the permissions `records.read` and `records.write`.
    pub scopes: ResourceScopes,
    /// The wire name of the creation time (`createdAt`, `created_at`).
    pub created_field: String,
    /// The wire name of the time of the last change; none: not shown.
    pub updated_field: Option<String>,
    /// Events that its changes emit.
    pub emits: Emits,
}

impl Resource {
    /// The parent of this resource type.
    pub fn parent(&self, resource: &str) -> Option<&Parent> {
        self.parents.iter().find(|parent| parent.resource == resource)
    }

    /// Whether only the server knows this member's value: a stamp, or computed.
    pub fn is_derived(&self, member: &str) -> bool {
        self.stamps.iter().any(|stamp| stamp.field == member) || self.computed.iter().any(|one| one.field == member)
    }

    /// The declared members that a partner may write: all but those that the server or the operator sets.
    pub fn open_members(&self) -> Vec<String> {
        let declared = self.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let open = |name: &&String| !self.is_derived(name) && !self.server_set.contains(name);
        declared.map(|(name, _)| name).filter(open).cloned().collect()
    }
}

/// Scopes for the generic routes of one resource type. One that is absent opens nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceScopes {
    /// To see its records.
    pub read: Option<String>,
    /// To create and change them.
    pub write: Option<String>,
    /// To delete them; in the file it is `write` unless it is given.
    pub delete: Option<String>,
}

/// A member that the server sets to the present time (RFC 3339). Callers cannot set it.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Which member.
    pub field: String,
    /// At creation.
    pub on_create: bool,
    /// At every update.
    pub on_update: bool,
    /// When another member takes this value, at creation or at an update: `status`, `resolved`.
    pub on_value: Option<(String, Value)>,
}

/// A member that the server computes whenever the record is written. Callers cannot set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computed {
    /// Which member.
    pub field: String,
    /// Of what.
    pub form: ComputedForm,
}

/// How a member is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComputedForm {
    /// A text with other members in it: `{firstName} {lastName}`. What is absent leaves nothing; spaces around it are taken away.
    Text(String),
    /// The sum of other members that are numbers; absent if none is there.
    Sum(Vec<String>),
    /// The product of other members; absent if one of them is.
    Product(Vec<String>),
    /// A value from inside another member: `address.city`.
    Copy(Vec<String>),
}

/// A member that only the holders of a scope set, by whatever way: beside what lets them write the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Guarded {
    /// The member.
    pub field: String,
    /// The values that are guarded; empty: every change of it.
    pub to: Vec<Value>,
    /// The scope that it takes.
    pub scope: String,
}

/// A member whose values are kept: the last one of each period is a record of another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The member.
    pub field: String,
    /// The type of the records that are kept.
    pub resource: String,
    /// Their member with the value.
    pub value: String,
    /// The periods, in UTC; not hours.
    pub bucket: super::Bucket,
    /// Their members with the period's first and last day: `2026-01-01`. The first is unique among them.
    pub from: String,
    /// See `from`.
    pub to: String,
    /// Their member with the value before the period.
    pub previous: Option<String>,
}

/// Which values of a member may follow which.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    /// The member.
    pub field: String,
    /// With what a record may begin; empty: with any value.
    pub initial: Vec<Value>,
    /// What may follow a value. A value that is not named may be followed by none.
    pub next: Vec<(Value, Vec<Value>)>,
}

impl States {
    /// Whether `to` may follow `from`.
    pub fn allows(&self, from: &Value, to: &Value) -> bool {
        from == to || self.next.iter().any(|(value, next)| value == from && next.contains(to))
    }
}

/// A record that a record belongs to, named by a member that holds its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The member: `companyId`.
    pub field: String,
    /// The resource type of the record that it names: `company`.
    pub resource: String,
    /// What becomes of the child when the parent is deleted.
    pub on_delete: OnDelete,
}

/// What becomes of children when their parent is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// The parent stays: 409 `has_children`.
    #[default]
    Refuse,
    /// They go too, and theirs.
    Cascade,
    /// They stay as they are, with an id that names nothing any more.
    Keep,
}

/// Events that the changes of a resource emit, each `data` being `{"<idMember>": "<id>", …the record}`.
#[derive(Clone, Debug, Default)]
pub struct Emits {
    /// Member of `data` that carries the record's id as a string: `leadId`.
    pub id_member: String,
    /// When a record is created.
    pub created: Option<kernel::EventType>,
    /// When it changes and no transition below applies.
    pub updated: Option<kernel::EventType>,
    /// When it is deleted.
    pub deleted: Option<kernel::EventType>,
    /// When a member takes a value.
    pub transitions: Vec<Transition>,
}

/// "When `field` changes to `to` (from one of `from`, if any is named), emit `event`."
#[derive(Clone, Debug)]
pub struct Transition {
    /// Top-level member.
    pub field: String,
    /// Its values before; empty: any.
    pub from: Vec<Value>,
    /// Its new value.
    pub to: Value,
    /// Whether a record that begins with it counts too.
    pub at_creation: bool,
    /// What then happened.
    pub event: kernel::EventType,
}
