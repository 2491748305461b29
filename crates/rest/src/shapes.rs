//! The JSON Schemas of declared resources, as the OpenAPI document shows them.

use blueprint::model::{IdForm, Naming, Resource};
use records::ResourceType;
use serde_json::{Map, Value, json};

/// Where a schema keeps what its own references lead to.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// What a body's schema says of a member whose value no other record of the tenant may have.
pub(crate) const UNIQUE: &str = "x-unique";

/// `policy-holders` to `PolicyHolders`.
pub(crate) fn title(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split(['-', '_']).map(word).collect()
}

/// A reference to the resource's component.
pub(crate) fn reference(kind: &ResourceType) -> Value {
    json!({"$ref": format!("#/components/schemas/{}", title(kind.name()))})
}

/// The components of a resource: the record as it is answered, under its name, and whatever its schema defines beside.
pub(crate) fn components(resource: &Resource, naming: Naming) -> Vec<(String, Value)> {
    let external_id = match naming {
        Naming::Camel => "externalId",
        Naming::Snake => "external_id",
    };
    let id = match resource.id_form {
        IdForm::TypeId => json!({"type": "string", "examples": ["rec_01jd3m9x7efd2v5k8q0r4tnwye"]}),
        IdForm::Integer => json!({"type": "integer", "minimum": 1}),
    };
    let time = json!({"type": "string", "format": "date-time"});
    let mut properties = Map::new();
    properties.insert("id".into(), id);
    properties.insert(external_id.into(), json!({"type": "string", "description": "The host's id, where it gave one"}));
    properties.extend(members(resource).map(|(name, schema)| (name.clone(), schema.clone())));
    properties.insert(resource.created_field.clone(), time.clone());
    properties.extend(resource.updated_field.iter().map(|name| (name.clone(), time.clone())));
    let mut required = vec![Value::from("id")];
    required.extend(resource.schema.get("required").and_then(Value::as_array).into_iter().flatten().cloned());
    required.push(resource.created_field.as_str().into());
    let own = json!({"type": "object", "required": required, "properties": properties});
    let name = title(&resource.name);
    let mut out = vec![(name.clone(), hoisted(own, &name))];
    for table in DEFINITIONS {
        let defined = resource.schema.get(table).and_then(Value::as_object).into_iter().flatten();
        out.extend(defined.map(|(key, schema)| (component(&name, key), hoisted(schema.clone(), &name))));
    }
    out
}

/// The body of a creation (`whole`), or of an update, where nothing is required.
pub(crate) fn body(kind: &ResourceType, writable: Option<&[String]>, whole: bool) -> Value {
    body_of(kind.resource(), writable, whole)
}

/// The same of a resource type that is only declared.
pub(crate) fn body_of(resource: &Resource, writable: Option<&[String]>, whole: bool) -> Value {
    let stamped = |name: &str| resource.stamps.iter().any(|stamp| stamp.field == name);
    let open = |name: &String| writable.map_or_else(|| !stamped(name), |names| names.contains(name));
    let mut properties: Map<String, Value> =
        members(resource).filter(|(name, _)| open(name)).map(|(name, schema)| (name.clone(), schema.clone())).collect();
    for (name, property) in &mut properties {
        if let Some(keywords) = property.as_object_mut().filter(|_| resource.unique.contains(name)) {
            keywords.insert(UNIQUE.into(), true.into());
        }
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if let Some(more) = resource.schema.get("additionalProperties") {
        schema["additionalProperties"] = more.clone();
    }
    if whole {
        let given = |name: &&Value| {
            let name = name.as_str().unwrap_or_default();
            properties.get(name).is_some_and(|property| property.get("default").is_none())
        };
        let required = resource.schema.get("required").and_then(Value::as_array).into_iter().flatten();
        schema["required"] = required.filter(given).cloned().collect();
    } else {
        schema["description"] = "The members sent replace theirs; null removes one; others stay (RFC 7396).".into();
    }
    hoisted(schema, &title(&resource.name))
}

/// A schema as a component under a name, and what it defines beside, each under the owner's name and its own.
pub(crate) fn standing_alone(name: &str, owner: &str, schema: &Value) -> Vec<(String, Value)> {
    let mut plain = schema.clone();
    if let Some(members) = plain.as_object_mut() {
        members.retain(|keyword, _| !DEFINITIONS.contains(&keyword.as_str()) && keyword != "$schema" && keyword != "$id");
    }
    let mut out = vec![(name.to_owned(), hoisted(plain, owner))];
    for table in DEFINITIONS {
        let defined = schema.get(table).and_then(Value::as_object).into_iter().flatten();
        out.extend(defined.map(|(key, schema)| (component(owner, key), hoisted(schema.clone(), owner))));
    }
    out
}

fn members(resource: &Resource) -> impl Iterator<Item = (&String, &Value)> {
    resource.schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn component(owner: &str, key: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' };
    format!("{owner}_{}", key.chars().map(plain).collect::<String>())
}

/// Turns references into the schema's own definitions into references to components, where those definitions stand in the document.
fn hoisted(mut schema: Value, owner: &str) -> Value {
    redirect(&mut schema, owner);
    schema
}

/// Schemas are at most 32 levels deep: the blueprint refuses others.
fn redirect(value: &mut Value, owner: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, owner)),
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref") {
                let key = DEFINITIONS.iter().find_map(|table| target.strip_prefix(&format!("#/{table}/")));
                if let Some(key) = key.map(str::to_owned) {
                    *target = format!("#/components/schemas/{}", component(owner, &key));
                }
            }
            members.values_mut().for_each(|member| redirect(member, owner));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_titles() {
        assert_eq!((title("lead").as_str(), title("policy-holder").as_str()), ("Lead", "PolicyHolder"));
    }

    #[test]
    fn own_definitions_become_components() {
        let schema = json!({"properties": {"a": {"$ref": "#/$defs/money"}, "b": {"items": [{"$ref": "#/definitions/x y"}]}}});
        let moved = hoisted(schema, "Lead");
        assert_eq!(moved["properties"]["a"]["$ref"], "#/components/schemas/Lead_money");
        assert_eq!(moved["properties"]["b"]["items"][0]["$ref"], "#/components/schemas/Lead_x_y");
    }
}
