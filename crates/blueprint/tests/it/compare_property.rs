//! If the check says "compatible", everything valid now satisfies what readers (or callers) relied on: random schemas, random changes of
//! them, random values.

use blueprint::{Reliance, Schema, compare_schemas};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Map, Value, json};

/// Keywords whose values are compared and generated in every combination.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        (0..4_u8, 2..6_u8).prop_map(|(min, max)| json!({"type": "string", "minLength": min, "maxLength": max})),
        Just(json!({"type": "string", "format": "date"})),
        Just(json!({"type": "string", "pattern": "^a"})),
        Just(json!({"type": "integer"})),
        (-2..3_i8, 1..6_i8).prop_map(|(min, max)| json!({"type": "integer", "minimum": min, "maximum": max})),
        (-2..3_i8).prop_map(|bound| json!({"type": "number", "exclusiveMinimum": bound})),
        (1..5_u8).prop_map(|step| json!({"type": "integer", "multipleOf": step})),
        prop::sample::subsequence(vec![json!("a"), json!("b"), json!(1), json!(2), json!(null)], 1..4)
            .prop_map(|values| json!({"enum": values})),
        prop::sample::subsequence(vec!["string", "null", "integer", "number", "boolean", "array", "object"], 1..4)
            .prop_map(|types| json!({"type": types})),
        Just(json!({"const": "a"})),
        Just(json!(true)),
        Just(json!({})),
        Just(json!({"not": {"const": 1}})),
        Just(json!({"if": {"type": "string"}, "then": {"minLength": 2}})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let names = prop::sample::subsequence(vec!["a", "b", "c"], 0..3);
        let properties = prop::collection::btree_map("[a-c]", inner.clone(), 0..3);
        prop_oneof![
            4 => (properties.clone(), names.clone(), prop::option::of(prop_oneof![Just(json!(false)), inner.clone()])).prop_map(|(properties, required, more)| {
                let mut schema = json!({"type": "object", "properties": properties, "required": required});
                if let Some(more) = more {
                    schema["additionalProperties"] = more;
                }
                schema
            }),
            1 => (properties, inner.clone()).prop_map(|(properties, patterned)| json!({"type": "object", "properties": properties, "patternProperties": {"^[bc]": patterned}})),
            1 => (inner.clone(), 0..2_u8, 1..4_u8).prop_map(|(items, min, max)| json!({"type": "array", "items": items, "minItems": min, "maxItems": max})),
            1 => (inner.clone(), inner.clone()).prop_map(|(first, rest)| json!({"type": "array", "prefixItems": [first], "items": rest})),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| json!({"anyOf": [one, other]})),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| json!({"allOf": [one, other]})),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| json!({"oneOf": [one, other]})),
            1 => (names, inner).prop_map(|(required, member)| json!({"type": ["object", "null"], "required": required, "additionalProperties": member, "minProperties": 1})),
        ]
    })
}

/// Another schema that differs in few places: a subschema is replaced, dropped, or a keyword of it is.
fn changed(schema: &Value, at: &mut u32, by: &Value, how: u8) -> Value {
    let here = *at == 0;
    *at = at.wrapping_sub(1);
    match (here, how, schema) {
        (true, 0, _) => by.clone(),
        (true, 1, Value::Object(members)) if !members.is_empty() => {
            let mut members = members.clone();
            let name = members.keys().next().cloned().unwrap_or_default();
            members.remove(&name);
            Value::Object(members)
        }
        (true, 2, Value::Object(_)) => json!({"allOf": [schema, by]}),
        (true, 3, Value::Object(_)) => json!({"anyOf": [schema, by]}),
        (_, _, Value::Object(members)) => {
            let mut out = Map::new();
            for (keyword, value) in members {
                let inner = match (keyword.as_str(), value) {
                    ("properties" | "patternProperties", Value::Object(table)) => {
                        table.iter().map(|(name, schema)| (name.clone(), changed(schema, at, by, how))).collect()
                    }
                    ("anyOf" | "allOf" | "oneOf" | "prefixItems", Value::Array(list)) => {
                        list.iter().map(|schema| changed(schema, at, by, how)).collect()
                    }
                    ("items" | "additionalProperties", Value::Object(_)) => changed(value, at, by, how),
                    _ => value.clone(),
                };
                out.insert(keyword.clone(), inner);
            }
            Value::Object(out)
        }
        _ => schema.clone(),
    }
}

