use mappings::{Direction, MAX_FIELDS, Policy};
use serde_json::{Value, json};

use crate::bed::{faults, input, mapping};

fn fault(field: &Value) -> (String, String) {
    let mut found = faults(&input(json!([field])));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn every_fault_has_its_rule_and_place() {
    for (field, rule, place) in [
        (json!({"localField": "a"}), "required", "remoteField"),
        (json!({}), "required", "localField"),
        (json!({"localField": "", "remoteField": "A"}), "name", "localField"),
        (json!({"localField": "a..b", "remoteField": "A"}), "name", "localField"),
        (json!({"localField": "a.b.c.d.e.f.g.h.i", "remoteField": "A"}), "name", "localField"),
        (json!({"localField": "a", "remoteField": " A"}), "name", "remoteField"),
        (json!({"localField": "a", "remoteField": "A", "constant": 1}), "constant", "constant"),
        (json!({"remoteField": "A", "constant": 1, "direction": "to_local"}), "direction", "direction"),
        (json!({"localField": "a", "remoteField": "A", "bidirectional": true, "direction": "to_local"}), "direction", "bidirectional"),
        (json!({"localField": "a", "remoteField": "A", "transformer": "shout"}), "transformer", "transformer"),
        (json!({"localField": "a", "remoteField": "A", "transformer": {"name": "split", "at": 1}}), "transformer", "transformer"),
        (json!({"localField": "a", "remoteField": "A", "transformer": {"name": "minor_units"}}), "transformer", "transformer"),
        (
            json!({"localField": "a", "remoteField": "A", "transformer": {"name": "phone_e164", "country": "XX"}}),
            "transformer",
            "transformer",
        ),
        (
            json!({"localField": "a", "remoteField": "A", "transformer": {"name": "date_format", "from": "%Q", "to": "date"}}),
            "transformer",
            "transformer",
        ),
        (
            json!({"localField": "a", "remoteField": "A", "transformer": {"name": "concat", "fields": ["a", "b"]}}),
            "transformer",
            "transformer",
        ),
        (json!({"localField": "a", "remoteField": "A", "transformer": vec!["trim"; 11]}), "transformer", "transformer"),
        (json!({"localField": "a", "remoteField": "A", "direction": "to_remote", "toLocal": "trim"}), "direction", "toLocal"),
        (json!({"localField": "a", "remoteField": "A", "valueMap": {"x": "1", "y": "1"}}), "valueMap", "valueMap"),
        (json!({"localField": "a", "remoteField": "A", "valueMap": {}}), "valueMap", "valueMap"),
        (json!({"localField": "a", "remoteField": "A", "validate": {"pattern": "("}}), "pattern", "validate/pattern"),
        (json!({"localField": "a", "remoteField": "A", "validateLocal": {"min": 2, "max": 1}}), "min", "validateLocal/min"),
        (json!({"remoteField": "A", "constant": 1, "key": true}), "key", "key"),
        (json!({"remoteField": "A", "constant": "x".repeat(20_000)}), "size", "constant"),
    ] {
        assert_eq!(fault(&field), (rule.to_owned(), format!("/fieldMappings/0/{place}")), "{field}");
    }
}

#[test]
fn fields_are_also_looked_at_together() {
    let pair = |local: &str, remote: &str| json!({"localField": local, "remoteField": remote});
    let place = |index: usize, member: &str| ("duplicate".to_owned(), format!("/fieldMappings/{index}/{member}"));
    assert_eq!(faults(&input(json!([pair("a", "X"), pair("b", "X")]))), [place(1, "remoteField")]);
    assert_eq!(faults(&input(json!([pair("a", "X"), pair("a", "Y")]))), [place(1, "localField")]);
    assert_eq!(faults(&input(json!([pair("a.b", "X"), pair("a", "Y")]))), [place(1, "localField")]);
    let both_read = json!([{"localField": "a", "remoteField": "X", "bidirectional": false}, {"localField": "a", "remoteField": "Y"}]);
    assert_eq!(mapping(both_read).pairs().count(), 2, "one of ours may go to two of theirs");
    let keys = json!([{"localField": "a", "remoteField": "X", "key": true}, {"localField": "b", "remoteField": "Y", "key": true}]);
    assert_eq!(faults(&input(keys)), [("key".to_owned(), "/fieldMappings/1/key".to_owned())]);
}

#[test]
fn a_mapping_is_bounded() {
    let field = |index: usize| json!({"localField": format!("f{index}"), "remoteField": format!("F{index}")});
    let many = |count: usize| input((0..count).map(field).collect());
    assert_eq!(faults(&many(MAX_FIELDS + 1)), [("fields".to_owned(), "/fieldMappings".to_owned())]);
    assert_eq!(faults(&many(0)), [("fields".to_owned(), "/fieldMappings".to_owned())]);
    assert!(mappings::Mapping::compile(&many(MAX_FIELDS)).is_ok());
}

#[test]
fn a_mapping_tells_its_fields_directions_key_and_policies() {
    let mut written = input(json!([
        {"localField": "email", "remoteField": "Email", "key": true},
        {"localField": "address.city", "remoteField": "City", "bidirectional": false, "conflictResolution": "newest"},
        {"localField": "name", "remoteField": "Name", "direction": "to_remote", "transformer": {"name": "concat", "fields": ["first", "last"]}},
        {"remoteField": "LeadSource", "constant": "Web"},
        {"localField": "origin", "constant": "crm"},
    ]));
    written.one_way = Some(Direction::ToLocal);
    written.conflict_resolution = Some(Policy::Local);
    let mapping = mappings::Mapping::compile(&written).unwrap();
    assert_eq!(mapping.local_fields().collect::<Vec<_>>(), ["address.city", "email", "first", "last", "name", "origin"]);
    assert_eq!(mapping.remote_fields().collect::<Vec<_>>(), ["City", "Email", "LeadSource", "Name"]);
    let key = mapping.key().unwrap();
    assert_eq!((key.local, key.remote), ("email", "Email"));
    assert_eq!(mapping.policy("email"), Policy::Local);
    assert_eq!(mapping.policy("address.city"), Policy::Newest);
    let directions: Vec<Direction> = mapping.fields().map(mappings::Field::direction).collect();
    assert_eq!(directions, [Direction::Both, Direction::ToLocal, Direction::ToRemote, Direction::ToRemote, Direction::ToLocal]);
    assert!(!mapping.has_scripts());
}

#[test]
fn unknown_members_are_named() {
    let written = json!({"fieldMappings": [{"localField": "a", "remoteField": "A", "transfomer": "trim"}]});
    let fault = serde_json::from_value::<mappings::MappingInput>(written).unwrap_err().to_string();
    assert!(fault.contains("transfomer"), "{fault}");
}
