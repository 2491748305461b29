//! What objects there are, and their fields.

use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::schema::{Field, Object};
use crate::stand::Answer;

/// An object without its fields.
pub(super) fn summary(object: &Object, version: &str) -> Value {
    let root = format!("/services/data/{version}/sobjects/{}", object.name);
    json!({
        "name": object.name, "label": object.name.trim_end_matches("__c"), "labelPlural": format!("{}s",
            object.name.trim_end_matches("__c")),
        "keyPrefix": object.prefix, "custom": object.name.ends_with("__c"), "createable": true, "updateable": true, "deletable": true,
        "queryable": true, "searchable": true, "retrieveable": true, "undeletable": true, "replicateable": true, "mergeable": true,
        "triggerable": true, "layoutable": true, "activateable": false, "customSetting": false, "deprecatedAndHidden": false,
        "feedEnabled": true, "hasSubtypes": false, "isSubtype": false, "mruEnabled": true,
        "urls": {"sobject": root, "describe": format!("{root}/describe"), "rowTemplate": format!("{root}/{{ID}}")},
    })
}

pub(super) fn all(org: &Org, scene: &Scene<'_>) -> Answer {
    let objects: Vec<_> = org.objects.iter().map(|object| summary(object, scene.version)).collect();
    Answer::json(200, &json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects}))
}

pub(super) fn one(org: &Org, scene: &Scene<'_>, object: &str) -> Result<Answer, Failure> {
    let object = org.object(object)?;
    let mut value = summary(object, scene.version);
    value["fields"] = object.fields.iter().map(Field::described).collect();
    value["childRelationships"] = json!([]);
    value["recordTypeInfos"] = json!([]);
    value["supportedScopes"] = json!([]);
    Ok(Answer::json(200, &value))
}
