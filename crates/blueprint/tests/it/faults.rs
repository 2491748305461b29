//! Broken files, each a small change of one good file, with the faults that they must give.

use blueprint::parse;

use crate::cases::{changed, said};

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
    (
        "writable = [\"status\"]",
        "sunset_at = \"2026-12-31\"",
        &["endpoints[1].sunset_at: belongs to deprecated_at, the day since which the endpoint is deprecated"],
    ),
    (
        "writable = [\"status\"]",
        "deprecated_at = \"2026-02-30\"\nsunset_at = \"2026-01-31\"\nsuccessor = \"v2/leads\"",
        &[
            "endpoints[1].deprecated_at: must be a day such as 2026-01-31",
            "endpoints[1].sunset_at: must not be before deprecated_at",
            "endpoints[1].successor: must be a path such as /api/v2/leads, or an https:// address",
        ],
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
    ("operation = \"list\"", "operation = \"metric\"", &["endpoints[0].operation: is written as a table: { type = \"metric\", … }"]),
    (
        "operation = \"list\"",
        "operation = \"lst\"",
        &[
            "endpoints[0].operation: there is no operation \"lst\"; there are list, get, create, update, replace, delete, batch, export, import, health; did you mean list?",
        ],
    ),
    (
        "method = \"PUT\"\npath = \"/leads/{id}\"\noperation = \"update\"",
        "method = \"GET\"\npath = \"/leads\"\noperation = \"update\"",
        &[
            "endpoints[1].method: update is served by PUT or PATCH or POST",
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
    (
        "burst = 10",
        "burst = 10\nmonthly_quota = { limit = 0, refill_day = 32 }",
        &[
            "tiers[0].monthly_quota.limit: must be at least 1; leave the quota out for none",
            "tiers[0].monthly_quota.refill_day: must be a day of a month, 1 to 31",
        ],
    ),
    (
        "burst = 10",
        "burst = 10\nenvironments = { stagin = {}, development = { per_minute = 5, burst = 6 } }",
        &[
            "tiers[0].environments.stagin: there is no environment \"stagin\"; did you mean staging?",
            "tiers[0].environments.development.burst: is a part of per_minute: at most as many, and only with it",
        ],
    ),
    ("operation = \"list\"", "operation = \"list\"\ncost = 0", &["endpoints[0].cost: must be 1 to 10000"]),
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
        assert_eq!(said(&changed(GOOD, from, to)), *expected, "{to}");
    }
}

#[test]
fn all_faults_are_shown_at_once_with_their_lines() {
    let text = GOOD.replace("scope = \"leads:read\"", "scope = \"lead:read\"").replace("burst = 10", "burst = 100");
    let faults = parse(&text, "mine.toml").unwrap_err();
    let line = |needle: &str| text.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let expected = format!(
        "The blueprint mine.toml has 2 faults:\n  line {}, column 1: tiers[0].burst: is a part of per_minute: at most as many, and only with it\n  line {}, column 1: endpoints[0].scope: there is no scope \"lead:read\"; did you mean leads:read?",
        line("burst = 100"),
        line("scope = \"lead:read\""),
    );
    assert_eq!(faults.to_string(), expected);
}

const PROXY: &str = r#"
[[upstreams]]
name = "orders"
targets = ["http://10.0.0.5:9000"]

[[endpoints]]
method = "GET"
path = "/shop/{id}/*rest"
operation = { type = "upstream", upstream = "orders", path = "/v2/{id}/*rest" }
scope = "leads:read"
"#;

/// The same for what is said of upstreams.
const PROXY_CASES: &[(&str, &str, &[&str])] = &[
    (
        "upstream = \"orders\",",
        "upstream = \"order\",",
        &["endpoints[2].operation.upstream: there is no upstream \"order\"; did you mean orders?"],
    ),
    ("/v2/{id}/*rest", "/v2/{key}/*rest", &["endpoints[2].operation.path: the endpoint's path has no \"key\""]),
    ("/v2/{id}/*rest", "/v2/{id}", &["endpoints[2].operation.path: must end with *rest: what the caller asks for would be lost"]),
    (
        "\"/shop/{id}/*rest\"",
        "\"/*rest\"",
        &["endpoints[2].path: would take the native API's paths: begin with a word of your own, or choose another style.base_path"],
    ),
    ("\"/shop/{id}/*rest\"", "\"/shop/*rest/x\"", &["endpoints[2].path: a star stands once, at the end, with a name: /orders/*rest"]),
    ("\"/shop/{id}/*rest\"", "\"/webhooks/{id}/*rest\"", &["endpoints[2].path: /api/v1/webhooks belongs to the native API"]),
    ("\"/shop/{id}/*rest\"", "\"/shop/{id}/{id}/*rest\"", &["endpoints[2].path: has the placeholder id twice"]),
    (
        "method = \"GET\"\npath = \"/shop",
        "method = \"HEAD\"\npath = \"/shop",
        &["endpoints[2].method: an upstream is asked by GET, POST, PUT, PATCH, DELETE, or ANY for all of them"],
    ),
    (
        "{ type = \"upstream\"",
        "{ type = \"list\"",
        &[
            "endpoints[2].operation.type: type must be one of upstream, metric, job, job-status, job-batch, manage; other operations are written by their names: \"list\"",
        ],
    ),
    (
        "scope = \"leads:read\"",
        "scope = \"leads:read\"\nresource = \"lead\"",
        &["endpoints[2].resource: does not belong to an upstream's endpoint"],
    ),
    ("http://10.0.0.5:9000", "ftp://10.0.0.5", &["upstreams[0].targets[0]: must begin with http:// or https://"]),
    (
        "http://10.0.0.5:9000",
        "http://me:secret@10.0.0.5",
        &["upstreams[0].targets[0]: must name a host, without user and password; send credentials by headers"],
    ),
    ("http://10.0.0.5:9000", "http://10.0.0.5/a/../b", &["upstreams[0].targets[0]: its path must not contain //, . or .."]),
    ("name = \"orders\"", "name = \"orders\"\nretries = 11", &["upstreams[0].retries: must be 0 to 10"]),
    (
        "name = \"orders\"",
        "name = \"orders\"\nretrys = 1",
        &["upstreams[0].retrys: \"retrys\" is not a known member here; did you mean retries?"],
    ),
    (
        "name = \"orders\"",
        "name = \"orders\"\nheaders = { Tradewind-Tenant = \"x\", Via = \"y\" }",
        &[
            "upstreams[0].headers.Tradewind-Tenant: is written by the proxy itself",
            "upstreams[0].headers.Via: is written by the proxy itself",
        ],
    ),
    (
        "name = \"orders\"",
        "name = \"orders\"\nforward = [\"cookies\"]",
        &[
            "upstreams[0].forward[0]: only credentials are named here (authorization, cookie, x-api-secret); all other headers are passed on anyway; did you mean cookie?",
        ],
    ),
    (
        "[[endpoints]]",
        "[[endpoints]]\nmethod = \"ANY\"\npath = \"/shop/{id}/{part}\"\noperation = { type = \"upstream\", upstream = \"orders\" }\nscope = \"\"\n[[endpoints]]",
        &["endpoints[3].path: stands at the same place as the placeholder of /shop/{id}/{part}; one of the two must go"],
    ),
    (
        "[[endpoints]]",
        "[[endpoints]]\nmethod = \"ANY\"\npath = \"/shop/{id}/*rest\"\noperation = { type = \"upstream\", upstream = \"orders\" }\nscope = \"\"\n[[endpoints]]",
        &["endpoints[3].path: GET /shop/{id}/*rest is declared already by endpoints[2]"],
    ),
];

#[test]
fn faults_of_upstreams_are_explained() {
    let whole = format!("{GOOD}{PROXY}");
    let blueprint = parse(&whole, "proxy").unwrap();
    assert_eq!(blueprint.endpoints[2].upstream.as_ref().unwrap().path, "/v2/{id}/*rest");
    for (from, to, expected) in PROXY_CASES {
        assert_eq!(said(&format!("{GOOD}{}", changed(PROXY, from, to))), *expected, "{to}");
    }
    let named = PROXY.replace("{ type = \"upstream\", upstream = \"orders\", path = \"/v2/{id}/*rest\" }", "\"upstream\"");
    let faults = parse(&format!("{GOOD}{named}"), "proxy").unwrap_err().to_string();
    assert!(faults.contains("is written as a table: { type = \"upstream\""), "{faults}");
}

#[test]
fn any_stands_for_every_method() {
    let any = PROXY.replace("method = \"GET\"", "method = \"ANY\"");
    let blueprint = parse(&format!("{GOOD}{any}"), "proxy").unwrap();
    let methods: Vec<&str> = blueprint.endpoints[2..].iter().map(|endpoint| endpoint.method.as_str()).collect();
    assert_eq!(methods, ["GET", "POST", "PUT", "PATCH", "DELETE"]);
}
