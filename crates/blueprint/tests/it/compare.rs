//! What breaks whom: tables of pairs.

use blueprint::{Finding, Reliance, Verdict, compare, compare_schemas, parse};
use serde_json::{Value, json};

/// The codes with their places, sorted: `type_widened /a`.
fn codes(findings: &[Finding]) -> Vec<String> {
    let mut out: Vec<String> = findings.iter().map(|one| format!("{} {}", one.code, one.place)).collect();
    out.sort();
    out
}

#[track_caller]
fn check(reliance: Reliance, old: &Value, new: &Value, expected: &[&str]) {
    assert_eq!(codes(&compare_schemas(old, new, reliance, "")), expected, "{old}\n→ {new}");
    for same in [old, new] {
        assert_eq!(codes(&compare_schemas(same, same, reliance, "")), Vec::<String>::new(), "{same} with itself");
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the tables read better so")]
fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

#[test]
fn what_a_receiver_relies_on() {
    let base = object(json!({"id": {"type": "string"}, "n": {"type": "integer"}}), &["id"]);
    let one = |schema: Value| object(json!({"v": schema}), &["v"]);
    let text = json!({"type": "string"});
    for (old, new, expected) in [
        // Properties.
        (base.clone(), object(json!({"id": {"type": "string"}, "n": {"type": "integer"}, "more": {}}), &["id"]), vec![]),
        (base.clone(), object(json!({"id": {"type": "string"}}), &["id"]), vec!["property_removed /n"]),
        (base.clone(), object(json!({"n": {"type": "integer"}}), &[]), vec!["property_optional /id", "property_removed /id"]),
        (base.clone(), object(json!({"id": {"type": "string"}, "n": {"type": "integer"}}), &[]), vec!["property_optional /id"]),
        (base.clone(), object(json!({"id": {"type": "string"}, "n": {"type": "integer"}}), &["id", "n"]), vec![]),
        // A receiver ignores what it does not know, whatever the old schema said of it.
        (
            json!({"type": "object", "additionalProperties": false, "properties": {"a": text}}),
            json!({"type": "object", "properties": {"a": text, "b": {}}}),
            vec![],
        ),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            json!({"type": "object", "properties": {"b": {"type": "integer"}}, "additionalProperties": {"type": "string"}}),
            vec!["type_widened /b"],
        ),
        (json!({"type": "object", "additionalProperties": {"type": "string"}}), json!({"type": "object"}), vec!["type_widened /*"]),
        (
            json!({"type": "object", "patternProperties": {"^x-": text}}),
            json!({"type": "object", "patternProperties": {"^x-": text}, "properties": {"x-a": {"const": 1}}}),
            vec![],
        ),
        (
            json!({"type": "object", "patternProperties": {"^x-": text}}),
            json!({"type": "object", "properties": {"x-a": {"const": 1}}, "additionalProperties": false}),
            vec!["values_widened /x-a"],
        ),
        // Types.
        (one(json!({"type": "integer"})), one(json!({"type": "number"})), vec!["type_widened /v"]),
        (one(json!({"type": "number"})), one(json!({"type": "integer"})), vec![]),
        (one(text.clone()), one(json!({"type": ["string", "null"]})), vec!["type_widened /v"]),
        (one(json!({"type": ["string", "null"]})), one(text.clone()), vec![]),
        (one(text.clone()), one(json!({})), vec!["type_widened /v"]),
        (one(text.clone()), one(json!({"const": "a"})), vec![]),
        (one(text.clone()), one(json!({"const": 1})), vec!["values_widened /v"]),
        // Values.
        (one(json!({"enum": ["a", "b"]})), one(json!({"enum": ["b"]})), vec![]),
        (one(json!({"enum": ["a"]})), one(json!({"enum": ["a", "b"]})), vec!["values_widened /v"]),
        (one(json!({"enum": ["a"]})), one(text.clone()), vec!["values_widened /v"]),
        (one(json!({"type": "integer", "minimum": 0, "maximum": 9})), one(json!({"type": "integer", "minimum": 1, "maximum": 9})), vec![]),
        (one(json!({"minimum": 1})), one(json!({"minimum": 0})), vec!["range_widened /v"]),
        (one(json!({"type": "number", "exclusiveMinimum": 0})), one(json!({"type": "number", "minimum": 0})), vec!["range_widened /v"]),
        (one(json!({"type": "number", "maximum": 5})), one(json!({"type": "number", "exclusiveMaximum": 5})), vec![]),
        (one(json!({"type": "number", "maximum": 5})), one(json!({"type": "number"})), vec!["range_widened /v"]),
        (one(json!({"multipleOf": 2})), one(json!({"multipleOf": 6})), vec![]),
        (one(json!({"multipleOf": 6})), one(json!({"multipleOf": 2})), vec!["range_widened /v"]),
        // Texts. A bound on texts says nothing to numbers.
        (one(json!({"type": "string", "maxLength": 5})), one(json!({"type": "string", "maxLength": 6})), vec!["size_widened /v"]),
        (one(json!({"type": "string", "minLength": 1})), one(json!({"type": "string", "minLength": 2})), vec![]),
        (one(json!({"maxLength": 5})), one(json!({"type": "integer"})), vec![]),
        (one(json!({"type": "string", "pattern": "^a"})), one(json!({"type": "string", "pattern": "^ab"})), vec!["pattern_changed /v"]),
        (one(json!({"type": "string", "format": "date"})), one(text.clone()), vec!["format_changed /v"]),
        (one(text.clone()), one(json!({"type": "string", "format": "date"})), vec![]),
        // Lists.
        (
            one(json!({"type": "array", "items": {"type": "integer"}})),
            one(json!({"type": "array", "items": {"type": "number"}})),
            vec!["type_widened /v/*"],
        ),
        (one(json!({"type": "array", "maxItems": 3})), one(json!({"type": "array"})), vec!["size_widened /v"]),
        (
            one(json!({"type": "array", "items": text})),
            one(json!({"type": "array", "prefixItems": [text, {"type": "null"}], "items": text})),
            vec!["type_widened /v/1"],
        ),
        (one(json!({"type": "array", "items": text})), one(json!({"type": "array", "prefixItems": [text], "maxItems": 1})), vec![]),
        (one(json!({"type": "array", "uniqueItems": true})), one(json!({"type": "array"})), vec!["not_comparable /v"]),
        // Alternatives.
        (one(json!({"anyOf": [text, {"type": "integer"}]})), one(json!({"type": ["string", "integer"]})), vec![]),
        (one(json!({"type": ["string", "integer"]})), one(json!({"anyOf": [text, {"type": "integer"}]})), vec![]),
        (
            one(json!({"anyOf": [text, {"type": "integer"}]})),
            one(json!({"anyOf": [{"type": "integer"}, {"type": "null"}]})),
            vec!["forms_widened /v"],
        ),
        (one(json!({"oneOf": [text, {"type": "null"}]})), one(text.clone()), vec![]),
        (one(json!({"oneOf": [{"minimum": 1}, {"maximum": 5}]})), one(json!({"minimum": 1})), vec!["not_comparable /v"]),
        (
            one(json!({"allOf": [{"minLength": 1}, {"maxLength": 3}]})),
            one(json!({"type": "string", "minLength": 2, "maxLength": 2})),
            vec![],
        ),
        (one(json!({"type": "string", "minLength": 2})), one(json!({"allOf": [{"type": "string"}, {"minLength": 2}]})), vec![]),
        (one(json!({"not": {"const": 1}})), one(json!({"not": {"const": 2}})), vec!["not_comparable /v"]),
        (
            one(json!({"if": {"type": "string"}, "then": {"minLength": 1}})),
            one(json!({"if": {"type": "string"}, "then": {"minLength": 2}})),
            vec!["not_comparable /v"],
        ),
        // Words for people and where a schema stands make no difference.
        (
            one(text.clone()),
            json!({"type": "object", "required": ["v"], "properties": {"v": {"$ref": "#/$defs/t"}}, "$defs": {"t": {"type": "string", "title": "T"}}}),
            vec![],
        ),
        (
            json!({"type": "object", "properties": {"v": {"$ref": "#/$defs/t", "maxLength": 3}}, "$defs": {"t": {"type": "string"}}}),
            object(json!({"v": {"type": "string", "maxLength": 4}}), &[]),
            vec!["size_widened /v"],
        ),
        (json!(true), json!({"type": "string"}), vec![]),
        (json!({"type": "string"}), json!(true), vec!["type_widened "]),
        (json!({"type": "string"}), json!(false), vec![]),
        // Deep, and with a name that a pointer escapes.
        (
            object(json!({"a/b": {"type": "array", "items": one(json!({"enum": [1]}))}}), &[]),
            object(json!({"a/b": {"type": "array", "items": one(json!({"enum": [1, 2]}))}}), &[]),
            vec!["values_widened /a~1b/*/v"],
        ),
    ] {
        check(Reliance::Reader, &old, &new, &expected);
    }
}

#[test]
fn what_a_caller_relies_on() {
    let closed = |properties: Value, required: &[&str]| json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required});
    let one = |schema: Value| closed(json!({"v": schema}), &[]);
    for (old, new, expected) in [
        (closed(json!({"a": {}}), &[]), closed(json!({"a": {}, "b": {}}), &[]), vec![]),
        (closed(json!({"a": {}}), &[]), closed(json!({"a": {}, "b": {}}), &["b"]), vec!["property_required /b"]),
        (closed(json!({"a": {}, "b": {}}), &["a"]), closed(json!({"a": {}, "b": {}}), &[]), vec![]),
        (closed(json!({"a": {}, "b": {}}), &[]), closed(json!({"a": {}}), &[]), vec!["property_removed /b"]),
        (json!({"type": "object"}), closed(json!({}), &[]), vec!["property_removed /*"]),
        (closed(json!({}), &[]), json!({"type": "object"}), vec![]),
        (one(json!({"type": "number"})), one(json!({"type": "integer"})), vec!["type_narrowed /v"]),
        (one(json!({"type": "integer"})), one(json!({"type": "number"})), vec![]),
        (one(json!({"enum": ["a", "b"]})), one(json!({"enum": ["a"]})), vec!["values_narrowed /v"]),
        (one(json!({"enum": ["a"]})), one(json!({"enum": ["a", "b"]})), vec![]),
        (one(json!({"type": "string"})), one(json!({"type": "string", "format": "email"})), vec!["format_changed /v"]),
        (one(json!({"type": "string", "maxLength": 9})), one(json!({"type": "string", "maxLength": 8})), vec!["size_narrowed /v"]),
        (one(json!({"maximum": 9})), one(json!({"maximum": 8})), vec!["range_narrowed /v"]),
        (one(json!({"type": "string"})), one(json!({"anyOf": [{"type": "integer"}, {"type": "null"}]})), vec!["forms_narrowed /v"]),
        (
            one(json!({"unevaluatedProperties": false})),
            one(json!({"unevaluatedProperties": false, "minProperties": 1})),
            vec!["not_comparable /v", "size_narrowed /v"],
        ),
    ] {
        check(Reliance::Writer, &old, &new, &expected);
    }
}

