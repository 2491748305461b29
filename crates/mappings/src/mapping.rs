//! A mapping that was read and found whole.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::forms::Form;
use crate::input::{Direction, Policy};
use crate::path;
use crate::problem::Problem;
use crate::rules::Rules;
use crate::transforms::Step;
use crate::value_map::ValueMap;

/// A compiled mapping.
#[derive(Debug)]
pub struct Mapping {
    pub(crate) fields: Vec<Field>,
    pub(crate) policy: Policy,
    pub(crate) warnings: Vec<Problem>,
}

/// One field here and one there, or a constant on one side.
#[derive(Debug)]
pub struct Field {
    pub(crate) local: Option<String>,
    pub(crate) remote: Option<String>,
    pub(crate) direction: Direction,
    pub(crate) policy: Option<Policy>,
    pub(crate) key: bool,
    pub(crate) constant: Option<Value>,
    pub(crate) to_remote: Way,
    pub(crate) to_local: Way,
    pub(crate) value_map: Option<ValueMap>,
}

/// What happens to a value on one way.
#[derive(Debug, Default)]
pub(crate) struct Way {
    pub(crate) steps: Vec<Step>,
    /// What the value is where it comes from, and what it must be where it goes.
    pub(crate) from: Option<Form>,
    pub(crate) to: Option<Form>,
    pub(crate) default: Option<Value>,
    pub(crate) rules: Rules,
}

/// Two fields whose values belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'a> {
    /// Ours, as a path.
    pub local: &'a str,
    /// The vendor's.
    pub remote: &'a str,
    /// Which way values go.
    pub direction: Direction,
}

/// By which records of both sides are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Our field.
    pub local: &'a str,
    /// The vendor's.
    pub remote: &'a str,
}

/// A record after the mapping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MappedRecord)]
pub struct Mapped {
    /// The values by field: the vendor's names, or our paths (flat: `address.city`; [`crate::nest`] makes a record of them). A field whose
    /// source the record does not have is absent, one that is to be emptied is `null`.
    #[schema(value_type = Object)]
    pub values: Map<String, Value>,
    /// Why it must not be sent; empty: it may.
    pub problems: Vec<Problem>,
}

impl Direction {
    /// Whether values go to the vendor.
    pub fn to_remote(self) -> bool {
        self != Self::ToLocal
    }

    /// Whether values come from the vendor.
    pub fn to_local(self) -> bool {
        self != Self::ToRemote
    }
}

impl Field {
    /// Our field, as a path.
    pub fn local(&self) -> Option<&str> {
        self.local.as_deref()
    }

    /// The vendor's field.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// Which way.
    pub fn direction(&self) -> Direction {
        self.direction
    }
}

impl Mapping {
    /// Its fields, as written.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The fields that have both sides.
    pub fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.fields.iter().filter_map(|field| {
            let (local, remote) = (field.local.as_deref()?, field.remote.as_deref()?);
            Some(Pair { local, remote, direction: field.direction })
        })
    }

    /// Our fields that are read or written, as paths, each once, in alphabetical order.
    pub fn local_fields(&self) -> impl Iterator<Item = &str> {
        let own = self.fields.iter().filter_map(Field::local);
        let read = self.fields.iter().filter(|field| field.direction.to_remote());
        let read = read.flat_map(|field| field.to_remote.steps.iter()).flat_map(Step::reads);
        own.chain(read).collect::<BTreeSet<_>>().into_iter()
    }

    /// The vendor's fields that are read or written, each once, in alphabetical order: what a page must be asked for.
    pub fn remote_fields(&self) -> impl Iterator<Item = &str> {
        let own = self.fields.iter().filter_map(Field::remote);
        let read = self.fields.iter().filter(|field| field.direction.to_local());
        let read = read.flat_map(|field| field.to_local.steps.iter()).flat_map(Step::reads);
        own.chain(read).collect::<BTreeSet<_>>().into_iter()
    }

    /// By which records of both sides are matched.
    pub fn key(&self) -> Option<Key<'_>> {
        let field = self.fields.iter().find(|field| field.key)?;
        Some(Key { local: field.local.as_deref()?, remote: field.remote.as_deref()? })
    }

    /// Who wins where both sides changed our field.
    pub fn policy(&self, local_field: &str) -> Policy {
        let field = self.fields.iter().find(|field| field.local.as_deref() == Some(local_field));
        field.and_then(|field| field.policy).unwrap_or(self.policy)
    }

    /// What is allowed and perhaps not meant; a preview shows it.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Our record's values of the mapped fields, flat; `null` where it has none.
    pub fn local_values(&self, record: &Map<String, Value>) -> Map<String, Value> {
        self.local_fields().map(|name| (name.to_owned(), path::get(record, name).cloned().unwrap_or(Value::Null))).collect()
    }

    /// A vendor's record's values of the mapped fields, those that it carries.
    pub fn remote_values(&self, record: &Map<String, Value>) -> Map<String, Value> {
        self.remote_fields().filter_map(|name| Some((name.to_owned(), record.get(name)?.clone()))).collect()
    }
}
