use serde_json::{Value, json};

use crate::bed::{here, input, mapping, problems, there, values};

#[tokio::test]
async fn fields_go_both_ways_and_nested() {
    let mapping = mapping(json!([
        {"localField": "email", "remoteField": "Email", "transformer": ["trim", "lower"]},
        {"localField": "address.city", "remoteField": "MailingCity"},
        {"localField": "phone", "remoteField": "Phone", "transformer": {"name": "phone_e164", "country": "DE"}},
    ]));
    let ours = json!({"email": " A@B.co ", "address": {"city": "Bonn"}, "phone": "030 123456", "other": 1});
    assert_eq!(values(there(&mapping, ours).await), json!({"Email": "a@b.co", "MailingCity": "Bonn", "Phone": "+4930123456"}));
    let theirs = json!({"Email": "a@b.co", "MailingCity": null, "Phone": "+4930123456", "Fax": "1"});
    assert_eq!(values(here(&mapping, theirs).await), json!({"email": "a@b.co", "address.city": null, "phone": "+4930123456"}));
}

#[tokio::test]
async fn what_a_record_does_not_have_is_absent_and_what_is_empty_is_null() {
    let mapping = mapping(json!([{"localField": "a", "remoteField": "A"}, {"localField": "b", "remoteField": "B", "transformer": "trim"}]));
    assert_eq!(values(there(&mapping, json!({"b": null})).await), json!({"B": null}));
    assert_eq!(values(here(&mapping, json!({"A": null})).await), json!({"a": null}));
    let complete = mapping.local_values(json!({"b": "x"}).as_object().unwrap());
    assert_eq!(Value::Object(complete), json!({"a": null, "b": "x"}));
}

#[tokio::test]
async fn defaults_and_constants_fill_in() {
    let mapping = mapping(json!([
        {"localField": "company", "remoteField": "Company", "default": "[not provided]", "defaultLocal": "unknown"},
        {"remoteField": "LeadSource", "constant": "Web"},
        {"localField": "origin", "constant": {"crm": true}},
        {"localField": "tier", "remoteField": "Tier", "direction": "to_local", "default": "basic"},
    ]));
    assert_eq!(values(there(&mapping, json!({})).await), json!({"Company": "[not provided]", "LeadSource": "Web"}));
    assert_eq!(values(there(&mapping, json!({"company": " "})).await), json!({"Company": "[not provided]", "LeadSource": "Web"}));
    let expected = json!({"company": "unknown", "origin": {"crm": true}, "tier": "basic"});
    assert_eq!(values(here(&mapping, json!({"Company": null, "Tier": null})).await), expected);
    assert_eq!(
        values(here(&mapping, json!({})).await),
        json!({"origin": {"crm": true}}),
        "an answer that does not carry a field says nothing"
    );
}

#[tokio::test]
async fn value_maps_go_both_ways() {
    let map = json!({"new": "Open - Not Contacted", "won": "Closed - Converted", "true": 1});
    let field = |more: Value| {
        let mut field = json!({"localField": "status", "remoteField": "Status", "valueMap": map});
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([field])
    };
    let strict = mapping(field(json!({})));
    assert_eq!(values(there(&strict, json!({"status": "new"})).await), json!({"Status": "Open - Not Contacted"}));
    assert_eq!(values(there(&strict, json!({"status": true})).await), json!({"Status": 1}));
    assert_eq!(values(here(&strict, json!({"Status": "Closed - Converted"})).await), json!({"status": "won"}));
    assert_eq!(values(here(&strict, json!({"Status": "1"})).await), json!({"status": "true"}));
    let refused = there(&strict, json!({"status": "odd"})).await;
    assert_eq!(problems(&refused), [("valueMap", "Status")]);
    assert_eq!(refused.problems[0].value.as_deref(), Some("\"odd\""));
    assert!(refused.values.is_empty());
    let keep = mapping(field(json!({"unmapped": "keep"})));
    assert_eq!(values(there(&keep, json!({"status": "odd"})).await), json!({"Status": "odd"}));
    let empty = mapping(field(json!({"unmapped": "empty", "default": "Open - Not Contacted"})));
    assert_eq!(values(there(&empty, json!({"status": "odd"})).await), json!({"Status": "Open - Not Contacted"}));
    let many = json!([{"localField": "s", "remoteField": "S", "valueMap": {"a": "X", "b": "X"}, "valueMapOneWay": true}]);
    let many = mapping(many);
    assert_eq!(values(there(&many, json!({"s": "b"})).await), json!({"S": "X"}));
    assert_eq!(values(here(&many, json!({"S": "X"})).await), json!({"s": "a"}));
}

