//! Questions that the other crates ask a blueprint.

use kernel::{PermissionSet, Timestamp};
use serde_json::Value;

use crate::model::{Blueprint, EventType, EventVersion, JobType, Metric, Resource, Scope, Tier, Webhooks};

impl Blueprint {
    /// The resource of this (singular) name.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    /// The tier of this name.
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == name)
    }

    /// The event type of this name.
    pub fn event(&self, name: &str) -> Option<&EventType> {
        self.events.iter().find(|event| event.name.as_str() == name)
    }

    /// The name that an alias stands for; itself, if it is none.
    pub fn event_name<'a>(&'a self, name: &'a str) -> &'a str {
        let stands_for = |event: &&EventType| event.aliases.iter().any(|alias| alias.as_str() == name);
        self.events.iter().find(stands_for).map_or(name, |event| event.name.as_str())
    }

    /// The type of job of this name.
    pub fn job(&self, name: &str) -> Option<&JobType> {
        self.jobs.iter().find(|job| job.name == name)
    }

    /// The metric of this name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The scope of this name.
    pub fn scope(&self, name: &str) -> Option<&Scope> {
        self.scopes.iter().find(|scope| scope.name == name)
    }

    /// These scopes and all that they imply, each once, in the blueprint's order. A name that the blueprint does not (or no longer) declare
    /// is left out: it permits nothing.
    pub fn expand_scopes(&self, scopes: &[String]) -> Vec<String> {
        let mut open: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let mut held: Vec<&str> = Vec::new();
        while let Some(name) = open.pop() {
            if held.contains(&name) {
                continue;
            }
            if let Some(scope) = self.scope(name) {
                held.push(&scope.name);
                open.extend(scope.implies.iter().map(String::as_str));
            }
        }
        self.scopes.iter().map(|scope| &scope.name).filter(|name| held.contains(&name.as_str())).cloned().collect()
    }

    /// The management permissions that these scopes grant, those of implied scopes included.
    pub fn permissions_of(&self, scopes: &[String]) -> PermissionSet {
        self.expand_scopes(scopes).iter().filter_map(|name| self.scope(name)).flat_map(|scope| scope.grants.iter().copied()).collect()
    }

    /// Every scope's name, in the blueprint's order.
    pub fn all_scopes(&self) -> Vec<String> {
        self.scopes.iter().map(|scope| scope.name.clone()).collect()
    }
}

impl EventType {
    /// One of its versions.
    pub fn version(&self, version: u32) -> Option<&EventVersion> {
        self.versions.iter().find(|one| one.version == version)
    }

    /// The newest version's number.
    pub fn newest(&self) -> u32 {
        self.versions.first().map_or(1, |newest| newest.version)
    }
}

impl Webhooks {
    /// `data` of a test delivery made at `now`: [`Webhooks::test_data`] with every member whose value is the text `{now}` replaced
    /// by the time in RFC 3339.
    pub fn test_data_at(&self, now: Timestamp) -> Value {
        let mut data = self.test_data.clone();
        if let Some(members) = data.as_object_mut() {
            for value in members.values_mut().filter(|value| value.as_str() == Some("{now}")) {
                *value = Value::String(now.to_string());
            }
        }
        data
    }
}
