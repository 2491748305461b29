//! The OpenAPI document.

use serde_json::{Value, json};
use web::openapi::{Info, document};
use web::{Access, Api, Endpoint, NoContent, Patch};

#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Outer {
    inner: Inner,
    list: Vec<Inner>,
    note: Patch<String>,
    any: Option<Value>,
    id: kernel::TenantId,
    other: Patch<Inner>,
    state: Option<State>,
}

#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Inner {
    size: u8,
}

#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
enum State {
    On,
    Off,
}

fn build() -> Value {
    let nothing = async || NoContent;
    let api = Api::new()
        .route(Endpoint::get("/a/{id}", "a.get").tag("A").answers::<Outer>(200), nothing, ())
        .route(
            Endpoint::put("/a/{key}", "a.put").tag("A").needs(Access::Scope("a:write".into())).body::<Outer>().answers_nothing(),
            nothing,
            (),
        )
        .route(Endpoint::get("/a", "a.list").paged().needs(Access::Public).answers_page::<Inner>(), nothing, ())
        .route(Endpoint::post("/b", "b.create").body_schema(json!({"type": "object"})).answers::<Vec<Inner>>(202), nothing, ())
        .route(Endpoint::get("/hidden", "hidden").hidden(), nothing, ());
    let info = Info { title: "T".into(), version: "1".into(), description: String::new(), server: None };
    document(&info, &api.endpoints(), serde_json::Map::new())
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.push(reference.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = build();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 4);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} in {document:#}");
    }
}

#[test]
fn paths_tell_who_may_and_what_fails() {
    let document = build();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/a/{id}", "/a", "/b"]);
    let put = &paths["/a/{id}"]["put"];
    assert_eq!((&put["operationId"], &put["x-required-scope"]), (&json!("a.put"), &json!("a:write")));
    assert_eq!(put["parameters"][0]["name"], "id");
    let statuses: Vec<_> = put["responses"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(statuses, ["204", "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503"]);
    assert_eq!(paths["/a"]["get"]["security"], json!([]));
    assert_eq!(paths["/a"]["get"]["parameters"].as_array().unwrap().len(), 3);
    assert_eq!(put["responses"]["404"]["$ref"], "#/components/responses/NotFound");
    assert_eq!(paths["/a"]["get"]["parameters"][0]["schema"]["type"], "integer");
    assert_eq!(put["requestBody"]["content"]["application/json"]["example"]["inner"]["size"], 1);
    assert_eq!(paths["/b"]["post"]["requestBody"]["content"]["application/json"]["schema"], json!({"type": "object"}));
}
