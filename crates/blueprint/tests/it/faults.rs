//! Broken files, each a small change of one good file, with the faults that they must give.

use blueprint::parse;

const GOOD: &str = r#"
name = "small"
default_tier = "basic"

[product]
title = "Small"

[[scopes]]
name = "leads:read"
implies = []

[[scopes]]
name = "leads:write"
implies = ["leads:read"]
grants = ["webhooks.read"]

[[tiers]]
name = "basic"
per_minute = 60
burst = 10

[[events]]
name = "lead.created"
schema = { type = "object", required = ["leadId"] }
example = { leadId = "1" }

[[resources]]
name = "lead"
plural = "leads"
filters = ["status"]
search = ["notes"]
stamps = [{ field = "seenAt", on = ["update"] }]
schema = { type = "object", required = ["status"], properties = { status = { enum = ["new", "won"] }, notes = { type = "string" }, tags = { type = "array" }, seenAt = { type = "string", format = "date-time" } } }
emits = { created = "lead.created", transitions = [{ field = "status", to = "won", event = "lead.created" }] }

[[endpoints]]
method = "GET"
path = "/leads"
operation = "list"
resource = "lead"
scope = "leads:read"

[[endpoints]]
method = "PUT"
path = "/leads/{id}"
operation = "update"
resource = "lead"
scope = "leads:write"
writable = ["status"]

[webhooks]
id_header = "X-Id"
retry_schedule_seconds = [1, 2]
"#;

