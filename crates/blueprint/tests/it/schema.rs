use blueprint::Schema;
use serde_json::{Value, json};

fn faults(schema: &Value, value: &Value) -> Vec<(String, String)> {
    let schema = Schema::compile(schema).unwrap();
    schema.check(value, "/data").into_iter().map(|fault| (fault.pointer, fault.detail)).collect()
}

fn one(schema: &Value, value: &Value) -> (String, String) {
    let faults = faults(schema, value);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap()
}

#[test]
fn faults_have_pointers_and_words() {
    let cases = [
        (json!({"type": "string"}), json!(1), "/data", "must be a string"),
        (json!({"type": ["string", "null"]}), json!(1), "/data", "must be null or a string"),
        (json!({"required": ["a/b"]}), json!({}), "/data/a~1b", "is required"),
        (json!({"properties": {}, "additionalProperties": false}), json!({"x~": 1}), "/data/x~0", "is not a known field"),
        (json!({"properties": {"e": {"format": "email"}}}), json!({"e": "x"}), "/data/e", "must be an e-mail address"),
        (json!({"items": {"enum": ["a", "b"]}}), json!(["a", "c"]), "/data/1", "must be one of \"a\", \"b\""),
        (json!({"anyOf": [{"required": ["a"]}, {"required": ["b", "c"]}]}), json!({"d": 1}), "/data", "needs a, or b and c"),
        (json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}), json!({}), "/data", "needs a, or b"),
        (json!({"anyOf": [{"required": ["a"]}, {"type": "null"}]}), json!({}), "/data", "has none of the allowed forms"),
        (json!({"maxLength": 1}), json!("ab"), "/data", "must have at most 1 character"),
        (json!({"minimum": 3}), json!(2), "/data", "must be at least 3"),
        (json!({"format": "date-time"}), json!("soon"), "/data", "must be a date and time such as 2025-01-31T09:30:00Z"),
    ];
    for (schema, value, pointer, detail) in cases {
        assert_eq!(one(&schema, &value), (pointer.to_owned(), detail.to_owned()));
    }
}

#[test]
fn faults_are_few_and_never_echo_the_value() {
    let long = "s3cret".repeat(10_000);
    let list = faults(&json!({"items": {"type": "integer"}}), &Value::Array(vec![json!(long); 500]));
    assert_eq!(list.len(), 20);
    assert!(list.iter().all(|(pointer, detail)| !detail.contains("s3cret") && pointer.len() < 50));
    let unknown: Vec<_> = faults(&json!({"additionalProperties": false}), &json!({ &long: 1 }));
    assert!(unknown[0].0.len() < 200);
    let inside = faults(&json!({"additionalProperties": {"type": "integer"}}), &json!({ &long: "x" }));
    assert!(inside[0].0.len() < 500, "{}", inside[0].0.len());
}

#[test]
fn costly_patterns_end() {
    let schema = Schema::compile(&json!({"type": "string", "pattern": "^(?=(a+)+$)(a+)+b\\1$"})).unwrap();
    assert!(!schema.accepts(&json!("a".repeat(5000))));
}

#[test]
fn unusable_schemas_are_refused_with_a_reason() {
    let deep = (0..200).fold(json!({}), |schema, _| json!({ "not": schema }));
    let doubling: serde_json::Map<String, Value> = (0..40)
        .map(|i| (format!("d{i}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", i + 1)}, {"$ref": format!("#/$defs/d{}", i + 1)}]})))
        .chain([("d40".to_owned(), json!({}))])
        .collect();
    let cases = [
        (json!(7), "a schema is an object"),
        (deep, "nested more than"),
        (json!({"$ref": "https://example.com/x.json"}), "has the form #/$defs/<name>"),
        (json!({"$ref": "#"}), "has the form #/$defs/<name>"),
        (json!({"$ref": "#/$defs/x"}), "there is no #/$defs/x"),
        (json!({"$defs": {"x": {"items": {"$ref": "#/$defs/x"}}}, "$ref": "#/$defs/x"}), "leads back to itself"),
        (json!({"$ref": "#/$defs/d0", "$defs": doubling}), "subschemas when its references are followed"),
        (json!({"type": "strnig"}), "/type: "),
        (json!({"pattern": "("}), "/pattern: is not a regular expression"),
        (json!({"pattern": "x".repeat(2000)}), "at most 1000 bytes"),
        (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "the dialect is"),
        (json!({"properties": {"x": {"$dynamicRef": "#a"}}}), "/properties/x/$dynamicRef: this keyword is not supported"),
        (json!({"description": "x".repeat(200_000)}), "bytes of JSON"),
    ];
    for (schema, reason) in cases {
        let found = Schema::compile(&schema).expect_err(reason);
        assert!(found.contains(reason), "{found:?} should contain {reason:?}");
    }
    assert!(Schema::compile(&json!({"properties": {"$ref": {"type": "string"}}})).is_ok(), "a member may be called $ref");
}
