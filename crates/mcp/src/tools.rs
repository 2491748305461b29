//! Endpoints as tools. All that is said of a tool comes from the endpoint's entry in the OpenAPI document.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use access::Principal;
use kernel::Caller;
use rmcp::model::{Tool as Described, ToolAnnotations};
use serde_json::{Map, Value, json};
use web::{Access, Endpoint};

/// Longest name, as clients take them: letters, digits, `_` and `-`.
const MAX_NAME: usize = 64;
/// The argument that is the body of the request.
pub(crate) const BODY: &str = "body";

/// Headers that belong to the caller's connection, not to a call.
const CONNECTION: [&str; 3] = ["Authorization", "X-API-Secret", "Tradewind-Tenant"];

/// One endpoint, callable.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) described: Described,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) has_body: bool,
    tag: String,
}

/// The tools that do not depend on the tenant.
pub(crate) struct Catalogue {
    tools: Vec<Arc<Tool>>,
    by_name: HashMap<String, usize>,
    /// What the document's references lead to.
    components: Value,
}

impl Catalogue {
    pub(crate) fn new(endpoints: &[Arc<Endpoint>], document: &Value) -> Self {
        let components = document["components"].clone();
        let tools = tools(endpoints, document, &HashSet::new());
        let by_name = tools.iter().enumerate().map(|(n, tool)| (tool.described.name.to_string(), n)).collect();
        Self { tools, by_name, components }
    }

    pub(crate) fn all(&self) -> &[Arc<Tool>] {
        &self.tools
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.by_name.get(name).map(|n| &self.tools[*n])
    }

    /// The tools of a tenant's own endpoints.
    pub(crate) fn more(&self, endpoints: &[Arc<Endpoint>]) -> Vec<Arc<Tool>> {
        if endpoints.is_empty() {
            return Vec::new();
        }
        let info = web::openapi::Info { title: String::new(), version: String::new(), description: String::new(), server: None };
        let schemas = self.components["schemas"].as_object().cloned().unwrap_or_default();
        let document = web::openapi::document(&info, endpoints, schemas);
        tools(endpoints, &document, &self.by_name.keys().cloned().collect())
    }
}

impl Tool {
    /// Whether a caller may use it.
    pub(crate) fn is_open_to(&self, caller: &Caller, principal: &Principal) -> bool {
        let holds = self.endpoint.access != Access::Public && gate::check_scope(&self.endpoint, caller).is_ok();
        holds && principal.endpoint_allowed(self.endpoint.method.as_str(), &self.endpoint.path)
    }

    /// Whether it belongs to one of these groups of the documentation; none: to any.
    pub(crate) fn is_of(&self, tags: &[String]) -> bool {
        tags.is_empty() || tags.iter().any(|tag| tag.eq_ignore_ascii_case(&self.tag))
    }
}

/// Every endpoint that answers JSON, once: not the documentation, not what needs no credential, not streams.
fn tools(endpoints: &[Arc<Endpoint>], document: &Value, taken: &HashSet<String>) -> Vec<Arc<Tool>> {
    let mut taken = taken.clone();
    let operations = operations(document);
    let offered = endpoints.iter().filter(|endpoint| !endpoint.hidden && endpoint.access != Access::Public);
    let offered = offered.filter(|endpoint| endpoint.path != crate::entrance::PATH && answers_json(endpoint));
    let one = |endpoint: &Arc<Endpoint>| {
        let (_, operation) = operations.get(endpoint.id.as_str())?;
        Some(Arc::new(tool(endpoint, operation, &document["components"], &mut taken)))
    };
    offered.filter_map(one).collect()
}

fn answers_json(endpoint: &Endpoint) -> bool {
    let media = |shape: &Option<web::Shape>| matches!(shape, Some(web::Shape::Media(_)));
    endpoint.answers.is_empty() || endpoint.answers.iter().any(|(_, shape)| !media(shape))
}

/// The document's operations by their ids, with their paths.
fn operations(document: &Value) -> HashMap<&str, (&str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let each =
        paths.flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(move |(_, operation)| (path.as_str(), operation)));
    each.filter_map(|(path, operation)| Some((operation["operationId"].as_str()?, (path, operation)))).collect()
}

