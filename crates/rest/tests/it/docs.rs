//! The OpenAPI document and its pages.

use std::collections::HashSet;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use rest::DocsConfig;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::bed::{App, Bed, Product};

/// Every `$ref` below `value`.
fn references(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            out.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, out));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, out)),
        _ => {}
    }
}

/// Puts the target in place of each reference.
fn inline(value: &mut Value, document: &Value) {
    if let Some(target) = value.get("$ref").and_then(Value::as_str).and_then(|target| document.pointer(&target[1..])) {
        *value = target.clone();
    }
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| inline(member, document)),
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, document)),
        _ => {}
    }
}

/// What a reference leads to; anything else as it is.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value.get("$ref").and_then(Value::as_str).and_then(|target| document.pointer(&target[1..])).unwrap_or(value)
}

/// What must hold of any document.
fn check(document: &Value, product: &Product) {
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut targets = Vec::new();
    references(document, &mut targets);
    assert!(!targets.is_empty());
    for target in targets {
        let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leads out of the document"));
        assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
    }
    let mut ids = HashSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let named: HashSet<&str> = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        for (method, operation) in operations.as_object().unwrap() {
            let parameters: Vec<&Value> = operation["parameters"].as_array().unwrap().iter().map(|one| resolved(document, one)).collect();
            let declared: HashSet<&str> = parameters.iter().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap()).collect();
            assert_eq!(named, declared, "{method} {path}");
            let all: HashSet<(&str, &str)> = parameters.iter().map(|p| (p["in"].as_str().unwrap(), p["name"].as_str().unwrap())).collect();
            assert_eq!(all.len(), parameters.len(), "{method} {path} declares a parameter twice");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}: operation id");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')) && responses.contains_key("500"), "{method} {path}");
        }
    }
    for endpoint in product.blueprint.endpoints.iter().filter(|endpoint| endpoint.operation.is_of_records()) {
        let path = endpoint.full_path(&product.blueprint.style);
        assert!(document["paths"][&path].get(endpoint.method.to_ascii_lowercase()).is_some(), "{path}");
    }
    assert_eq!(document["components"]["securitySchemes"]["ApiKeyAuth"]["scheme"], "bearer");
}

/// Addresses of other hosts that a browser would load.
fn outside(text: &str) -> Vec<&str> {
    let loads = ["src=\"", "href=\"", "url(", "url: \"", "\"url\": \"", "@import "];
    let mut found = Vec::new();
    for load in loads {
        for rest in text.split(load).skip(1) {
            let target = rest.trim_start_matches(['"', '\'']);
            if target.starts_with("http:") || target.starts_with("https:") || target.starts_with("//") {
                found.push(target.get(..60).unwrap_or(target));
            }
        }
    }
    found
}

/// Two keys that are known, and all others that are not.
fn read(parts: &http::request::Parts) -> rest::Reading<'_> {
    let who = parts.headers.get("authorization").map(|value| value.to_str().unwrap());
    let own = web::Endpoint::get("/api/v1/x/mine", "own.mine").tag("Own").summary("Mine");
    let reads_leads =
        |endpoint: &web::Endpoint| endpoint.access == web::Access::Scope("leads:read".into()) && endpoint.path.starts_with("/api/v1/leads");
    let reader = match who {
        Some("Bearer leads") => Ok(Some(rest::Reader::new(reads_leads, vec![]))),
        Some("Bearer own") => Ok(Some(rest::Reader::new(|_| false, vec![Arc::new(own)]))),
        Some(_) => Err(kernel::Error::unauthenticated("invalid_credential", "No.")),
        None => Ok(None),
    };
    Box::pin(std::future::ready(reader))
}