#[tokio::test]
async fn types_are_converted_to_the_side_they_go_to() {
    let mapping = mapping(json!([
        {"localField": "amount", "remoteField": "amount", "localType": "number", "remoteType": "number_text"},
        {"localField": "vip", "remoteField": "vip", "localType": "boolean", "remoteType": "boolean_text"},
        {"localField": "born", "remoteField": "born", "localType": "date", "remoteType": "date_ms"},
        {"localField": "seen", "remoteField": "Seen__c", "localType": "datetime", "remoteType": "datetime_offset"},
        {"localField": "tags", "remoteField": "tags", "localType": "list", "remoteType": "list_text"},
    ]));
    let ours = json!({"amount": 12.5, "vip": true, "born": "2026-11-22", "seen": "2026-11-22T18:00:00.000Z", "tags": ["a", "b"]});
    let theirs = json!({
        "amount": "12.5", "vip": "true", "born": 1_795_305_600_000_i64, "Seen__c": "2026-11-22T18:00:00.000+0000", "tags": "a;b"
    });
    assert_eq!(values(there(&mapping, ours.clone()).await), theirs);
    assert_eq!(values(here(&mapping, theirs).await), ours);
    let refused = here(&mapping, json!({"amount": "a lot", "vip": "maybe", "born": "yesterday"})).await;
    assert_eq!(problems(&refused), [("number", "amount"), ("boolean", "vip"), ("date", "born")]);
}

#[tokio::test]
async fn named_transforms_do_what_they_say() {
    for (transformer, value, expected) in [
        (json!("title"), json!("anna-maria O'NEIL  van dyk"), json!("Anna-Maria O'neil  Van Dyk")),
        (json!("upper"), json!(["a", "ß", 1]), json!(["A", "SS", 1])),
        (json!("digits"), json!("(030) 12-34"), json!("0301234")),
        (json!({"name": "truncate", "length": 3}), json!("äöüß"), json!("äöü")),
        (json!({"name": "prefix", "text": "https://"}), json!("a.example"), json!("https://a.example")),
        (json!({"name": "strip_suffix", "text": " GmbH"}), json!("Acme GmbH"), json!("Acme")),
        (json!({"name": "split", "separator": ","}), json!("a, b,,c"), json!(["a", "b", "c"])),
        (json!({"name": "join", "separator": ";"}), json!(["a", "", "b", 3]), json!("a;b;3")),
        (json!({"name": "minor_units", "currency": "EUR"}), json!("0.29"), json!(29)),
        (json!({"name": "minor_units", "currency": "JPY"}), json!(500), json!(500)),
        (json!({"name": "major_units", "currency": "BHD"}), json!(1234), json!(1.234)),
        (json!({"name": "date_format", "from": "%d.%m.%Y", "to": "date"}), json!("22.11.2026"), json!("2026-11-22")),
        (
            json!({"name": "date_format", "from": "datetime", "to": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"}),
            json!("2026-06-30T22:30:00Z"),
            json!("01/07/2026 00:30"),
        ),
        (json!({"name": "phone_e164", "country": "US"}), json!("(202) 555-0173"), json!("+12025550173")),
        (json!("phone_e164"), json!("0049 30 123456"), json!("+4930123456")),
        (json!("json_text"), json!({"a": [1]}), json!("{\"a\":[1]}")),
    ] {
        let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "bidirectional": false, "transformer": transformer}]));
        assert_eq!(values(there(&mapping, json!({ "v": value })).await), json!({ "V": expected }), "{transformer} of {value}");
    }
}