/// What is replaced, by what, and the faults as they are shown (without their lines).
const CASES: &[(&str, &str, &[&str])] = &[
    ("scope = \"leads:read\"", "scope = \"lead:read\"", &["endpoints[0].scope: there is no scope \"lead:read\"; did you mean leads:read?"]),
    (
        "resource = \"lead\"\nscope = \"leads:write\"",
        "resource = \"led\"\nscope = \"leads:write\"",
        &["endpoints[1].resource: there is no resource \"led\"; did you mean lead?"],
    ),
    (
        "created = \"lead.created\"",
        "created = \"lead.create\"",
        &["resources[0].emits.created: there is no event \"lead.create\"; did you mean lead.created?"],
    ),
    ("default_tier = \"basic\"", "default_tier = \"gold\"", &["default_tier: there is no tier \"gold\""]),
    ("webhooks.read", "webhook.read", &["scopes[1].grants[0]: there is no permission \"webhook.read\"; did you mean webhooks.read?"]),
    ("implies = []", "implies = [\"leads:write\"]", &["scopes[0].implies: leads back to itself: leads:read → leads:write → leads:read"]),
    (
        "name = \"leads:write\"",
        "name = \"leads:read\"",
        &[
            "scopes[1].name: this scope is declared twice",
            "scopes[1].implies: leads back to itself: leads:read → leads:read",
            "endpoints[1].scope: there is no scope \"leads:write\"",
        ],
    ),
    ("required = [\"leadId\"] }", "required = 1 }", &["events[0].schema: is not a usable JSON Schema: /required: must be a list"]),
    ("{ leadId = \"1\" }", "{ id = \"1\" }", &["events[0].example: does not satisfy the schema at /leadId: is required"]),
    (
        "filters = [\"status\"]",
        "filters = [\"statuss\", \"tags\"]",
        &[
            "resources[0].filters[0]: the schema has no member \"statuss\"; did you mean status?",
            "resources[0].filters[1]: must be a text, a number or a truth value",
        ],
    ),
    ("search = [\"notes\"]", "search = [\"note\"]", &["resources[0].search[0]: the schema has no member \"note\"; did you mean notes?"]),
    (
        "field = \"seenAt\"",
        "field = \"tags\"",
        &["resources[0].stamps[0].field: must be a text that may hold a time such as 2025-01-31T09:30:00.000Z"],
    ),
    (
        "to = \"won\"",
        "to = \"Won\"",
        &["resources[0].emits.transitions[0].to: the schema of status does not allow \"Won\"; did you mean won?"],
    ),
    (
        "writable = [\"status\"]",
        "writable = [\"state\", \"seenAt\"]",
        &[
            "endpoints[1].writable[0]: the schema of lead has no member \"state\"; did you mean status?",
            "endpoints[1].writable[1]: seenAt is a stamp: the server sets it",
        ],
    ),
    ("path = \"/leads\"", "path = \"leads\"", &["endpoints[0].path: must begin with /"]),
    ("path = \"/leads\"", "path = \"/webhooks\"", &["endpoints[0].path: /api/v1/webhooks belongs to the native API"]),
    (
        "path = \"/leads\"\noperation = \"list\"",
        "path = \"/leads/{leadId}\"\noperation = \"get\"",
        &["endpoints[1].path: has the same shape as /leads/{leadId}; give the placeholder the same name"],
    ),
    (
        "operation = \"list\"",
        "operation = \"metric\"\nmetric = \"x\"",
        &["endpoints[0].operation: metric is declared but not served by this version"],
    ),
    (
        "operation = \"list\"",
        "operation = \"lst\"",
        &["endpoints[0].operation: there is no operation \"lst\"; there are list, get, create, update, delete; did you mean list?"],
    ),
    (
        "method = \"PUT\"\npath = \"/leads/{id}\"\noperation = \"update\"",
        "method = \"GET\"\npath = \"/leads\"\noperation = \"update\"",
        &[
            "endpoints[1].method: update is served by PUT or PATCH",
            "endpoints[1].path: GET /leads is declared already by endpoints[0]",
            "endpoints[1].path: must name the record by a placeholder such as {id}",
        ],
    ),
    (
        "per_minute = 60",
        "per_minute = 0",
        &[
            "tiers[0].per_minute: must be at least 1; leave it out for no limit",
            "tiers[0].burst: is a part of per_minute: at most as many, and only with it",
        ],
    ),
    ("per_minute = 60", "per_minute = -1", &["tiers[0].per_minute: invalid value: integer `-1`, expected a whole number, not negative"]),
    (
        "per_minute = 60",
        "per_minutes = 60",
        &["tiers[0].per_minutes: \"per_minutes\" is not a known member here; did you mean per_minute?"],
    ),
    ("\"X-Id\"", "\"X Id\"", &["webhooks.id_header: is not the name of an HTTP header"]),
    ("\"X-Id\"", "\"Webhook-Id\"", &["webhooks.id_header: webhook-id is set by the sender itself"]),
    (
        "[1, 2]",
        "[0, 99999999]",
        &[
            "webhooks.retry_schedule_seconds[0]: must be 1 to 604800 seconds (7 days)",
            "webhooks.retry_schedule_seconds[1]: must be 1 to 604800 seconds (7 days)",
        ],
    ),
    ("[product]", "[keys]\nprefix = \"Ins_\"\n[product]", &["keys.prefix: must be 1 to 16 lower-case letters and digits, first a letter"]),
    ("[product]", "[prodct]\n[product]", &["prodct: is not a section of a blueprint; did you mean product?"]),
    ("title = \"Small\"", "", &["product: title is missing"]),
    ("name = \"small\"", "name = \"small", &["this is not TOML: invalid basic string, expected `\"`"]),
    ("name = \"small\"", "name = \"sm\\u0000all\"", &["name: must not contain NUL"]),
    (
        "properties = { status",
        "properties = { id = {}, status",
        &["resources[0].schema.properties.id: this member is added by the server and cannot be declared"],
    ),
];

#[test]
fn the_good_file_is_good() {
    parse(GOOD, "good").unwrap_or_else(|faults| panic!("{faults}"));
}

#[test]
fn broken_files_give_exactly_these_faults() {
    for (from, to, expected) in CASES {
        assert!(GOOD.contains(from), "{from}");
        let faults = parse(&GOOD.replacen(from, to, 1), "broken").expect_err(to);
        let shown: Vec<String> = faults.list().iter().map(|fault| blueprint::Fault { line: None, ..fault.clone() }.to_string()).collect();
        assert_eq!(shown, *expected, "{to}");
        assert!(faults.list().iter().all(|fault| fault.line.is_some()), "{faults}");
    }
}

#[test]
fn all_faults_are_shown_at_once_with_their_lines() {
    let text = GOOD.replace("scope = \"leads:read\"", "scope = \"lead:read\"").replace("burst = 10", "burst = 100");
    let faults = parse(&text, "mine.toml").unwrap_err();
    let line = |needle: &str| text.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let expected = format!(
        "The blueprint mine.toml has 2 faults:\n  line {}: tiers[0].burst: is a part of per_minute: at most as many, and only with it\n  line {}: endpoints[0].scope: there is no scope \"lead:read\"; did you mean leads:read?",
        line("burst = 100"),
        line("scope = \"lead:read\""),
    );
    assert_eq!(faults.to_string(), expected);
}
