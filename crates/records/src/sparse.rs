//! Sparse fields: the members of a record that were asked for.

use kernel::{Error, Result};
use serde_json::{Map, Value};

use crate::records::Record;
use crate::resource_type::ResourceType;

impl ResourceType {
    /// The names of everything that a record may show, in the order of the wire: `id`, the host's id, the declared members, the times.
    pub fn columns(&self) -> Vec<String> {
        let resource = self.resource();
        let members = resource.schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.clone());
        ["id".to_owned(), self.external_id_member().to_owned()]
            .into_iter()
            .chain(members)
            .chain([resource.created_field.clone()])
            .chain(resource.updated_field.clone())
            .collect()
    }

    /// Whether lists may be filtered by this member: those that are declared as filters, and those that lists are sorted by.
    pub fn is_filter(&self, name: &str) -> bool {
        let resource = self.resource();
        resource.filters.iter().chain(&resource.sort).any(|known| known == name)
    }

    /// Refuses names that no record shows. A type whose schema takes members that it does not name may show any.
    ///
    /// Error: 422 at `/fields`.
    pub fn check_fields(&self, names: &[String]) -> Result<()> {
        if self.resource().schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Ok(());
        }
        let known = self.columns();
        match names.iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
                Err(Error::field("/fields", format!("{shown} is not a member of {}; there are {}", self.name(), known.join(", "))))
            }
        }
    }

    /// Refuses members of a whole record that the caller may not write (`writable` none: all may be).
    ///
    /// Error: 422 `validation_failed`, naming them.
    pub fn check_writable(&self, sent: &Map<String, Value>, writable: Option<&[String]>) -> Result<()> {
        crate::document::check_members(self, sent, writable)
    }

    /// Leaves out what only the server sets, as a record that was shown has it.
    pub fn without_server_set(&self, members: &mut Map<String, Value>) {
        members.retain(|name, _| !self.is_server_set(name));
    }

    /// The types that the schema allows a member to have; empty: any.
    pub fn value_types(&self, member: &str) -> Vec<String> {
        self.types_of(member).into_iter().map(str::to_owned).collect()
    }

    /// A record as it goes over the wire, with `id` and these members only. None: all.
    pub fn wire_of(&self, record: &Record, fields: Option<&[String]>) -> Map<String, Value> {
        let mut out = self.wire(record);
        if let Some(names) = fields {
            out.retain(|name, _| name == "id" || names.contains(name));
        }
        out
    }
}
