use blueprint::{Schema, builtin, parse};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_any_text(text in "\\PC*") {
        let _ = parse(&text, "any");
    }

    #[test]
    fn on_toml_like_text(text in "([a-z]{1,3}(\\.[a-z]{1,3}){0,3} ?= ?(\"[^\"\n]{0,9}\"|[0-9_-]{1,25}|\\[+\\]*|\\{+|true|nan|inf|1979-05-27)\n|\\[\\[?(scopes|endpoints|resources|x)\\]\\]?\n){0,30}") {
        let _ = parse(&text, "any");
    }

    #[test]
    fn on_a_damaged_file(which in 0..2_usize, at in 0..20_000_usize, cut in 0..80_usize, insert in "[\\x00-\\x7fäß]{0,12}") {
        let text: Vec<char> = builtin()[which].1.chars().collect();
        let at = at.min(text.len());
        let rest = (at + cut).min(text.len());
        let damaged: String = text[..at].iter().collect::<String>() + &insert + &text[rest..].iter().collect::<String>();
        if let Err(faults) = parse(&damaged, "damaged") {
            prop_assert!(!faults.list().is_empty());
            prop_assert!(!faults.to_string().is_empty());
        }
    }

    #[test]
    fn on_any_schema_and_value(schema in json(), value in json()) {
        if let Ok(schema) = Schema::compile(&schema) {
            prop_assert!(schema.check(&value, "").len() <= 20);
            prop_assert_eq!(schema.accepts(&value), schema.check(&value, "").is_empty());
        }
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let word = prop_oneof![
        "type",
        "properties",
        "items",
        "enum",
        "required",
        "pattern",
        "string",
        "object",
        "[a-c]",
        "\\$ref",
        "#",
        "#/\\$defs/a",
        "\\$defs"
    ];
    let leaf =
        prop_oneof![word.clone().prop_map(serde_json::Value::from), any::<i32>().prop_map(Into::into), any::<bool>().prop_map(Into::into)];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((word.clone(), inner), 0..4).prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn on_deep_and_large_text() {
    for text in
        ["[".repeat(100_000), "a.".repeat(200_000) + "a = 1", "x = ".to_owned() + &"{a = ".repeat(50_000), "a = 1\n".repeat(100_000)]
    {
        assert!(parse(&text, "deep").is_err());
    }
    let nested =
        |tail: &str| (0..79).map(|_| "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = { ").collect::<String>() + "a = 1" + tail;
    assert!(parse(&nested(&" }".repeat(79)), "deep").is_err());
}
