//! How an object's fields changed.

use std::collections::BTreeMap;

use connectors::{FieldAbout, ObjectSchema};
use serde::{Deserialize, Serialize};

/// What changed since the object was accepted. A sync that names a field that is gone fails; one that does not name a field that is now
/// required cannot make records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ObjectDrift)]
pub struct Drift {
    /// Fields that are new.
    pub added: Vec<String>,
    /// Fields that are gone.
    pub removed: Vec<String>,
    /// Fields that are not what they were.
    pub changed: Vec<Change>,
}

/// A field that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FieldChange)]
pub struct Change {
    /// The field.
    pub field: String,
    /// What of it: `kind`, `required`, `readOnly`, `unique`, `options`.
    pub what: String,
    /// In words.
    pub message: String,
}

/// `None`: nothing that matters. Labels and order do not.
pub(crate) fn drift(before: &ObjectSchema, now: &ObjectSchema) -> Option<Drift> {
    let old: BTreeMap<&str, &FieldAbout> = before.fields.iter().map(|field| (field.name.as_str(), field)).collect();
    let new: BTreeMap<&str, &FieldAbout> = now.fields.iter().map(|field| (field.name.as_str(), field)).collect();
    let added = new.keys().filter(|name| !old.contains_key(*name)).map(|name| (*name).to_owned()).collect();
    let removed = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (*name).to_owned()).collect();
    let both = old.iter().filter_map(|(name, old)| new.get(name).map(|new| (*old, *new)));
    let drift = Drift { added, removed, changed: both.flat_map(|(old, new)| changes(old, new)).collect() };
    (drift != Drift::default()).then_some(drift)
}

fn changes(old: &FieldAbout, new: &FieldAbout) -> Vec<Change> {
    let mut found = Vec::new();
    let mut add = |what: &str, message: String| found.push(Change { field: new.name.clone(), what: what.to_owned(), message });
    if old.kind != new.kind {
        add("kind", format!("it was {:?} and is {:?} now", old.kind, new.kind).to_lowercase());
    }
    let turned = |now: bool, yes: &str, no: &str| if now { yes.to_owned() } else { no.to_owned() };
    if old.required != new.required {
        add("required", turned(new.required, "records cannot be made without it any more", "records can be made without it now"));
    }
    if old.read_only != new.read_only {
        add("readOnly", turned(new.read_only, "only the vendor writes it now", "it can be written now"));
    }
    if old.unique != new.unique {
        add("unique", turned(new.unique, "its values are unique now", "its values need not be unique any more"));
    }
    let gone: Vec<&str> = old.options.iter().filter(|option| !new.options.contains(option)).map(String::as_str).collect();
    if !gone.is_empty() && !new.options.is_empty() {
        add("options", format!("these values are gone: {}", gone.join(", ")));
    }
    found
}

#[cfg(test)]
mod tests {
    use connectors::FieldKind;

    use super::*;

    fn field(name: &str) -> FieldAbout {
        let (label, options) = (name.to_owned(), vec!["a".to_owned(), "b".to_owned()]);
        let (kind, name) = (FieldKind::Choice, name.to_owned());
        FieldAbout { name, label, kind, required: false, read_only: false, unique: false, custom: false, options }
    }

    fn schema(fields: Vec<FieldAbout>) -> ObjectSchema {
        ObjectSchema { object: "Lead".to_owned(), fields }
    }

    #[test]
    fn what_breaks_mappings_is_told_and_labels_are_not() {
        let before = schema(vec![field("Email"), field("Status"), field("Old")]);
        let mut same = before.clone();
        same.fields.reverse();
        same.fields[0].label = "Renamed".to_owned();
        assert_eq!(drift(&before, &same), None);
        let mut status = field("Status");
        (status.required, status.kind, status.options) = (true, FieldKind::Text, vec!["b".to_owned(), "c".to_owned()]);
        let found = drift(&before, &schema(vec![field("Email"), status, field("New")])).unwrap();
        assert_eq!((found.added, found.removed), (vec!["New".to_owned()], vec!["Old".to_owned()]));
        let whats: Vec<&str> = found.changed.iter().map(|change| change.what.as_str()).collect();
        assert_eq!(whats, ["kind", "required", "options"]);
        assert!(found.changed[2].message.ends_with(": a"), "{:?}", found.changed);
    }
}
