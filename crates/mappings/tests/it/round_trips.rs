//! What goes there and back is what it was, and what was tidied once stays so.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::bed::{mapping, scripts};
use mappings::{Mapped, Mapping};

/// Both ways at once, without a runtime per case.
fn run(future: impl Future<Output = Vec<Mapped>>) -> Mapped {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future).remove(0)
}

fn there(mapping: &Mapping, value: &Value) -> Mapped {
    run(mapping.to_remote(&scripts(), &[Map::from_iter([("v".to_owned(), value.clone())])]))
}

fn here(mapping: &Mapping, mapped: &Mapped) -> Mapped {
    run(mapping.to_local(&scripts(), std::slice::from_ref(&mapped.values)))
}

fn as_source(mapped: &Mapped) -> Value {
    mapped.values.get("v").cloned().unwrap_or(Value::Null)
}

/// Transformers with an inverse, and values of which they lose nothing.
fn lossless() -> impl Strategy<Value = (Value, Value)> {
    let item = "[a-z]{1,6}( [a-z]{1,6})?";
    prop_oneof![
        (0_i64..100_000_000, proptest::sample::select(&["EUR", "JPY", "KWD", "CLF"][..]))
            .prop_map(|(amount, currency)| { (json!({"name": "major_units", "currency": currency}), json!(amount)) }),
        (-1_000_000_i64..1_000_000).prop_map(|cents| (
            json!({"name": "minor_units", "currency": "EUR"}),
            json!(format!("{}.{:02}", cents.abs(), cents.unsigned_abs() % 100).parse::<f64>().unwrap_or(0.0))
        )),
        proptest::collection::vec(item, 1..5).prop_map(|items| (json!({"name": "join", "separator": ", "}), json!(items))),
        proptest::collection::vec(item, 1..5).prop_map(|items| (json!({"name": "split"}), json!(items.join(";")))),
        ".{1,20}".prop_map(|text| (json!({"name": "prefix", "text": "x:"}), json!(text))),
        ".{1,20}".prop_map(|text| (json!({"name": "suffix", "text": "!"}), json!(text))),
        (1970_i32..2100, 1_u32..13, 1_u32..29).prop_map(|(year, month, day)| {
            (
                json!({"name": "date_format", "from": "date", "to": "%d.%m.%Y", "zone": "America/New_York"}),
                json!(format!("{year:04}-{month:02}-{day:02}")),
            )
        }),
        (0_i64..4_000_000_000_000)
            .prop_map(|ms| (json!({"name": "date_format", "from": "datetime_ms", "to": "datetime_offset"}), json!(ms))),
        proptest::collection::hash_map("[a-z]{1,3}", -5_i32..5, 1..4).prop_map(|object| (json!("json_text"), json!(object))),
    ]
}

/// Any transformer, and any value.
fn anything() -> impl Strategy<Value = (Value, Value)> {
    let transformer = prop_oneof![
        Just(json!("trim")),
        Just(json!("lower")),
        Just(json!("upper")),
        Just(json!("title")),
        Just(json!("digits")),
        Just(json!(["trim", "title"])),
        Just(json!({"name": "truncate", "length": 5})),
        Just(json!({"name": "phone_e164", "country": "DE"})),
        Just(json!({"name": "minor_units", "currency": "EUR"})),
        Just(json!({"name": "split", "separator": ","})),
        Just(json!({"name": "join", "separator": ","})),
        Just(json!({"name": "date_format", "from": "%Y-%m-%d", "to": "date_ms"})),
    ];
    let value = prop_oneof![
        ".{0,12}".prop_map(Value::from),
        "\\+?[0-9 ()/-]{0,16}".prop_map(Value::from),
        "[0-9]{4}-[0-1][0-9]-[0-3][0-9]".prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e6..1e6).prop_map(|number: f64| json!(number)),
        proptest::collection::vec("[a-z,]{0,4}".prop_map(Value::from), 0..3).prop_map(Value::Array),
        Just(Value::Null),
        Just(json!(true)),
    ];
    (transformer, value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn named_inverses_lead_back((transformer, value) in lossless()) {
        let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": transformer}]));
        let there = there(&mapping, &value);
        prop_assert_eq!(&there.problems, &Vec::new());
        let back = here(&mapping, &there);
        prop_assert_eq!(&back.problems, &Vec::new());
        prop_assert_eq!(as_source(&back), value);
    }

    #[test]
    fn what_came_from_there_goes_back_as_it_was((transformer, value) in anything()) {
        let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": transformer}]));
        let first = there(&mapping, &value);
        if first.problems.is_empty() {
            let back = here(&mapping, &first);
            prop_assert_eq!(&back.problems, &Vec::new());
            let second = there(&mapping, &as_source(&back));
            prop_assert_eq!(&second.problems, &Vec::new());
            prop_assert_eq!(first.values, second.values);
        }
    }

    #[test]
    fn value_maps_lead_back(table in proptest::collection::hash_map("[a-z]{1,4}", "[A-Z]{1,6}", 1..8), index in any::<prop::sample::Index>()) {
        let distinct = table.values().collect::<std::collections::HashSet<_>>().len();
        prop_assume!(distinct == table.len());
        let keys: Vec<&String> = table.keys().collect();
        let value = json!(keys[index.index(keys.len())]);
        let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "valueMap": table}]));
        prop_assert_eq!(as_source(&here(&mapping, &there(&mapping, &value))), value);
    }
}