fn tool(endpoint: &Arc<Endpoint>, operation: &Value, components: &Value, taken: &mut HashSet<String>) -> Tool {
    let name = name(&endpoint.id, taken);
    let mut properties = Map::new();
    let mut required: Vec<Value> = Vec::new();
    let (mut path, mut query, mut headers) = (Vec::new(), Vec::new(), Vec::new());
    let mut used = BTreeMap::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten().map(|one| resolved(one, components)) {
        let Some(named) = parameter["name"].as_str() else { continue };
        let place = match parameter["in"].as_str() {
            Some("path") => &mut path,
            Some("query") => &mut query,
            Some("header") if !CONNECTION.iter().any(|name| name.eq_ignore_ascii_case(named)) => &mut headers,
            _ => continue,
        };
        place.push(named.to_owned());
        if parameter["required"] == true {
            required.push(named.into());
        }
        properties.insert(named.to_owned(), argument(&parameter, components, &mut used));
    }
    let body = &operation["requestBody"];
    let schema = body["content"].get("application/json").map(|media| &media["schema"]);
    if let Some(schema) = schema {
        properties.insert(BODY.to_owned(), bundled(schema, components, &mut used));
        if body["required"] == true {
            required.push(BODY.into());
        }
    }
    let mut input = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
        ("required".to_owned(), Value::Array(required)),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    if !used.is_empty() {
        input.insert("$defs".to_owned(), Value::Object(used.into_iter().collect()));
    }
    let described = Described::new_with_raw(name, Some(description(endpoint).into()), Arc::new(input));
    let described = described.with_title(title(endpoint)).with_annotations(hints(endpoint));
    Tool { endpoint: Arc::clone(endpoint), described, path, query, headers, has_body: schema.is_some(), tag: endpoint.tag.clone() }
}

/// `leads.list` as `leads_list`, once.
fn name(id: &str, taken: &mut HashSet<String>) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let plain: String = id.chars().map(word).take(MAX_NAME - 4).collect();
    let mut name = plain.clone();
    for n in 2.. {
        if taken.insert(name.clone()) {
            break;
        }
        name = format!("{plain}_{n}");
    }
    name
}