#[tokio::test]
async fn transforms_say_what_they_cannot_do() {
    for (transformer, value) in [
        (json!({"name": "minor_units", "currency": "EUR"}), json!(1.005)),
        (json!({"name": "join", "separator": ";"}), json!(["a;b"])),
        (json!({"name": "strip_prefix", "text": "x-"}), json!("y-1")),
        (json!("phone_e164"), json!("12345")),
        (json!("phone_e164"), json!({})),
        (json!("json_value"), json!("{")),
        (json!({"name": "date_format", "from": "%d.%m.%Y", "to": "date"}), json!("31.02.2026")),
    ] {
        let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "bidirectional": false, "transformer": transformer}]));
        let refused = there(&mapping, json!({ "v": value })).await;
        assert_eq!(refused.problems.len(), 1, "{transformer} of {value}");
        assert_eq!((refused.problems[0].field.as_str(), refused.values.len()), ("V", 0));
        assert!(refused.problems[0].message.ends_with("expected") || refused.problems[0].message.contains("was expected"), "{refused:?}");
    }
}

#[tokio::test]
async fn several_fields_make_one_and_one_makes_several() {
    let mapping = mapping(json!([
        {"localField": "display", "remoteField": "Name", "bidirectional": false,
         "transformer": [{"name": "concat", "fields": ["first", "last"]}, "title"]},
        {"localField": "full", "remoteField": "First", "bidirectional": false, "transformer": {"name": "part", "index": 0}},
        {"localField": "full", "remoteField": "Last", "bidirectional": false, "transformer": {"name": "part", "index": 1}},
    ]));
    let ours = json!({"first": "ada", "last": "lovelace", "full": "Grace Hopper"});
    assert_eq!(values(there(&mapping, ours).await), json!({"Name": "Ada Lovelace", "First": "Grace", "Last": "Hopper"}));
    assert_eq!(values(there(&mapping, json!({"last": "lovelace"})).await), json!({"Name": "Lovelace"}));
}

#[tokio::test]
async fn a_record_that_breaks_a_rule_says_rule_and_field() {
    let mapping = mapping(json!([
        {"localField": "email", "remoteField": "Email", "validate": {"required": true, "email": true}},
        {"localField": "last", "remoteField": "LastName", "validate": {"required": true, "maxLength": 5}, "validateLocal": {"pattern": "^[A-Z]"}},
        {"localField": "age", "remoteField": "Age", "validate": {"min": 18, "max": 120}},
        {"localField": "kind", "remoteField": "Kind", "validate": {"enum": ["a", "b"]}},
    ]));
    let bad = there(&mapping, json!({"email": "nobody", "last": "Lovelace", "age": 17, "kind": "c"})).await;
    assert_eq!(problems(&bad), [("email", "Email"), ("maxLength", "LastName"), ("min", "Age"), ("enum", "Kind")]);
    let missing = there(&mapping, json!({})).await;
    assert_eq!(problems(&missing), [("required", "Email"), ("required", "LastName")]);
    let good = json!({"email": "a@b.co", "last": "Hopper".get(..5).unwrap(), "age": 18, "kind": "a"});
    assert!(there(&mapping, good).await.problems.is_empty());
    assert_eq!(problems(&here(&mapping, json!({"LastName": "x"})).await), [("pattern", "last")]);
}

#[tokio::test]
async fn a_problem_shows_a_bounded_value() {
    let mapping = mapping(json!([{"localField": "n", "remoteField": "N", "remoteType": "number"}]));
    let bad = there(&mapping, json!({"n": "ä".repeat(10_000)})).await;
    let shown = bad.problems[0].value.as_deref().unwrap();
    assert_eq!(shown.chars().count(), 101, "a hundred characters and a sign that there are more");
}

#[tokio::test]
async fn the_mapping_s_country_is_the_telephone_numbers() {
    let mut written = input(json!([{"localField": "p", "remoteField": "P", "transformer": "phone_e164"}]));
    written.default_country = Some("GB".to_owned());
    let mapping = mappings::Mapping::compile(&written).unwrap();
    assert_eq!(values(there(&mapping, json!({"p": "020 7946 0958"})).await), json!({"P": "+442079460958"}));
    written.default_country = Some("ZZ".to_owned());
    assert!(mappings::Mapping::compile(&written).is_err());
}