const FILE: &str = r#"
name = "bakery"
default_tier = "basic"
product = { title = "Bakery", docs_paths = ["/api/docs"] }
style = { naming = "camel" }
scopes = [{ name = "read", grants = ["webhooks.read"] }, { name = "write", implies = ["read"] }]
tiers = [{ name = "basic", per_minute = 60 }]

[[events]]
name = "order.made"
version = 2
schema = { type = "object", required = ["orderId"], properties = { orderId = { type = "string" } } }
example = { orderId = "1" }
[[events.versions]]
version = 1
schema = { type = "object", properties = { id = { type = "string" } } }
example = { id = "1" }

[[events]]
name = "order.gone"
schema = { type = "object" }
example = {}

[[resources]]
name = "order"
plural = "orders"
filters = ["state"]
schema = { type = "object", required = ["state"], properties = { state = { enum = ["new", "done"] }, note = { type = "string" } } }
emits = { id_member = "orderId", created = "order.made" }

[[endpoints]]
method = "GET"
path = "/orders/{id}"
operation = "get"
resource = "order"
scope = "read"

[[endpoints]]
method = "PUT"
path = "/orders/{id}"
operation = "update"
resource = "order"
scope = "write"
writable = ["state", "note"]

[webhooks]
event_header = "X-Event"
timeout_seconds = 30
"#;

