use serde_json::{Map, Value, json};

use crate::bed::{here, mapping, problems, record, scripts, there, values};

#[tokio::test]
async fn a_function_gets_the_value_and_the_record() {
    let mapping = mapping(json!([
        {"localField": "email", "remoteField": "Email", "transformer": "v => v.trim().toLowerCase()", "bidirectional": true},
        {"localField": "name", "remoteField": "Name", "bidirectional": false, "transformer": {"javascript": "(v, r) => `${v} (${r.email.trim()})`"}},
    ]));
    let ours = json!({"email": " A@B.co ", "name": "Ada"});
    assert_eq!(values(there(&mapping, ours).await), json!({"Email": "a@b.co", "Name": "Ada (A@B.co)"}));
    assert_eq!(values(here(&mapping, json!({"Email": "C@D.ef"})).await), json!({"email": "C@D.ef"}), "there is no way back but as it is");
    let warned: Vec<&str> = mapping.warnings().iter().map(|warning| warning.field.as_str()).collect();
    assert_eq!(warned, ["/fieldMappings/0/transformer"], "and the mapping says so");
}

#[tokio::test]
async fn a_function_s_fault_is_one_record_s_problem() {
    let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": "v => v.trim()", "toLocal": "v => v + '!'"}]));
    let records: Vec<Map<String, Value>> =
        [json!({"v": " a "}), json!({"v": 1}), json!({"v": null}), json!({"v": "b "})].map(record).into();
    let mapped = mapping.to_remote(&scripts(), &records).await;
    assert_eq!(mapped[0].values["V"], "a");
    assert_eq!(problems(&mapped[1]), [("javascript", "V")]);
    assert_eq!(mapped[1].problems[0].value.as_deref(), Some("1"));
    assert_eq!(mapped[2].values["V"], Value::Null, "nothing is not given to a function");
    assert_eq!(mapped[3].values["V"], "b");
    assert_eq!(values(here(&mapping, json!({"V": "x"})).await), json!({"v": "x!"}));
}

#[tokio::test]
async fn thousands_of_records_take_few_runs() {
    let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": "v => v * 2"}]));
    let records: Vec<Map<String, Value>> = (0..2_000).map(|v| record(json!({ "v": v }))).collect();
    let mapped = mapping.to_remote(&scripts(), &records).await;
    for (index, mapped) in mapped.iter().enumerate() {
        assert_eq!(mapped.values["V"], json!(index * 2));
    }
}

#[tokio::test]
async fn a_function_that_does_not_end_ends_as_a_problem() {
    let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": "v => { while (true) {} }"}]));
    let refused = there(&mapping, json!({"v": 1})).await;
    assert_eq!(problems(&refused), [("javascript", "V")]);
    assert!(!refused.problems[0].passes(), "the function is at fault");
}

#[tokio::test]
async fn functions_are_checked_before_they_are_used() {
    let fields = json!([
        {"localField": "a", "remoteField": "A", "transformer": "v => v."},
        {"localField": "b", "remoteField": "B", "transformer": "v => v", "toLocal": "'no function'"},
        {"localField": "c", "remoteField": "C", "validate": {"custom": "v => v > 1"}},
        {"localField": "d", "remoteField": "D", "validate": {"custom": "(v =>"}},
    ]);
    let faults = mapping(fields).check(&scripts()).await.unwrap_err();
    let places: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(places, ["/fieldMappings/0/transformer", "/fieldMappings/1/toLocal", "/fieldMappings/3/validate/custom"]);
}

#[tokio::test]
async fn a_rule_of_one_s_own_says_yes_no_or_why_not() {
    let custom = "v => v.startsWith('A') ? true : v === 'B' ? 'B is taken' : false";
    let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "validate": {"custom": custom}}]));
    assert!(there(&mapping, json!({"v": "Ada"})).await.problems.is_empty());
    let taken = there(&mapping, json!({"v": "B"})).await;
    assert_eq!((problems(&taken)[0], taken.problems[0].message.as_str()), (("custom", "V"), "B is taken"));
    assert_eq!(problems(&there(&mapping, json!({"v": "C"})).await), [("custom", "V")]);
    assert_eq!(problems(&there(&mapping, json!({"v": 1})).await), [("javascript", "V")]);
}

#[tokio::test]
async fn functions_have_neither_clock_nor_chance() {
    let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": "v => [Date.now(), Math.random()]"}]));
    let (one, two) = (there(&mapping, json!({"v": 1})).await, there(&mapping, json!({"v": 1})).await);
    assert_eq!(one, two);
    assert_eq!(one.values["V"][0], json!(1_795_305_600_000_i64));
}

/// One record on which a function fails in whatever way has the problem; the others of its slice have their values.
#[tokio::test]
async fn one_poisonous_record_does_not_spoil_the_others() {
    for (name, poison) in [
        ("loop", "while (true) {}"),
        ("bigint", "return 1n"),
        ("bigint inside", "return { n: [1n] }"),
        ("surrogate", "return '\\ud800'"),
        ("surrogate inside", "return ['\\ud800']"),
        ("huge", "return 'x'.repeat(2_000_000)"),
        ("huge inside", "return ['x'.repeat(2_000_000)]"),
        ("promise", "return Promise.resolve(1)"),
        ("memory", "const all = []; while (true) all.push(new Array(10_000).fill(1))"),
    ] {
        let function = format!("v => {{ if (v === 137) {{ {poison} }} return v + 1; }}");
        let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": function}]));
        let records: Vec<Map<String, Value>> = (0..300).map(|v| record(json!({ "v": v }))).collect();
        for (index, mapped) in mapping.to_remote(&scripts(), &records).await.iter().enumerate() {
            if index == 137 {
                assert_eq!(problems(mapped), [("javascript", "V")], "{name}");
            } else {
                assert_eq!(
                    (mapped.values.get("V"), mapped.problems.len()),
                    (Some(&json!(index + 1)), 0),
                    "{name} {index} {:?}",
                    mapped.problems
                );
            }
        }
    }
}

/// A function that never ends costs a bounded number of runs, whatever the slice.
#[tokio::test]
async fn a_function_that_never_ends_is_given_up() {
    let mapping = mapping(json!([{"localField": "v", "remoteField": "V", "transformer": "v => { while (true) {} }"}]));
    let records: Vec<Map<String, Value>> = (0..500).map(|v| record(json!({ "v": v }))).collect();
    let begun = std::time::Instant::now();
    let mapped = mapping.to_remote(&scripts(), &records).await;
    assert!(mapped.iter().all(|mapped| problems(mapped) == [("javascript", "V")]));
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_async_function_is_refused() {
    let mapping = mapping(json!([{"localField": "a", "remoteField": "A", "transformer": "async v => v"}]));
    let faults = mapping.check(&scripts()).await.unwrap_err();
    assert_eq!(faults[0].field, "/fieldMappings/0/transformer");
    assert!(faults[0].message.contains("not a promise"), "{faults:?}");
    assert_eq!(problems(&there(&mapping, json!({"a": 1})).await), [("javascript", "A")]);
}
