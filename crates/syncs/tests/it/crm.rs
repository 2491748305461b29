//! The vendors, as these tests need them: a connector, a double, and the names of the fields.

use std::sync::Arc;

use connectors::Connector;
use kernel::Ambient;
use serde_json::{Map, Value, json};
use vendors::stand::Vendor;

/// Which vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    HubSpot,
    Salesforce,
    Pipedrive,
    Zoho,
}

/// A vendor with an account.
#[derive(Clone)]
pub(crate) struct Crm {
    pub(crate) kind: Kind,
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) connector: Arc<dyn Connector>,
}

impl Crm {
    pub(crate) fn new(kind: Kind, ambient: &Ambient) -> Self {
        let (vendor, connector): (Arc<dyn Vendor>, Arc<dyn Connector>) = match kind {
            Kind::HubSpot => {
                let options = vendors::hubspot::Options {
                    ambient: ambient.clone(),
                    access_life_ms: i64::MAX / 4,
                    ..vendors::hubspot::Options::unlimited()
                };
                (Arc::new(vendors::hubspot::HubSpot::new(options)), Arc::new(connectors::HubSpot::new()))
            }
            Kind::Salesforce => {
                let options = vendors::salesforce::Options {
                    ambient: ambient.clone(),
                    access_life_ms: i64::MAX / 4,
                    daily_calls: 1_000_000,
                    ..vendors::salesforce::Options::new()
                };
                (Arc::new(vendors::salesforce::Salesforce::new(options)), Arc::new(connectors::Salesforce::new()))
            }
            Kind::Pipedrive => {
                let options = vendors::pipedrive::Options {
                    ambient: ambient.clone(),
                    access_life_ms: i64::MAX / 4,
                    ..vendors::pipedrive::Options::unlimited()
                };
                (Arc::new(vendors::pipedrive::Pipedrive::new(options)), Arc::new(connectors::Pipedrive::new()))
            }
            Kind::Zoho => {
                let options = vendors::zoho::Options {
                    ambient: ambient.clone(),
                    access_life_ms: i64::MAX / 4,
                    ..vendors::zoho::Options::unlimited()
                };
                (Arc::new(vendors::zoho::Zoho::new(options)), Arc::new(connectors::Zoho::new()))
            }
        };
        Self { kind, vendor, connector }
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.kind == Kind::Zoho { "Zoho-oauthtoken" } else { "Bearer" }
    }

    /// The object that is synchronised.
    pub(crate) fn object(&self) -> &'static str {
        match self.kind {
            Kind::HubSpot => "contacts",
            Kind::Salesforce => "Lead",
            Kind::Pipedrive => "persons",
            Kind::Zoho => "Leads",
        }
    }

    /// Our fields and the vendor's.
    pub(crate) fn fields(&self) -> Vec<(&'static str, &'static str)> {
        match self.kind {
            Kind::HubSpot => {
                vec![("email", "email"), ("firstName", "firstname"), ("lastName", "lastname"), ("phone", "phone"), ("company", "company")]
            }
            Kind::Salesforce => {
                vec![("email", "Email"), ("firstName", "FirstName"), ("lastName", "LastName"), ("phone", "Phone"), ("company", "Company")]
            }
            Kind::Zoho => {
                vec![("email", "Email"), ("firstName", "First_Name"), ("lastName", "Last_Name"), ("phone", "Phone"), ("company", "Company")]
            }
            // A person there has no company of its own, and its first and last names follow from its name.
            Kind::Pipedrive => vec![("email", "email"), ("lastName", "name"), ("phone", "phone")],
        }
    }

    pub(crate) fn mappings(&self) -> Value {
        let one = |(local, remote): (&str, &str)| json!({"localField": local, "remoteField": remote, "key": local == "email"});
        self.fields().into_iter().map(one).collect()
    }

    /// Members by our names, in the vendor's.
    fn there(&self, members: &Value) -> Value {
        let names = self.fields();
        let name = |ours: &str| names.iter().find(|(local, _)| *local == ours).unwrap().1.to_owned();
        let mut there: Map<String, Value> = members.as_object().unwrap().iter().map(|(ours, value)| (name(ours), value.clone())).collect();
        if self.kind == Kind::Pipedrive {
            for (one, many) in [("email", "emails"), ("phone", "phones")] {
                if let Some(value) = there.remove(one) {
                    there.insert(many.to_owned(), json!([{"value": value, "primary": true, "label": "work"}]));
                }
            }
        }
        there.into()
    }

    fn act(&self, act: &str, arguments: &Value) -> Value {
        let mut arguments = arguments.clone();
        arguments["object"] = self.object().into();
        self.vendor.act(act, &arguments).unwrap_or_else(|error| panic!("{act}: {error}"))
    }

    /// A person makes a row there; members by our names. Its id.
    pub(crate) fn add(&self, members: &Value) -> String {
        let id = self.act("add", &json!({"fields": self.there(members)}));
        id.as_str().map_or_else(|| id.to_string(), str::to_owned)
    }

    pub(crate) fn edit(&self, id: &str, members: &Value) {
        self.act("edit", &json!({"id": id, "fields": self.there(members)}));
    }

    pub(crate) fn delete(&self, id: &str) {
        self.act("delete", &json!({"id": id}));
    }

    pub(crate) fn merge(&self, master: &str, loser: &str) {
        self.act("merge", &json!({"master": master, "loser": loser}));
    }

    /// Whether two rows there cannot have the same e-mail address.
    pub(crate) fn keeps_unique(&self) -> bool {
        matches!(self.kind, Kind::HubSpot | Kind::Zoho)
    }

    /// Every row there: its id, and its members by our names.
    pub(crate) fn rows(&self) -> Vec<(String, Map<String, Value>)> {
        let rows = self.act("rows", &json!({}));
        let one = |row: &Value| {
            let id = ["id", "Id"].iter().find_map(|name| row.get(*name)).unwrap();
            let from = row.get("properties").unwrap_or(row);
            let value = |name: &str| match (self.kind, name) {
                (Kind::Pipedrive, "email" | "phone") => from[format!("{name}s")][0]["value"].clone(),
                _ => from.get(name).cloned().unwrap_or(Value::Null),
            };
            let members = self.fields().into_iter().map(|(ours, theirs)| (ours.to_owned(), value(theirs)));
            (id.as_str().map_or_else(|| id.to_string(), str::to_owned), members.collect())
        };
        rows.as_array().unwrap().iter().map(one).collect()
    }

    pub(crate) fn fault(&self, text: &str) {
        self.vendor.stand().faults.add(vendors::faults::Fault::parse(text).unwrap());
    }
}