/// One change of the text, and what it is found to be.
#[test]
fn every_part_of_a_blueprint_is_compared() {
    let old = parse(FILE, "old").unwrap();
    assert_eq!(compare(&old, &old), Vec::new());
    for (from, to, breaking, code, place) in [
        (r#"name = "read", grants = ["webhooks.read"]"#, r#"name = "read""#, true, "scope_narrowed", "scopes[\"read\"]"),
        (r#"implies = ["read"]"#, "implies = []", true, "scope_narrowed", "scopes[\"write\"]"),
        (r#"grants = ["webhooks.read"]"#, r#"grants = ["webhooks.read", "events.read"]"#, false, "scope_widened", "scopes[\"read\"]"),
        ("scopes = [", "scopes = [{ name = \"more\" }, ", false, "scope_added", "scopes[\"more\"]"),
        ("per_minute = 60", "per_minute = 59", true, "tier_lowered", "tiers[\"basic\"].per_minute"),
        ("per_minute = 60", "per_minute = 61", false, "tier_raised", "tiers[\"basic\"].per_minute"),
        ("per_minute = 60", "per_minute = 60, per_day = 9", true, "tier_lowered", "tiers[\"basic\"].per_day"),
        ("per_minute = 60", "per_minute = 60, monthly_quota = { limit = 1000 }", true, "tier_lowered", "tiers[\"basic\"].monthly_quota"),
        (
            "per_minute = 60",
            "per_minute = 60, environments = { staging = { per_minute = 5 } }",
            true,
            "tier_lowered",
            "tiers[\"basic\"].environments.staging.per_minute",
        ),
        (
            "per_minute = 60",
            "per_minute = 60, environments = { staging = { per_minute = 500 } }",
            false,
            "tier_raised",
            "tiers[\"basic\"].environments.staging.per_minute",
        ),
        ("\"/api/docs\"", "\"/docs2\"", true, "docs_path_removed", "product.docs_paths[\"/api/docs\"]"),
        ("naming = \"camel\"", "naming = \"snake\"", true, "style_changed", "style.naming"),
        ("naming = \"camel\"", "base_path = \"/v2\"", true, "base_path_changed", "style.base_path"),
        ("naming = \"camel\"", "errors = \"success\"", true, "style_changed", "style.errors"),
        ("default_tier = \"basic\"", "default_tier = \"basic\"\nkeys = { dual_auth = true }", true, "dual_auth_required", "keys.dual_auth"),
        ("default_tier = \"basic\"", "default_tier = \"basic\"\nkeys = { prefix = \"bk\" }", true, "key_prefix_changed", "keys.prefix"),
        (
            "default_tier = \"basic\"",
            "default_tier = \"basic\"\nkeys = { default_scopes = [\"read\"] }",
            true,
            "default_scopes_narrowed",
            "keys.default_scopes",
        ),
        ("\"order.gone\"", "\"order.lost\"", true, "event_removed", "events[\"order.gone\"]"),
        ("\"order.gone\"", "\"order.gone\"\nfeature = \"beta\"", true, "event_restricted", "events[\"order.gone\"].feature"),
        (
            "\"order.gone\"",
            "\"order.gone\"\ndeprecated = { since = 2026-01-31, sunset = 2026-12-31, replacement = \"order.made\" }",
            false,
            "event_deprecated",
            "events[\"order.gone\"]",
        ),
        (
            "\"order.gone\"",
            "\"order.gone\"\non_schema_fault = \"warn\"",
            true,
            "schema_not_enforced",
            "events[\"order.gone\"].on_schema_fault",
        ),
        (
            "\"order.gone\"",
            "\"order.gone\"\non_schema_fault = \"quarantine\"",
            false,
            "schema_fault_changed",
            "events[\"order.gone\"].on_schema_fault",
        ),
        (
            "\"order.made\"\nversion = 2",
            "\"order.made\"\nversion = 2\ndefault_version = 1",
            true,
            "default_version_changed",
            "events[\"order.made\"].default_version",
        ),
        (
            "orderId = { type = \"string\" }",
            "orderId = { type = [\"string\", \"null\"] }",
            true,
            "type_widened",
            "events[\"order.made\"].versions[2].data/orderId",
        ),
        (
            "orderId = { type = \"string\" }",
            "orderId = { type = \"string\", minLength = 1 }",
            false,
            "publisher_must_change",
            "events[\"order.made\"].versions[2].data/orderId",
        ),
        (
            "[[events.versions]]\nversion = 1\n",
            "[[events.versions]]\nversion = 1\ndeprecated = { since = 2026-01-31 }\n",
            false,
            "event_deprecated",
            "events[\"order.made\"].versions[1]",
        ),
        (
            "id = { type = \"string\" }",
            "other = { type = \"string\" }",
            true,
            "property_removed",
            "events[\"order.made\"].versions[1].data/id",
        ),
        ("filters = [\"state\"]", "filters = []", true, "filter_removed", "resources[\"order\"].filters"),
        ("filters = [\"state\"]", "filters = [\"state\", \"note\"]", false, "filter_added", "resources[\"order\"].filters"),
        ("filters = [\"state\"]", "filters = [\"state\"]\nsort = [\"note\"]", false, "sort_added", "resources[\"order\"].sort"),
        ("filters = [\"state\"]", "unique = [\"note\"]\nfilters = [\"state\"]", true, "unique_added", "resources[\"order\"].unique"),
        ("filters = [\"state\"]", "id_form = \"integer\"\nfilters = [\"state\"]", true, "id_form_changed", "resources[\"order\"].id_form"),
        (
            "filters = [\"state\"]",
            "updated_field = \"\"\nfilters = [\"state\"]",
            true,
            "property_removed",
            "resources[\"order\"].updated_field",
        ),
        ("\"new\", \"done\"", "\"new\"", true, "values_narrowed", "resources[\"order\"].write/state"),
        ("\"new\", \"done\"", "\"new\", \"done\", \"lost\"", true, "values_widened", "resources[\"order\"].read/state"),
        ("note = { type = \"string\" } }", "note = { type = \"string\" }, more = {} }", false, "schema_changed", "resources[\"order\"]"),
        (", created = \"order.made\"", "", true, "emission_removed", "resources[\"order\"].emits"),
        (
            ", created = \"order.made\"",
            ", created = \"order.made\", deleted = \"order.made\"",
            false,
            "emission_added",
            "resources[\"order\"].emits",
        ),
        ("method = \"PUT\"", "method = \"PATCH\"", true, "endpoint_moved", "endpoints[\"PUT /orders/{id}\"]"),
        (
            "operation = \"get\"\nresource = \"order\"\nscope = \"read\"",
            "operation = \"get\"\nresource = \"order\"\nscope = \"write\"",
            true,
            "endpoint_scope_changed",
            "endpoints[\"GET /orders/{id}\"].scope",
        ),
        (
            "resource = \"order\"\nscope = \"write\"",
            "resource = \"order\"\nscope = \"read\"",
            false,
            "endpoint_scope_changed",
            "endpoints[\"PUT /orders/{id}\"].scope",
        ),
        (
            "writable = [\"state\", \"note\"]",
            "writable = [\"state\"]",
            true,
            "writable_removed",
            "endpoints[\"PUT /orders/{id}\"].writable",
        ),
        ("[webhooks]\n", "[webhooks]\nbody = \"data-only\"\n", true, "webhook_body_changed", "webhooks.body"),
        ("event_header = \"X-Event\"", "event_header = \"X-Type\"", true, "webhook_header_removed", "webhooks.event_header"),
        (
            "event_header = \"X-Event\"",
            "event_header = \"X-Event\"\nid_header = \"X-Id\"",
            false,
            "webhook_header_added",
            "webhooks.id_header",
        ),
        ("timeout_seconds = 30", "timeout_seconds = 5", true, "webhook_timeout_lowered", "webhooks.timeout_seconds"),
    ] {
        assert_eq!(FILE.matches(from).count(), 1, "{from}");
        let new = parse(&FILE.replace(from, to), "new").unwrap_or_else(|faults| panic!("{to}: {faults}"));
        let found = compare(&old, &new);
        let verdict = if breaking { Verdict::Breaking } else { Verdict::Compatible };
        let hit = found.iter().any(|one| (one.code, one.place.as_str(), one.verdict) == (code, place, verdict));
        assert!(hit, "{to}: {found:#?}");
        assert_eq!(found.iter().any(|one| one.verdict == Verdict::Breaking), breaking, "{to}: {found:#?}");
    }
}

/// The built-in ones are compatible with themselves, which is a comparison of many large schemas.
#[test]
fn built_in_blueprints_break_nothing_of_their_own() {
    for (name, _) in blueprint::builtin() {
        let one = blueprint::load(name).unwrap();
        assert_eq!(compare(&one, &one), Vec::new(), "{name}");
    }
}

#[test]
fn an_endpoint_may_be_announced_to_go_but_not_sooner_than_said() {
    let text = blueprint::text("insurance-leads").unwrap().into_owned();
    let with = |fields: &str| parse(&text.replacen("[[endpoints]]\n", &format!("[[endpoints]]\n{fields}"), 1), "changed").unwrap();
    let (plain, going) = (with(""), with("deprecated_at = \"2026-01-31\"\nsunset_at = \"2026-12-31\"\n"));
    let sooner = with("deprecated_at = \"2026-01-31\"\nsunset_at = \"2026-06-30\"\n");
    for (old, new, code, verdict) in [
        (&plain, &going, "endpoint_deprecated", Verdict::Compatible),
        (&going, &plain, "endpoint_kept", Verdict::Compatible),
        (&sooner, &going, "endpoint_deprecated", Verdict::Compatible),
        (&going, &sooner, "sunset_advanced", Verdict::Breaking),
    ] {
        let found = compare(old, new);
        assert_eq!(found.iter().map(|one| (one.code, one.verdict)).collect::<Vec<_>>(), [(code, verdict)]);
    }
    assert!(compare(&going, &going).is_empty());
}
