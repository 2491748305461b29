//! What the sections of the language refuse, and what a change of them breaks, shown on the examples of the documentation.

use blueprint::{Verdict, compare, parse};

use crate::cases::{changed, said};

/// Every example of `docs/blueprints.md` in one file.
fn bakery() -> String {
    let page = include_str!("../../../../docs/blueprints.md");
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// What is replaced, by what, and how a fault of it begins.
const CASES: &[(&str, &str, &str)] = &[
    // parents
    (
        "field = \"orderId\", resource = \"order\"",
        "field = \"orderId\", resource = \"ordr\"",
        "resources[1].parents[0].resource: there is no resource \"ordr\"; did you mean order?",
    ),
    (
        "field = \"orderId\", resource = \"order\"",
        "field = \"orderid\", resource = \"order\"",
        "resources[1].parents[0].field: the schema has no member \"orderid\"; did you mean orderId?",
    ),
    (
        "field = \"orderId\", resource = \"order\"",
        "field = \"orderId\", resource = \"crumb\"",
        "resources[1].parents[0].resource: is this very resource type",
    ),
    (
        "on_delete = \"cascade\"",
        "on_delete = \"cascad\"",
        "resources[1].parents[0].on_delete: \"cascad\" is not one of the choices; did you mean cascade?",
    ),
    // computed
    (
        "text = \"{pieces} of {grams} g\"",
        "text = \"{pieces} of {gram} g\"",
        "resources[1].computed[0].text: the schema has no member \"gram\"; did you mean grams?",
    ),
    ("text = \"{pieces} of {grams} g\"", "text = \"{pieces\"", "resources[1].computed[0].text: a name in braces has no end"),
    ("product = [\"grams\", \"pieces\"]", "product = [\"grams\", \"label\"]", "resources[1].computed[1].product: label is computed itself"),
    (
        "product = [\"grams\", \"pieces\"]",
        "product = [\"grams\"], sum = [\"pieces\"]",
        "resources[1].computed[1]: must say one of text, sum, product, copy",
    ),
    (
        "server_set = [\"checked\"]",
        "server_set = [\"check\"]",
        "resources[1].server_set[0]: the schema has no member \"check\"; did you mean checked?",
    ),
    (
        "scopes = { read = \"orders:read\"",
        "scopes = { read = \"order:read\"",
        "resources[1].scopes.read: there is no scope \"order:read\"; did you mean orders:read?",
    ),
    // states
    ("dough = [\"baking\"]", "dough = [\"bake\"]", "resources[2].states.next.dough[0]: the schema of state does not allow \"bake\""),
    (
        "initial = [\"dough\"]",
        "initial = [\"baking\"]",
        "resources[2].states.initial: lacks \"dough\", with which a record begins by default",
    ),
    ("set = { state = \"baking\" }", "set = { state = \"baked\" }", "endpoints[3].set.state: the schema of state does not allow \"baked\""),
    (
        "emits = \"loaf.started\"",
        "emits = \"loaf.start\"",
        "endpoints[3].emits: there is no event \"loaf.start\"; did you mean loaf.started?",
    ),
    (
        "emits = \"loaf.started\"",
        "emits = \"order.ready\"",
        "endpoints[3].emits: order.ready requires orderId in its data, which a loaf does not have",
    ),
    // singletons
    (
        "initial = { title = \"{tenant.name}\" }",
        "initial = { title = 5 }",
        "resources[3].initial.title: the schema of title does not allow 5",
    ),
    ("path = \"/bakery\" ", "path = \"/bakery/{id}\" ", "endpoints[4].path: must not have a placeholder: there is one only"),
    (
        "member = \"opening\"",
        "member = \"openings\"",
        "endpoints[5].member: the schema of bakery has no member \"openings\"; did you mean opening?",
    ),
    // paths of children
    (
        "path = \"/orders/{id}/crumbs\"                # a",
        "path = \"/orders/{id}/{x}/crumbs\"  # a",
        "endpoints[1].path: must not have a placeholder, unless it names a parent",
    ),
    // manage
    ("call = \"keys.create\"", "call = \"keys.make\"", "endpoints[6].operation.call: there is no operation \"keys.make\""),
    (
        "days = \"expiresInDays\"",
        "days = \"expireInDays\"",
        "endpoints[6].operation.body.days: keys.create has no member \"expireInDays\"; did you mean expiresInDays?",
    ),
    (
        "fixed = { environment = \"production\" }",
        "fixed = { name = \"x\" }",
        "endpoints[6].operation.body.code_name: name is fixed already",
    ),
    (
        "credentials = [\"session\", \"service-key\"]",
        "credentials = [\"sesion\"]",
        "endpoints[6].operation.credentials[0]: \"sesion\" is not one of the choices; did you mean session?",
    ),
    ("path = \"/codes\"\n", "path = \"/codes/{id}\"\n", "endpoints[6].path: must not have a placeholder"),
    (
        "native = \"period\"",
        "native = \"perod\"",
        "endpoints[7].operation.query.period.native: there is no query parameter \"perod\"; did you mean period?",
    ),
    ("default = \"7d\"", "default = \"8d\"", "endpoints[7].operation.query.period.default: must be one of those that are allowed"),
    ("summary = \"Make an access code.\"", "summary = \"x\"\npublic = true", "endpoints[6].public: does not belong to"),
    // without a credential
    (
        "resource = \"order\"\npublic = true",
        "resource = \"order\"\npublic = true\nscope = \"orders:read\"",
        "endpoints[10].scope: does not belong to a public endpoint",
    ),
    (
        "resource = \"order\"\npublic = true",
        "resource = \"order\"\npublic = true\nbase = \"/own\"",
        "endpoints[10].base: does not belong to a public endpoint",
    ),
    (
        "resource = \"order\"\npublic = true",
        "resource = \"order\"\npublic = true\ncost = 2",
        "endpoints[10].cost: does not belong to a public endpoint",
    ),
    ("path = \"/menu/{id}\" ", "path = \"/menu/{tenant}\" ", "endpoints[10].path: names a placeholder {tenant}"),
    (
        "method = \"GET\"\npath = \"/menu/{id}\"             # served at /public/<tenant's slug>/menu/{id}\noperation = \"get\"",
        "method = \"DELETE\"\npath = \"/menu/{id}\"\noperation = \"delete\"",
        "endpoints[10].public: does not belong to delete of order",
    ),
    // members with a scope of their own
    (
        "to = [\"approved\"], scope = \"orders:approve\"",
        "to = [\"aproved\"], scope = \"orders:approve\"",
        "resources[6].guarded[0].to[0]: the schema of status does not allow \"aproved\"; did you mean approved?",
    ),
    (
        "to = [\"approved\"], scope = \"orders:approve\"",
        "to = [\"asked\"], scope = \"orders:approve\"",
        "resources[6].guarded[0].to: names the default value, with which every record begins",
    ),
    (
        "to = [\"approved\"], scope = \"orders:approve\"",
        "to = [\"approved\"], scope = \"orders:aprove\"",
        "resources[6].guarded[0].scope: there is no scope \"orders:aprove\"; did you mean orders:approve?",
    ),
    (
        "field = \"approver\", scope",
        "field = \"aprover\", scope",
        "resources[6].guarded[1].field: the schema has no member \"aprover\"; did you mean approver?",
    ),
    // history
    ("singleton = true\nhistory", "singleton = false\nhistory", "resources[4].history[0]: belongs to a singleton"),
    ("field = \"heat\"", "field = \"heet\"", "resources[4].history[0].field: heet is no number"),
    (
        "resource = \"heat\", value",
        "resource = \"heet\", value",
        "resources[4].history[0].resource: there is no resource \"heet\"; did you mean heat?",
    ),
    ("value = \"degrees\"", "value = \"degree\"", "resources[4].history[0].value: heat has no member degree that may be set to a number"),
    ("from = \"since\"", "from = \"until\"", "resources[4].history[0].from: until is not unique among heats"),
    ("bucket = \"quarter\"", "bucket = \"hour\"", "resources[4].history[0].bucket: must be day, week, month, quarter or year"),
    (
        ", previous = \"before\" }",
        ", previous = \"until\" }",
        "resources[4].history[0].previous: heat has no member until that may be set to a number",
    ),
    // answers
    (
        "code = \"$path.codeId\"",
        "code = \"$path.codeID\"",
        "endpoints[7].answer: the path has no placeholder \"codeID\"; did you mean $path.codeId?",
    ),
    (
        "period = \"$query.period\"",
        "period = \"$query.perid\"",
        "endpoints[7].answer: there is no query parameter \"perid\"; did you mean period?",
    ),
    ("code = \"$.key\"", "code = \"$key\"", "endpoints[6].answer.code: \"$key\" is nothing to refer to"),
    // words, keys, aliases
    (
        "words = { key = \"Access code\" }",
        "words = { keys = \"Access code\" }",
        "product.words.keys: there is no word \"keys\"; did you mean key?",
    ),
    ("languages = [\"en\"]", "languages = [\"eng\"]", "product.languages[0]: there is no language \"eng\""),
    ("max_lifetime_days = 365", "max_lifetime_days = 0", "keys.max_lifetime_days: must be 1 to 3650"),
    ("aliases = [\"order_ready\"]", "aliases = [\"order.ready\"]", "events[0].aliases[0]: order.ready is declared as a type itself"),
    (
        "when = { status = \"ready\" }",
        "when = { status = \"redy\" }",
        "resources[0].stamps[1].when: the schema of status does not allow \"redy\"; did you mean ready?",
    ),
];

#[test]
fn the_examples_together_are_one_good_file() {
    parse(&bakery(), "docs/blueprints.md").unwrap_or_else(|faults| panic!("{faults}"));
}

#[test]
fn every_section_tells_what_is_wrong_and_where() {
    let good = bakery();
    let mut missing = Vec::new();
    for (from, to, expected) in CASES {
        let shown = said(&changed(&good, from, to));
        if !shown.iter().any(|fault| fault.starts_with(expected)) {
            missing.push(format!("{to}: {shown:#?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_fault_has_its_line_and_column() {
    let text = bakery().replacen("initial = [\"dough\"]", "initial = [\"duh\"]", 1);
    let faults = parse(&text, "mine.toml").unwrap_err();
    let (n, line) = text.lines().enumerate().find(|(_, line)| line.contains("\"duh\"")).unwrap();
    let fault = faults.list().iter().find(|fault| fault.path.ends_with("initial[0]")).unwrap();
    assert_eq!((fault.line, fault.column), (Some(n + 1), Some(line.find("\"duh\"").unwrap() + 1)), "{faults}");
}

#[test]
fn a_change_of_the_language_is_judged() {
    let old = parse(&bakery(), "old").unwrap();
    for (from, to, code) in [
        ("code = \"$.key\"", "token = \"$.key\"", "answer_changed"),
        ("base = \"/api/portal\"", "base = \"/api/self\"", "endpoint_moved"),
        ("aliases = [\"order_ready\"]", "aliases = []", "alias_removed"),
        ("dough = [\"baking\"], baking", "baking", "states_changed"),
        ("server_set = [\"checked\"]", "server_set = [\"checked\", \"orderId\"]", "property_read_only"),
        ("scopes = { read = \"orders:read\", write = \"orders:read\" }", "scopes = { write = \"orders:read\" }", "resource_scope_changed"),
        ("days = \"expiresInDays\"", "life = \"expiresInDays\"", "property_removed"),
    ] {
        let text = bakery().replacen(from, to, 1);
        let new = parse(&text, "new").unwrap_or_else(|faults| panic!("{faults}"));
        let broken: Vec<&str> =
            compare(&old, &new).iter().filter(|finding| finding.verdict == Verdict::Breaking).map(|finding| finding.code).collect();
        assert!(broken.contains(&code), "{to}: {broken:?}");
    }
}
