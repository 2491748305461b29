//! The schema for editors: it is the one in `docs/`, the built-in files satisfy it, and it knows what the reader knows.

use blueprint::{builtin, editor_schema, parse};
use serde_json::{Value, json};

fn as_json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn validator() -> jsonschema::Validator {
    jsonschema::options().with_draft(jsonschema::Draft::Draft7).build(&editor_schema()).unwrap()
}

#[test]
fn the_published_schema_is_current() {
    let published: Value = serde_json::from_str(include_str!("../../../../docs/blueprint.schema.json")).unwrap();
    assert!(published == editor_schema(), "run: tradewind blueprint schema > docs/blueprint.schema.json");
}

#[test]
fn every_builtin_file_satisfies_it_and_names_it() {
    let validator = validator();
    for (name, text) in builtin() {
        let faults: Vec<String> =
            validator.iter_errors(&as_json(text)).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert_eq!(faults, Vec::<String>::new(), "{name}");
        assert!(text.starts_with("#:schema ../docs/blueprint.schema.json\n"), "{name}");
    }
}

#[test]
fn it_refuses_what_the_reader_refuses() {
    let validator = validator();
    let good = as_json(builtin()[1].1);
    assert!(validator.is_valid(&good));
    for (place, value) in [
        ("/prodct", json!({})),
        ("/style/naming", json!("kebab")),
        ("/resources/0/filter", json!([])),
        ("/endpoints/0/operation", json!("lst")),
        ("/endpoints/0/operation", json!({"type": "metric"})),
        ("/scopes/0/grants", json!(["webhook.read"])),
        ("/product/words", json!({"keys": "Codes"})),
    ] {
        let (parent, member) = place.rsplit_once('/').unwrap();
        let mut bad = good.clone();
        bad.pointer_mut(parent).unwrap()[member] = value.clone();
        assert!(!validator.is_valid(&bad), "{place} = {value}");
    }
}

/// A whole file, in which each section can get a member that nobody knows.
const SECTIONS: &str = r#"
name = "x"
default_tier = "t"
[product]
title = "X"
#product
[style]
#style
[keys]
#keys
[[scopes]]
name = "a"
#scope
[[tiers]]
name = "t"
#tier
[publishing]
#publishing
[[events]]
name = "a.b"
schema = {}
example = {}
#event
[[resources]]
name = "r"
plural = "rs"
schema = { type = "object", properties = {} }
#resource
[resources.scopes]
#resource/properties/scopes
[resources.emits]
#resource/properties/emits
[[resources.parents]]
field = "a"
resource = "r"
#resource/properties/parents/items
[[resources.stamps]]
field = "a"
#resource/properties/stamps/items
[[resources.computed]]
field = "a"
#resource/properties/computed/items
[resources.states]
field = "a"
next = {}
#resource/properties/states
[[endpoints]]
method = "GET"
path = "/rs"
operation = "list"
#endpoint
[[endpoints]]
method = "POST"
path = "/keys"
[endpoints.operation]
type = "manage"
call = "keys.create"
#operation/oneOf/6
[[upstreams]]
name = "u"
targets = ["http://a"]
#upstream
[webhooks]
#webhooks
[[jobs]]
name = "j"
input = { type = "object" }
#job
[jobs.record]
resource = "r"
#job/properties/record
[[metrics]]
name = "m"
resource = "r"
figures = []
#metric
[metrics.series]
bucket = "day"
#metric/properties/series
"#;

#[test]
fn it_knows_the_members_that_the_reader_knows() {
    let schema = editor_schema();
    for mark in SECTIONS.lines().filter_map(|line| line.strip_prefix('#')) {
        let text = SECTIONS.replacen(&format!("\n#{mark}\n"), "\nqqqqqqqqqqqq = 1\n", 1);
        let faults = parse(&text, "x").unwrap_err();
        let told = faults
            .list()
            .iter()
            .find_map(|fault| fault.message.split_once("is not a known member here: "))
            .unwrap_or_else(|| panic!("{mark}: {faults}"));
        let mut known: Vec<&str> = told.1.split(", ").collect();
        // Operations are read by their own types.
        known.extend((mark == "endpoint").then_some("operation"));
        let place = if schema["properties"].get(mark).is_some() { format!("/properties/{mark}") } else { format!("/definitions/{mark}") };
        let members =
            schema.pointer(&format!("{place}/properties")).and_then(Value::as_object).unwrap_or_else(|| panic!("{mark} in the schema"));
        let mut written: Vec<&str> = members.keys().map(String::as_str).collect();
        known.sort_unstable();
        written.sort_unstable();
        assert_eq!(written, known, "{mark}");
    }
}
