//! What the tests share.

use kernel::{TenantId, Timestamp};
use mappings::{Mapped, Mapping, MappingInput, Problem, Scripts};
use script::Engine;
use serde_json::{Map, Value, json};

#[allow(clippy::needless_pass_by_value, reason = "it is called with json!(…)")]
pub(crate) fn input(fields: Value) -> MappingInput {
    serde_json::from_value(json!({ "fieldMappings": fields })).expect("the test's mapping can be read")
}

pub(crate) fn mapping(fields: Value) -> Mapping {
    Mapping::compile(&input(fields)).expect("the test's mapping is whole")
}

/// Rule and place of every fault.
pub(crate) fn faults(input: &MappingInput) -> Vec<(String, String)> {
    let problems = Mapping::compile(input).expect_err("the mapping must be refused");
    problems.into_iter().map(|problem| (problem.rule, problem.field)).collect()
}

pub(crate) fn scripts() -> Scripts {
    let tenant: TenantId = "ten_01h455vb4pex5vsknk084sn02q".parse().expect("a tenant's id");
    Scripts::new(Engine::threads(1), tenant, Timestamp::from_millis(1_795_305_600_000))
}

pub(crate) fn record(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(record) => record,
        other => panic!("{other} is no record"),
    }
}

pub(crate) async fn there(mapping: &Mapping, value: Value) -> Mapped {
    mapping.to_remote(&scripts(), &[record(value)]).await.remove(0)
}

pub(crate) async fn here(mapping: &Mapping, value: Value) -> Mapped {
    mapping.to_local(&scripts(), &[record(value)]).await.remove(0)
}

/// The values of a record without problems.
pub(crate) fn values(mapped: Mapped) -> Value {
    assert_eq!(mapped.problems, Vec::<Problem>::new());
    Value::Object(mapped.values)
}

/// Rule and field of each problem.
pub(crate) fn problems(mapped: &Mapped) -> Vec<(&str, &str)> {
    mapped.problems.iter().map(|problem| (problem.rule.as_str(), problem.field.as_str())).collect()
}