fn title(endpoint: &Endpoint) -> String {
    endpoint.summary.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// What a reader of the documentation is told, the request behind it, and how a long list is read.
fn description(endpoint: &Endpoint) -> String {
    let mut text = endpoint.summary.clone();
    if !endpoint.description.is_empty() {
        text = format!("{text}\n\n{}", endpoint.description);
    }
    let limited = endpoint.query.iter().any(|one| one.name == "limit")
        && endpoint.query.iter().any(|one| matches!(one.name.as_str(), "cursor" | "page"));
    if limited {
        text.push_str("\n\nAnswers a page. Go on with the cursor of the last answer's pagination, or with page; a smaller limit gives smaller answers.");
    }
    format!("{text}\n\n{} {}", endpoint.method, endpoint.path)
}

fn hints(endpoint: &Endpoint) -> ToolAnnotations {
    let method = &endpoint.method;
    let reads = method == http::Method::GET;
    let hints = ToolAnnotations::new().read_only(reads).open_world(false);
    if reads {
        return hints;
    }
    hints
        .destructive(method == http::Method::DELETE || method == http::Method::PUT)
        .idempotent(method == http::Method::DELETE || method == http::Method::PUT)
}

/// A parameter's schema, with what is said about it.
fn argument(parameter: &Value, components: &Value, used: &mut BTreeMap<String, Value>) -> Value {
    let mut schema = bundled(&parameter["schema"], components, used);
    if let (Some(about), Some(members)) = (parameter["description"].as_str(), schema.as_object_mut()) {
        members.entry("description").or_insert_with(|| about.into());
    }
    schema
}

/// What a reference to a part of the document leads to, or the value itself.
fn resolved(value: &Value, components: &Value) -> Value {
    let target = value["$ref"].as_str().and_then(|path| path.strip_prefix("#/components"));
    target.and_then(|path| components.pointer(path)).unwrap_or(value).clone()
}

const SCHEMAS: &str = "#/components/schemas/";

/// A schema that stands alone: what it refers to goes into `used`, which becomes its `$defs`.
fn bundled(schema: &Value, components: &Value, used: &mut BTreeMap<String, Value>) -> Value {
    match schema {
        Value::Object(members) => {
            let one = |(name, value): (&String, &Value)| {
                let target = value.as_str().filter(|_| name == "$ref").and_then(|path| path.strip_prefix(SCHEMAS));
                let Some(target) = target else { return (name.clone(), bundled(value, components, used)) };
                if !used.contains_key(target) {
                    // Before it is looked into: it may lead back to itself.
                    used.insert(target.to_owned(), Value::Bool(true));
                    let whole = components["schemas"].get(target).map_or(Value::Bool(true), |whole| bundled(whole, components, used));
                    used.insert(target.to_owned(), whole);
                }
                (name.clone(), Value::String(format!("#/$defs/{target}")))
            };
            Value::Object(members.iter().map(one).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| bundled(item, components, used)).collect()),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered() -> Vec<Arc<Tool>> {
        let lead = json!({"$ref": "#/components/schemas/Lead"});
        let endpoints = [
            Endpoint::get("/api/v1/leads", "leads.list")
                .summary("List leads. Newest first.")
                .tag("Leads")
                .paged()
                .needs(Access::Scope("leads:read".into())),
            Endpoint::put("/api/v1/leads/{id}", "leads.update").summary("Change a lead.").body_schema(lead.clone()),
            Endpoint::get("/api/v1/leads/{id}/notes/{note}", "leads/notes").answers_schema(200, lead),
            Endpoint::get("/health/live", "health").needs(Access::Public),
            Endpoint::get("/docs", "docs").hidden(),
            Endpoint::get("/stream", "stream").answers_media(200, "text/event-stream"),
        ];
        let endpoints: Vec<Arc<Endpoint>> = endpoints.into_iter().map(Arc::new).collect();
        let info = web::openapi::Info { title: "T".into(), version: "1".into(), description: String::new(), server: None };
        // A schema that leads back to itself.
        let schemas = json!({"Lead": {"type": "object", "properties": {"parent": {"$ref": "#/components/schemas/Lead"}, "at": {"$ref": "#/components/schemas/Time"}}},
                             "Time": {"type": "string"}});
        let document = web::openapi::document(&info, &endpoints, schemas.as_object().unwrap().clone());
        Catalogue::new(&endpoints, &document).tools
    }

    #[test]
    fn endpoints_become_tools_with_names_that_clients_take() {
        let tools = offered();
        let names: Vec<&str> = tools.iter().map(|tool| tool.described.name.as_ref()).collect();
        assert_eq!(names, ["leads_list", "leads_update", "leads_notes"], "neither what is public nor what is hidden nor streams");
        let list = &tools[0].described;
        assert_eq!((list.title.as_deref(), list.annotations.as_ref().unwrap().read_only_hint), (Some("List leads"), Some(true)));
        assert!(list.description.as_deref().unwrap().contains("Go on with the cursor"));
        assert_eq!(tools[2].path, ["id", "note"]);
        assert!(tools[0].is_of(&["leads".into()]) && !tools[1].is_of(&["leads".into()]) && tools[1].is_of(&[]));
    }

    #[test]
    fn schemas_stand_alone() {
        let tools = offered();
        let update = Value::Object((*tools[1].described.input_schema).clone());
        assert_eq!(update["required"], json!(["id", "body"]));
        assert_eq!(update["properties"]["body"], json!({"$ref": "#/$defs/Lead"}));
        assert_eq!(update["$defs"]["Lead"]["properties"]["parent"], json!({"$ref": "#/$defs/Lead"}));
        assert_eq!(update["$defs"]["Time"], json!({"type": "string"}));
        assert!(update["properties"].get("Idempotency-Key").is_some(), "what is a header for others is an argument here");
        assert!(!update.to_string().contains("#/components"));
    }

    #[test]
    fn no_two_tools_have_one_name() {
        let mut taken = HashSet::new();
        let long = "x".repeat(100);
        let names = ["a.b", "a_b", "a/b", &long, &long].map(|id| name(id, &mut taken));
        assert_eq!(names[..3], ["a_b", "a_b_2", "a_b_3"]);
        assert!(names.iter().all(|name| name.len() <= MAX_NAME) && names[3] != names[4]);
    }
}
