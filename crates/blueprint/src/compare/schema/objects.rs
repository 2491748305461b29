//! Objects.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::facets::{least, most};
use super::{Compare, Given, Lack, every};
use crate::schema::{Schema, short};

impl Compare {
    pub(super) fn object_keyword(&mut self, all: &Given<'_>, keyword: &str, value: &Value, wanted: &Map<String, Value>, at: &str) {
        let number = value.as_f64().unwrap_or_default();
        match keyword {
            "required" => {
                for name in names_of(value).filter(|name| !requires(all, name)) {
                    self.lack(&below(at, name), Lack::Optional, "it need not be there");
                }
            }
            // The three belong together and are looked at once.
            "properties" => self.members(all, wanted, at),
            "patternProperties" if !wanted.contains_key("properties") => self.members(all, wanted, at),
            "additionalProperties" if !wanted.contains_key("properties") && !wanted.contains_key("patternProperties") => {
                self.members(all, wanted, at);
            }
            "minProperties" => {
                #[allow(clippy::cast_precision_loss, reason = "a schema has at most a few thousand members")]
                let required = all.iter().map(|one| required(one).count() as f64).fold(0.0, f64::max);
                let fits = most(all, "minProperties").max(required) >= number;
                self.unless(fits, at, Lack::Size, || "objects with fewer members".to_owned());
            }
            "maxProperties" => {
                self.unless(least(all, "maxProperties") <= number, at, Lack::Size, || "objects with more members".to_owned());
            }
            "propertyNames" => {
                let fits = all.iter().filter_map(|one| one.get("propertyNames")).any(|own| self.holds(own, value));
                self.unless(fits, at, Lack::Pattern, || "members with other names".to_owned());
            }
            "dependentRequired" => {
                let same = all.iter().any(|one| one.get(keyword) == Some(value));
                let always = || value.as_object().into_iter().flatten().all(|(_, list)| names_of(list).all(|name| requires(all, name)));
                let fits = same || always();
                self.unless(fits, at, Lack::Unknown, || "dependentRequired is not the same".to_owned());
            }
            "dependentSchemas" => self.same(all, wanted, &["dependentSchemas"], at),
            "unevaluatedProperties" if *value != Value::Bool(true) => {
                self.lack(at, Lack::Unknown, "unevaluatedProperties cannot be compared");
            }
            _ => {}
        }
    }

    /// Every member, by its name.
    fn members(&mut self, all: &Given<'_>, wanted: &Map<String, Value>, at: &str) {
        let known: BTreeSet<&String> = all.iter().flat_map(|one| table(one, "properties").map(|(name, _)| name)).collect();
        for (name, _) in table(wanted, "properties") {
            if self.open && !known.contains(name) {
                self.lack(&below(at, name), Lack::Removed, "it is not declared");
                continue;
            }
            self.member(all, wanted, name, at);
        }
        let declared = wanted.get("properties").and_then(Value::as_object);
        for name in known.iter().filter(|name| declared.is_none_or(|declared| !declared.contains_key(**name))) {
            self.member(all, wanted, name, at);
        }
        self.other_members(all, wanted, at);
    }

    fn member(&mut self, all: &Given<'_>, wanted: &Map<String, Value>, name: &str, at: &str) {
        let given = every(all.iter().map(|one| self.schema_of(one, name)).collect());
        let wanted = self.schema_of(wanted, name);
        self.contained(&given, &wanted, &below(at, name));
    }

    /// Members that neither side declares by name.
    fn other_members(&mut self, all: &Given<'_>, wanted: &Map<String, Value>, at: &str) {
        let rest = every(all.iter().filter_map(|one| one.get("additionalProperties")).cloned().collect());
        let patterned: Vec<(&String, &Value)> = all.iter().flat_map(|one| table(one, "patternProperties")).collect();
        let other = wanted.get("additionalProperties").cloned().unwrap_or(Value::Bool(true));
        let here = format!("{at}/*");
        self.contained(&rest, &other, &here);
        let of_wanted: Vec<(&String, &Value)> = table(wanted, "patternProperties").collect();
        for (pattern, schema) in &patterned {
            if !of_wanted.iter().any(|(same, _)| same == pattern) {
                self.contained(schema, &other, &here);
            }
        }
        for (pattern, schema) in of_wanted {
            let own: Vec<Value> = patterned.iter().filter(|(same, _)| *same == pattern).map(|(_, own)| (*own).clone()).collect();
            if !own.is_empty() && self.holds(&every(own), schema) {
                continue;
            }
            let here = format!("{at}/{}", short(pattern));
            self.contained(&rest, schema, &here);
            for (_, own) in &patterned {
                self.contained(own, schema, &here);
            }
        }
    }

    /// The schema that a member of this name must satisfy.
    fn schema_of(&mut self, schema: &Map<String, Value>, name: &str) -> Value {
        let mut found: Vec<Value> = schema.get("properties").and_then(|table| table.get(name)).cloned().into_iter().collect();
        for (pattern, own) in table(schema, "patternProperties") {
            if self.matches(pattern, name) {
                found.push(own.clone());
            }
        }
        if found.is_empty() {
            found.extend(schema.get("additionalProperties").cloned());
        }
        every(found)
    }

    fn matches(&mut self, pattern: &str, name: &str) -> bool {
        let key = (pattern.to_owned(), name.to_owned());
        *self
            .patterns
            .entry(key)
            .or_insert_with(|| Schema::compile(&json!({"pattern": pattern})).is_ok_and(|compiled| compiled.accepts(&Value::from(name))))
    }
}

fn table<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(keyword).and_then(Value::as_object).into_iter().flatten()
}

fn names_of(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    schema.get("required").into_iter().flat_map(names_of)
}

fn requires(all: &Given<'_>, name: &str) -> bool {
    all.iter().any(|one| required(one).any(|own| own == name))
}

/// The place of a member (RFC 6901).
fn below(at: &str, name: &str) -> String {
    format!("{at}/{}", short(name).replace('~', "~0").replace('/', "~1"))
}