/// The schema as a reader takes it, who ignores members that it does not know.
fn opened(schema: &Value) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (keyword, value) in members {
        let value = match (keyword.as_str(), value) {
            ("additionalProperties", Value::Bool(false)) => continue,
            ("properties" | "patternProperties", Value::Object(table)) => {
                table.iter().map(|(name, schema)| (name.clone(), opened(schema))).collect()
            }
            ("anyOf" | "allOf" | "prefixItems", Value::Array(list)) => list.iter().map(opened).collect(),
            ("items" | "additionalProperties", _) => opened(value),
            _ => value.clone(),
        };
        out.insert(keyword.clone(), value);
    }
    Value::Object(out)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["", "a", "b", "ab", "abc", "abcdef", "2026-01-31"]).prop_map(Value::from),
        (-4..8_i32).prop_map(Value::from),
        prop::sample::select(vec![0.5, 1.0, -1.5, 6.25]).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::btree_map("[a-d]", inner.clone(), 0..4).prop_map(|members| json!(members)),
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
        ]
    })
}

/// A value that is likely to satisfy the schema, from choices of `noise`.
fn shaped(schema: &Value, noise: &Value, depth: u32) -> Value {
    let Value::Object(members) = schema else { return noise.clone() };
    if depth == 0 {
        return noise.clone();
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = members.get(list) {
            let pick = noise.to_string().len() % branches.len().max(1);
            return branches.get(pick).map_or(noise.clone(), |branch| shaped(branch, noise, depth - 1));
        }
    }
    if let Some(Value::Array(values)) = members.get("enum") {
        return values[noise.to_string().len() % values.len()].clone();
    }
    let at = |n: usize| match noise {
        Value::Array(items) => items.get(n).cloned().unwrap_or(json!(n)),
        Value::Object(members) => members.values().nth(n).cloned().unwrap_or(json!("a")),
        other => other.clone(),
    };
    match members.get("type").and_then(Value::as_str) {
        Some("object") => {
            let mut out = noise.as_object().cloned().unwrap_or_default();
            for (n, (name, schema)) in members.get("properties").and_then(Value::as_object).into_iter().flatten().enumerate() {
                out.insert(name.clone(), shaped(schema, &at(n), depth - 1));
            }
            Value::Object(out)
        }
        Some("array") => {
            let items = members.get("items").unwrap_or(&Value::Null);
            (0..2).map(|n| shaped(items, &at(n), depth - 1)).collect()
        }
        Some("string") if !noise.is_string() => json!("abc"),
        Some("integer") if !noise.is_i64() => json!(2),
        Some("number") if !noise.is_number() => json!(2.5),
        _ => noise.clone(),
    }
}

/// A runner that always makes the same cases: a failure can be repeated, and nobody's change fails by chance.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(20_260_131), ..Config::default() })
}

#[test]
fn a_schema_is_compatible_with_itself() {
    let run = runner(400).run(&schema(), |schema| {
        if Schema::compile(&schema).is_ok() {
            for reliance in [Reliance::Reader, Reliance::Writer] {
                let found = compare_schemas(&schema, &schema, reliance, "");
                prop_assert!(found.is_empty(), "{}: {:?}", schema, found);
            }
        }
        Ok(())
    });
    run.unwrap();
}

#[test]
fn what_is_called_compatible_is() {
    use std::cell::Cell;
    let (compatible, valid, broken) = (Cell::new(0_u32), Cell::new(0_u32), Cell::new(0_u32));
    let input = (schema(), schema(), 0..12_u32, 0..4_u8, prop::collection::vec(value(), 16));
    let run = runner(1500).run(&input, |(old, by, at, how, values)| {
        let new = changed(&old, &mut { at }, &by, how);
        let (Ok(was), Ok(now)) = (Schema::compile(&old), Schema::compile(&new)) else { return Ok(()) };
        let read = Schema::compile(&opened(&old)).expect("a schema that asks less compiles as well");
        let for_readers = compare_schemas(&old, &new, Reliance::Reader, "").is_empty();
        let for_writers = compare_schemas(&old, &new, Reliance::Writer, "").is_empty();
        compatible.set(compatible.get() + u32::from(for_readers && old != new));
        for noise in &values {
            for value in [noise.clone(), shaped(&new, noise, 5), shaped(&old, noise, 5)] {
                if now.accepts(&value) {
                    valid.set(valid.get() + 1);
                    prop_assert!(!for_readers || read.accepts(&value), "{}\n→ {}\nallows {}", old, new, value);
                    broken.set(broken.get() + u32::from(!for_readers && !read.accepts(&value)));
                }
                prop_assert!(!for_writers || !was.accepts(&value) || now.accepts(&value), "{}\n→ {}\nrefuses {}", old, new, value);
            }
        }
        Ok(())
    });
    run.unwrap();
    // Otherwise the property would hold of nothing.
    assert!(compatible.get() > 100 && valid.get() > 5_000 && broken.get() > 500, "{compatible:?} {valid:?} {broken:?}");
}