/// The documentation's own client is taken as it is; without one a reader names theirs.
#[tokio::test]
async fn readers_sign_in_by_the_documentations_client() {
    let api = || DocsConfig { public_url: "https://api.example.com".into(), version: "1".into(), client: None };
    let page = async |config: DocsConfig| {
        let blueprint = Arc::new(blueprint::load("insurance-leads").unwrap());
        let docs = rest::Docs::new(blueprint, Vec::new(), config, None);
        let router = docs.routes().into_router(|_, route| route);
        let request = http::Request::builder().uri("/docs/signed-in").body(axum::body::Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    };
    let asked = page(api()).await;
    assert!(asked.contains("data-callback=\"https://api.example.com/docs/signed-in\""), "{asked}");
    assert!(asked.contains("name=\"client\" autocomplete=\"off\""), "{asked}");
    let own = page(DocsConfig { client: Some("cli_7".into()), ..api() }).await;
    assert!(own.contains("name=\"client\" type=\"hidden\" value=\"cli_7\"") && !own.contains("placeholder=\"cli_"), "{own}");
}

testkit::engines! {
    /// Both products' documents are whole, and public.
    async fn documents_are_whole(bed: Bed) {
        for (product, place) in [(&bed.insurance, "/docs/openapi.json"), (&bed.contractors, "/api/docs/openapi.json")] {
            let app = App::new(product, None);
            let answer = app.get(place).await.expect(200);
            assert_eq!(answer.header("content-type"), "application/json");
            let document = answer.json();
            check(&document, product);
            assert_eq!(document, app.get("/docs/openapi.json").await.expect(200).json());
            assert_eq!(document["info"]["title"], Value::from(product.blueprint.product.title.as_str()));
            assert_eq!(document["info"]["contact"]["email"], Value::from(product.blueprint.product.contact_email.as_deref().unwrap()));
            assert_eq!(document["info"]["version"], "1.2.3");
            let servers: Vec<&str> = document["servers"].as_array().unwrap().iter().map(|s| s["url"].as_str().unwrap()).collect();
            assert_eq!(servers, ["https://api.example.com", "http://127.0.0.1:8080"]);
            assert!(document["components"]["schemas"]["Lead"]["properties"]["id"].is_object());
        }
    }

    /// Every event type has its place in both documents, with a body in the product's form that its own schema accepts.
    async fn events_are_documented(bed: Bed) {
        for product in [&bed.insurance, &bed.contractors] {
            let app = App::new(product, None);
            let document = app.get("/docs/openapi.json").await.expect(200).json();
            let events = app.get("/docs/asyncapi.json").await.expect(200).json();
            assert_eq!(events["asyncapi"], "3.0.0");
            for (document, places) in [(&document, "/webhooks/{}/post/requestBody/content/application~1json/schema"), (&events, "/components/messages/{}/payload")] {
                let mut targets = Vec::new();
                references(document, &mut targets);
                for target in targets {
                    assert!(document.pointer(target.strip_prefix('#').unwrap()).is_some(), "{target} leads nowhere");
                }
                for event in &product.blueprint.events {
                    let body = document.pointer(&places.replace("{}", event.name.as_str())).unwrap_or_else(|| panic!("{}", event.name));
                    // The whole document stands around the schema, so that its references lead somewhere.
                    let mut alone = body.clone();
                    inline(&mut alone, document);
                    let schema = blueprint::Schema::compile(&alone).unwrap();
                    let example = document.pointer(&places.replace("{}", event.name.as_str()).replace("/schema", "/example").replace("/payload", "/examples/0/payload"));
                    assert_eq!(schema.check(example.unwrap(), ""), Vec::new(), "{}", event.name);
                    assert!(!schema.accepts(&Value::from(1)), "{}", event.name);
                }
            }
            assert_eq!(document["webhooks"].as_object().unwrap().len(), product.blueprint.events.len());
            assert_eq!(events["operations"].as_object().unwrap().len(), product.blueprint.events.len());
        }
        let headers = App::new(&bed.insurance, None).get("/docs/openapi.json").await.json();
        let names: Vec<&str> = headers["webhooks"]["lead.created"]["post"]["parameters"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        for header in ["webhook-id", "webhook-timestamp", "webhook-signature", bed.insurance.blueprint.webhooks.event_header.as_deref().unwrap()] {
            assert!(names.contains(&header), "{header} {names:?}");
        }
    }

    /// Versions, deprecation, definitions of their own, and flags that the public does not learn of.
    async fn versions_and_deprecations_are_documented(bed: Bed) {
        let text = r##"
name = "bakery"
default_tier = "basic"
product = { title = "Bakery" }
tiers = [{ name = "basic" }]
[[events]]
name = "order.made"
version = 2
schema = { type = "object", properties = { price = { "$ref" = "#/$defs/money" } }, "$defs" = { money = { type = "integer" } } }
example = { price = 1 }
deprecated = { since = 2026-01-31, sunset = 2026-12-31, replacement = "order.paid" }
[[events.versions]]
version = 1
schema = { type = "object", properties = { price = { "$ref" = "#/$defs/money" } }, "$defs" = { money = { type = "string" } } }
example = { price = "1" }
[[events]]
name = "order.paid"
schema = { type = "object" }
example = {}
[[events]]
name = "order.secret"
feature = "beta"
schema = { type = "object" }
example = {}
"##;
        let blueprint = blueprint::parse(text, "bakery").unwrap();
        let config = DocsConfig { public_url: "https://api.example.com".into(), version: "1".into(), client: None };
        let (document, events) = (rest::openapi(&blueprint, &[], &config), rest::asyncapi(&blueprint, &config));
        for all in [&document, &events] {
            assert!(!all.to_string().contains("order.secret"));
            let schemas = &all["components"]["schemas"];
            let kinds: Vec<&Value> = [2, 1].iter().map(|version| {
                let target = schemas[format!("EventDataV{version}.order.made")]["properties"]["price"]["$ref"].as_str().unwrap();
                &all.pointer(&target[1..]).unwrap()["type"]
            }).collect();
            assert_eq!(kinds, ["integer", "string"]);
        }
        let operation = &document["webhooks"]["order.made"]["post"];
        assert_eq!((&operation["deprecated"], document["webhooks"]["order.paid"]["post"].get("deprecated")), (&Value::Bool(true), None));
        assert!(operation["description"].as_str().unwrap().contains("Use order.paid instead. It may be gone from 2026-12-31."));
        let data = &operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]["anyOf"];
        assert_eq!(data[0]["$ref"], "#/components/schemas/EventDataV2.order.made");
        assert_eq!(events["components"]["messages"]["order.made"]["x-deprecated"]["replacement"], "order.paid");
        drop(bed);
    }

    /// A slash too much leads to the page.
    async fn a_slash_too_much_does_no_harm(bed: Bed) {
        let app = App::new(&bed.contractors, None);
        for place in ["/docs", "/api/docs"] {
            assert_eq!(app.get(&format!("{place}/")).await.expect(308).header("location"), place);
        }
    }

    /// A product with its own error form documents that one, under its own status.
    async fn errors_are_documented_as_they_are_answered(bed: Bed) {
        let document = App::new(&bed.contractors, None).get("/docs/openapi.json").await.json();
        let put = &document["paths"]["/api/partner-api/lead/{leadId}"]["put"];
        let refused = resolved(&document, &put["responses"]["400"]);
        assert_eq!(refused["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/Error");
        let body = &put["requestBody"]["content"]["application/json"]["schema"];
        let names: Vec<&String> = body["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["status", "engagement_stage", "next_follow_up_date", "notes"]);
        assert_eq!(put["x-required-scope"], "write:leads");
        let generic = resolved(&document, &document["paths"]["/api/v1/records/{resourceType}"]["post"]["responses"]["422"]);
        assert!(generic["content"].get("application/problem+json").is_some());
    }

    /// The pages and all that they load come from this server, and nothing in them is inline: the policy forbids it.
    async fn the_pages_need_no_network(bed: Bed) {
        let app = App::new(&bed.contractors, None);
        for place in ["/docs", "/api/docs", "/docs/start", "/docs/events", "/docs/errors", "/docs/reference/records"] {
            let page = app.get(place).await.expect(200);
            assert!(page.header("content-type").starts_with("text/html"));
            let policy = page.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(outside(&page.text), Vec::<&str>::new());
            for inline in ["<style", " style=\"", " onclick=", "javascript:", "<script>"] {
                assert!(!page.text.contains(inline), "{place} has {inline}");
            }
            let own: Vec<&str> = page.text.split(['"']).filter(|part| part.starts_with("/docs/ui/")).collect();
            assert_eq!(own, ["/docs/ui/docs.css", "/docs/ui/icon.svg", "/docs/ui/docs.js"]);
            for path in own {
                let file = app.get(path).await.expect(200);
                assert!(!file.text.is_empty());
                assert_eq!(outside(&file.text), Vec::<&str>::new(), "{path}");
            }
        }
        for missing in ["/docs/ui/index.html", "/docs/ui/..%2fx", "/docs/ui/x", "/docs/reference/x"] {
            app.get(missing).await.expect(404);
        }
    }

    /// Every operation is on exactly one page, with a form to try it and a sample in each language.
    async fn every_operation_is_on_a_page(bed: Bed) {
        let app = App::new(&bed.insurance, None);
        let document = app.get("/docs/openapi.json").await.json();
        let overview = app.get("/docs").await.expect(200).text;
        let mut groups: Vec<&str> = overview.split("href=\"/docs/reference/").skip(1).map(|rest| rest.split(['"', '#']).next().unwrap()).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut pages = String::new();
        for group in groups {
            pages.push_str(&app.get(&format!("/docs/reference/{group}")).await.expect(200).text);
        }
        let mut count = 0;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                let form = format!("data-method=\"{}\" data-path=\"{path}\"", method.to_uppercase());
                assert_eq!(pages.matches(&form).count(), 1, "{method} {path}");
                count += 1;
            }
        }
        for language in ["curl", "javascript", "python", "php", "go", "rust"] {
            assert_eq!(pages.matches(&format!("class=\"code\" data-lang=\"{language}\"")).count(), count, "{language}");
        }
    }

    /// A page that has not changed is not sent again.
    async fn unchanged_documents_are_not_sent_again(bed: Bed) {
        let app = App::new(&bed.insurance, None);
        for path in ["/docs", "/docs/openapi.json", "/docs/postman.json", "/llms.txt"] {
            let tag = app.get(path).await.expect(200).header("etag").to_owned();
            let again = app.get_with(path, &[("if-none-match", &tag)]).await.expect(304);
            assert!(again.text.is_empty() && again.header("etag") == tag);
            app.get_with(path, &[("if-none-match", "\"other\"")]).await.expect(200);
        }
    }

    /// The words around the content follow the language, and the writing direction with them.
    async fn pages_are_written_from_right_to_left_too(bed: Bed) {
        let app = App::new(&bed.insurance, None);
        let page = app.get("/docs/start?lang=he").await.expect(200).text;
        assert!(page.contains("<html lang=\"he\" dir=\"rtl\">") && page.contains("צעדים ראשונים"));
        assert!(page.contains("<pre dir=\"ltr\""), "code reads from left to right");
        let page = app.get_with("/docs/start", &[("accept-language", "he")]).await.expect(200).text;
        let speaks = bed.insurance.blueprint.product.languages.iter().any(|language| language == "he");
        assert_eq!(page.contains("dir=\"rtl\""), speaks, "only languages that the product has are chosen by themselves");
    }

    /// A reader gets the operations that it may call, with what these need, and its tenant's own; nobody else's.
    async fn readers_see_what_they_may_call(bed: Bed) {
        let app = App::read_by(&bed.insurance, Arc::new(read));
        let paths = async |bearer: &str| {
            let answer = app.get_with("/docs/openapi.json", &[("authorization", bearer)]).await.expect(200);
            assert!(answer.header("cache-control").starts_with("private"));
            let document = answer.json();
            let names: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
            (names, document)
        };
        let (names, document) = paths("Bearer leads").await;
        assert_eq!(names, ["/api/v1/leads", "/api/v1/leads/{id}"]);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert!(schemas.contains_key("Lead") && !schemas.contains_key("Agent"), "{:?}", schemas.keys());
        assert!(document["paths"]["/api/v1/leads"].get("post").is_none());
        assert_eq!(paths("Bearer own").await.0, ["/api/v1/x/mine"]);
        let page = app.get_with("/docs/reference/own", &[("authorization", "Bearer own")]).await.expect(200).text;
        assert!(page.contains("data-path=\"/api/v1/x/mine\""));
        app.get_with("/docs/reference/own", &[("authorization", "Bearer leads")]).await.expect(404);
        for document in ["openapi.json", "asyncapi.json", "postman.json", "llms.txt", "reference/own", "start"] {
            app.get_with(&format!("/docs/{document}"), &[("authorization", "Bearer wrong")]).await.expect(401);
        }
        assert!(app.get("/docs/openapi.json").await.expect(200).json()["paths"].as_object().unwrap().len() > names.len());
    }

    /// The collection has a journey in which each request finds what it needs, variables and tests; `llms.txt` names every operation.
    async fn collections_and_prose_follow_the_document(bed: Bed) {
        let app = App::new(&bed.insurance, None);
        let document = app.get("/docs/openapi.json").await.json();
        let count: usize = document["paths"].as_object().unwrap().values().map(|one| one.as_object().unwrap().len()).sum();
        let collection = app.get("/docs/postman.json").await.expect(200).json();
        let folders = collection["item"].as_array().unwrap();
        let requests: Vec<&Value> = folders.iter().flat_map(|folder| folder["item"].as_array().unwrap()).collect();
        assert_eq!(requests.len(), count, "insurance-leads has no streams here");
        let mut known: HashSet<String> = ["baseUrl", "apiKey"].map(str::to_owned).into();
        for step in folders[0]["item"].as_array().unwrap() {
            let text = format!("{}{}", step["request"]["url"]["raw"], step["request"]["body"]);
            for name in text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()).filter(|name| !name.starts_with('$')) {
                assert!(known.contains(name), "{} needs {name}, which nobody made", step["name"]);
            }
            let script = step["event"][0]["script"]["exec"].to_string();
            known.extend(script.split("collectionVariables.set(\\\"").skip(1).map(|rest| rest.split('\\').next().unwrap().to_owned()));
        }
        assert!(known.contains("leadId") && known.contains("policyId"), "{known:?}");
        let prose = app.get("/llms.txt").await.expect(200).text;
        assert_eq!(prose, app.get("/docs/llms.txt").await.expect(200).text);
        assert!(prose.starts_with("# Insurance Leads API\n\n> "));
        for (path, operations) in document["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                assert!(prose.contains(&format!("[{} {path}]", method.to_uppercase())), "{method} {path}");
            }
        }
    }

    /// The root says where to look; every code of the error page has an anchor.
    async fn pages_for_people(bed: Bed) {
        let app = App::new(&bed.insurance, None);
        let home = app.get("/").await.expect(200).text;
        assert!(home.contains("href=\"/docs\"") && home.contains("Insurance Leads API"));
        let codes = app.get("/docs/errors").await.expect(200).text;
        for code in ["not_found", "validation_failed", "not_unique", "record_too_large"] {
            assert!(codes.contains(&format!("<tr id=\"{code}\">")), "{code}");
        }
    }
}
