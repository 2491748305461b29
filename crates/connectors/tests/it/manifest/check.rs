//! The checker: every fault with its place and what was probably meant.

use connectors::manifest::{MAX_MANIFEST, Manifest, editor_schema};
use proptest::prelude::*;

use super::acme::MANIFEST;

/// The faults of the good manifest after one change.
fn faults(from: &str, to: &str) -> Vec<String> {
    assert!(MANIFEST.contains(from), "{from}");
    read(&MANIFEST.replacen(from, to, 1))
}

fn read(text: &str) -> Vec<String> {
    match Manifest::read(text, "acme.toml") {
        Ok(_) => Vec::new(),
        Err(faults) => faults.list().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn each_fault_is_named_with_its_place_and_a_suggestion() {
    for (from, to, expected) in [
        ("[test]", "[tset]", "line 37, column 2: tset: is not a part of a connector; did you mean test?"),
        ("id = \"acme-crm\"", "id = \"Acme CRM\"", "line 4, column 1: id: has 2 to 63 lower-case letters"),
        ("version = \"1.0.0\"", "version = \"1\"", "version: is the connector's own version of three numbers: 1.0.0"),
        ("category = \"crm\"", "category = \"cmr\"", "\"cmr\" is not one of the choices; did you mean crm?"),
        ("base_url = \"https://", "base_url = \"ftp://", "base_url: is an absolute URL"),
        (
            "{config.region}.",
            "{config.regoin}.",
            "{config.regoin} is no declared setting; write [[settings]] name = \"regoin\"; did you mean {config.region}?",
        ),
        ("default = \"eu\"", "default = \"mars\"", "settings[0].default: is none of the options"),
        ("means = \"duplicate\", id", "means = \"duplicated\", id", "did you mean duplicate?"),
        ("until = \"utc_day\"", "after_seconds = 5", "until go together"),
        ("{ status = [200], code = [\"broken\"],", "{ status = [200],", "would make every good answer a fault"),
        (
            "code = [\"/error/code\"]\n",
            "code = [\"error.code\"]\n",
            "errors.code[0]: is the place of a member in an answer, written with slashes",
        ),
        ("code = [\"/error/code\"]\n", "code = [\"error.code\"]\n", "did you mean /error/code?"),
        ("[objects.list]", "[objects.lst]", "\"lst\" is not a known member here; did you mean list?"),
        ("modified_at = \"/updatedAt\"\n", "", "modified_at: is missing: list asks with {cursor}"),
        ("after = \"{page.token}\"", "after = \"{page.tokn}\"", "objects[0].list.query.after: {page.tokn} means nothing here"),
        ("after = \"{page.token}\"", "after = \"{page.tokn}\"", "did you mean {page.token}?"),
        ("after = \"{page.token}\"", "after = \"{id}\"", "{id} means nothing here; there is {config.…}, {page.token}"),
        ("after = \"{page.token}\", ", "", "needs {page.token} somewhere in the request"),
        ("next = \"/next\", size", "size", "next is where the answer has the next page's token"),
        (", size = 200", "", "size is missing"),
        (
            "path = \"/v1/contacts/{id}\"\nrecord = \"/contact\"\n\n[[objects.search",
            "path = \"/v1/contacts\"\nrecord = \"/contact\"\n\n[[objects.search",
            "get: names {id} nowhere",
        ),
        ("path = \"/v1/me\"", "path = \"/v1/../admin\"", "test.path: begins with a slash"),
        ("path = \"/v1/me\"", "path = \"https://evil.example/\"", "test.path: begins with a slash"),
        ("path = \"/v1/me\"", "path = \"/v1/me?all=1\"", "test.path: begins with a slash"),
        ("path = \"/v1/me\"", "path = \"/v1//me\"", "test.path: begins with a slash"),
        ("path = \"/v1/me\"", "pth = \"/v1/me\"", "test.pth: \"pth\" is not a known member here; did you mean path?"),
        ("path = \"/v1/me\"", "path = \"/v1/me\"\nheaders = { Authorization = \"Bearer x\" }", "is not for a connector to set"),
        ("path = \"/v1/me\"", "path = \"/v1/me\"\nheaders = { \"x y\" = \"z\" }", "is no name of a header"),
        ("path = \"/v1/me\"", "path = \"/v1/me\"\nmethod = \"TRACE\"", "test.method: is one of GET, POST, PUT, PATCH, DELETE"),
        ("path = \"/v1/me\"", "path = \"/v1/me\"\nbody = { a = 1 }", "test.body: goes with no GET"),
        ("body = { contact = \"{record}\" }", "body = { contact = \"{record\" }", "has a brace without its partner"),
        ("body = { contact = \"{record}\" }", "body = { contact = \"{env.HOME}\" }", "{env.HOME} means nothing here"),
        ("by = \"email\"", "by = \"phone\"", "upsert.by: must be the object's unique_field"),
        ("created_status = 201\n", "", "says not how to tell a new record from a changed one"),
        ("query = { since = \"{cursor}\" }", "", "deleted: names {cursor} nowhere: since when?"),
        ("[objects.unwatch]\npath = \"/v1/hooks/{id}\"\n", "", "watch and unwatch go together"),
        ("url = \"{webhook.url}\", ", "", "names {webhook.url} nowhere"),
        ("header = \"x-acme-signature\"\n", "", "webhook: header is missing: where the proof stands"),
        ("proof = \"hmac_sha256\"", "proof = \"hmac\"", "is not one of the choices"),
        ("lag_seconds = 5", "lag_seconds = -5", "lag_seconds"),
        ("lag_seconds = 5", "batch = 500", "batch: is from 1 to 50"),
        ("lag_seconds = 5", "lag_seconds = ", "this is not TOML"),
    ] {
        let faults = faults(from, to);
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{from} -> {to}: {faults:#?}");
    }
}

#[test]
fn a_unique_field_needs_something_that_keeps_it() {
    let text = MANIFEST.replace("  { code = [\"exists\"], means = \"duplicate\", id = \"/error/id\" },\n", "");
    assert_eq!(read(&text), [] as [&str; 0], "the upsert keeps it");
    let begin = text.find("[objects.upsert]").unwrap();
    let end = text.find("[objects.delete]").unwrap();
    let faults = read(&format!("{}{}", &text[..begin], &text[end..]));
    assert!(faults.len() == 1 && faults[0].contains("would be made a second time"), "{faults:#?}");
}

#[test]
fn all_faults_come_at_once() {
    let text = MANIFEST.replace("/updatedAt", "updatedAt").replace("\"crm\"", "\"x\"").replace("{page.size}", "{page.sise}");
    assert!(read(&text).len() >= 3, "{:#?}", read(&text));
    assert!(read(&"#".repeat(MAX_MANIFEST + 1))[0].contains("larger than"));
    assert!(read("").iter().any(|fault| fault.contains("id is missing")), "{:?}", read(""));
}

#[test]
fn the_schema_for_editors_takes_the_example_and_knows_every_member() {
    let schema = editor_schema();
    let published: serde_json::Value = serde_json::from_str(include_str!("../../../../../docs/connector.schema.json")).unwrap();
    assert!(published == schema, "run: tradewind connector schema > docs/connector.schema.json");
    let mut bare = schema.clone();
    bare.as_object_mut().unwrap().remove("$schema");
    let compiled = blueprint::Schema::compile(&bare).unwrap();
    assert_eq!(compiled.check(&example(), ""), []);
    let mut wrong = example();
    wrong["objects"][0]["lisst"] = serde_json::json!({});
    assert!(!compiled.accepts(&wrong));
}

fn example() -> serde_json::Value {
    serde_json::to_value(toml::from_str::<toml::Table>(MANIFEST).unwrap()).unwrap()
}

/// A member that the schema names is one that the reader knows, and the other way round.
#[test]
fn the_schema_and_the_reader_know_the_same_members() {
    let schema = editor_schema();
    let object = "/properties/objects/items/properties";
    let mut places = vec![("".to_owned(), "/properties".to_owned()), ("/objects/0".to_owned(), object.to_owned())];
    for name in ["list", "get", "get_many", "create", "update", "upsert", "delete", "deleted", "schema", "watch", "unwatch"] {
        places.push((format!("/objects/0/{name}"), format!("{object}/{name}/properties")));
    }
    places.push(("/objects/0/search/0".to_owned(), format!("{object}/search/items/properties")));
    places.push(("/objects/0/list/pages".to_owned(), format!("{object}/list/properties/pages/properties")));
    for (at, name) in [
        ("/settings/0", "settings/items"),
        ("/budgets/0", "budgets/items"),
        ("/errors", "errors"),
        ("/test", "test"),
        ("/webhook", "webhook"),
    ] {
        places.push((at.to_owned(), format!("/properties/{name}/properties")));
    }
    for (at, members) in places {
        let known = schema.pointer(&members).unwrap_or_else(|| panic!("{members}")).as_object().unwrap();
        for name in known.keys().map(String::as_str).chain(["nobody_knows_this"]) {
            let mut file = example();
            file["objects"][0]["get_many"] = serde_json::json!({"path": "/v1/contacts", "records": "/items", "query": {"ids": "{ids}"}});
            file.pointer_mut(&at).unwrap()[name] = serde_json::json!([[[true]]]);
            let faults = read(&toml::to_string(&file).unwrap());
            let unknown = faults.iter().any(|fault| fault.contains("is not a known member") || fault.contains("is not a part"));
            assert_eq!(unknown, name == "nobody_knows_this", "{at}/{name}: {faults:#?}");
        }
    }
}

/// The pieces of the guide, put together as it says, are a connector at every step.
#[test]
fn the_guides_steps_are_valid() {
    let guide = include_str!("../../../../../docs/connectors.md");
    let blocks: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [first, writing, errors] = blocks[..] else { panic!("{} blocks", blocks.len()) };
    assert_eq!(read(first), [] as [&str; 0]);
    let writing = writing.strip_prefix("# in [[objects]]\nunique_field = \"email\"\n").expect("it begins so");
    let object = first.replace("modified_at = \"/updatedAt\"\n", "modified_at = \"/updatedAt\"\nunique_field = \"email\"\n");
    assert_eq!(read(&format!("{object}\n{writing}")), [] as [&str; 0]);
    assert_eq!(read(&format!("{object}\n{writing}\n{errors}")), [] as [&str; 0]);
}

/// Every member and every choice is in the reference.
#[test]
fn the_reference_is_complete() {
    fn names(schema: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
        match schema {
            serde_json::Value::Object(members) => {
                if let Some(properties) = members.get("properties").and_then(serde_json::Value::as_object) {
                    into.extend(properties.keys().cloned());
                }
                let choices = members.get("enum").and_then(serde_json::Value::as_array);
                into.extend(choices.into_iter().flatten().filter_map(|choice| choice.as_str().map(str::to_owned)));
                members.values().for_each(|value| names(value, into));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| names(item, into)),
            _ => {}
        }
    }
    let guide = include_str!("../../../../../docs/connectors.md");
    let words: std::collections::HashSet<&str> = guide.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut known = std::collections::BTreeSet::new();
    names(&editor_schema(), &mut known);
    let missing: Vec<_> = known.iter().filter(|name| !words.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

proptest! {
    #[test]
    fn any_text_is_a_manifest_or_faults(text in "\\PC{0,200}") {
        let _ = Manifest::read(&text, "x");
    }

    /// A piece of the example lost or doubled: never a panic, and what is accepted can be used.
    #[test]
    fn a_damaged_manifest_is_read_or_refused(from in 0_usize..2500, length in 0_usize..60, doubled: bool) {
        let chars: Vec<char> = MANIFEST.chars().collect();
        let (from, to) = (from.min(chars.len()), (from + length).min(chars.len()));
        let middle = if doubled { [&chars[from..to], &chars[from..to]].concat() } else { Vec::new() };
        let text: String = chars[..from].iter().chain(&middle).chain(&chars[to..]).collect();
        if let Err(faults) = Manifest::read(&text, "x") {
            prop_assert!(!faults.list().is_empty());
        }
    }
}

/// An account signs in by `Authorization` or a header of the vendor's, never by one that is the connection's own.
#[test]
fn a_credential_goes_in_no_header_of_the_connection() {
    let with = |header: &str| faults("header = \"Authorization\"", &format!("header = \"{header}\""));
    for header in
        ["Host", "content-length", "Cookie", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Authorization", "Content-Type", "a b"]
    {
        let faults = with(header);
        assert!(faults.iter().any(|fault| fault.contains("auth.header")), "{header}: {faults:?}");
    }
    for header in ["Authorization", "X-Api-Key", "Api-Token"] {
        assert_eq!(with(header), Vec::<String>::new(), "{header}");
    }
}
