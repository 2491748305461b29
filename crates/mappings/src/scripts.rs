//! Tenants' functions, run for many records at once.

use std::sync::Arc;

use kernel::id::TypedId as _;
use kernel::{TenantId, Timestamp};
use script::{Engine, Fault, FaultKind, Function, MAX_SOURCE, Moment, Party};
use serde_json::{Map, Value};

use crate::bounds::{SCRIPT_BYTES, SCRIPT_RECORDS};

/// Before and after the source: `f` for each value, a fault of one value is that value's only.
const BEFORE: &str = "(values, records) => { const f = (";
const AFTER: &str = "\n); if (typeof f !== 'function') throw new TypeError('it is not a function'); return values.map((value, i) => { try { \
                     const made = f(value, records[i]); return [made === undefined ? null : made]; } catch (fault) { return [null, \
                     String((fault && fault.message) || fault).slice(0, 200)]; } }); }";

/// Where a tenant's functions run, and what they take for the present.
#[derive(Clone, Debug)]
pub struct Scripts {
    engine: Engine,
    owner: String,
    party: Party,
    moment: Moment,
}

/// A function: of a value, and of the record that it comes from where it has a second parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    source: Arc<str>,
    takes_record: bool,
}

/// Why a value has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    /// It is not the function's fault: later it may have one.
    pub(crate) passes: bool,
}

impl Scripts {
    /// A tenant's functions. `now` is what they take for the present.
    pub fn new(engine: Engine, tenant: TenantId, now: Timestamp) -> Self {
        let moment = Moment { now_ms: now.millis(), seed: 0 };
        Self { engine, owner: tenant.to_string(), party: Party(tenant.uuid().as_u128()), moment }
    }

    /// Whether the source is a function. What it says outside of it is run.
    pub(crate) async fn check(&self, script: &Script) -> Result<(), Refusal> {
        self.call(script, "[[],[]]").await.map(drop)
    }

    /// The function's result for each value. Values are given in parts of bounded size, each in one run.
    pub(crate) async fn run(&self, script: &Script, values: &[(&Value, &Map<String, Value>)]) -> Vec<Result<Value, Refusal>> {
        let mut results = Vec::with_capacity(values.len());
        let mut batch = Batch::default();
        for (value, record) in values {
            batch.add(script, value, record);
            if batch.count == SCRIPT_RECORDS || batch.bytes() >= SCRIPT_BYTES {
                self.run_batch(script, std::mem::take(&mut batch), &mut results).await;
            }
        }
        if batch.count > 0 {
            self.run_batch(script, batch, &mut results).await;
        }
        results
    }

    async fn run_batch(&self, script: &Script, batch: Batch, results: &mut Vec<Result<Value, Refusal>>) {
        let count = batch.count;
        let answer = self.call(script, &batch.arguments()).await.and_then(|answer| read(&answer, count));
        match answer {
            Ok(found) => results.extend(found),
            Err(refusal) => results.extend(std::iter::repeat_n(Err(refusal), count)),
        }
    }

    async fn call(&self, script: &Script, arguments: &str) -> Result<String, Refusal> {
        let source = format!("{BEFORE}{}{AFTER}", script.source);
        let function = Function::new(&self.owner, &source).map_err(Refusal::from)?;
        self.engine.call(self.party, &function, arguments, self.moment).await.map_err(Refusal::from)
    }
}

#[derive(Default)]
struct Batch {
    values: String,
    records: String,
    count: usize,
}

impl Batch {
    fn add(&mut self, script: &Script, value: &Value, record: &Map<String, Value>) {
        push(&mut self.values, &value.to_string());
        if script.takes_record {
            push(&mut self.records, &serde_json::to_string(record).unwrap_or_else(|_| "null".to_owned()));
        }
        self.count += 1;
    }

    fn bytes(&self) -> usize {
        self.values.len() + self.records.len()
    }

    fn arguments(&self) -> String {
        format!("[[{}],[{}]]", self.values, self.records)
    }
}

fn push(list: &mut String, item: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(item);
}

fn read(answer: &str, count: usize) -> Result<Vec<Result<Value, Refusal>>, Refusal> {
    let shape = || Refusal { message: "the function did not give one result per value".to_owned(), passes: false };
    let answers: Vec<Vec<Value>> = serde_json::from_str(answer).map_err(|_| shape())?;
    if answers.len() != count {
        return Err(shape());
    }
    let one = |answer: Vec<Value>| {
        let mut parts = answer.into_iter();
        let made = parts.next().unwrap_or(Value::Null);
        match parts.next() {
            Some(Value::String(message)) => Err(Refusal { message, passes: false }),
            Some(_) => Err(shape()),
            None => Ok(made),
        }
    };
    Ok(answers.into_iter().map(one).collect())
}

impl Script {
    /// Errors: it is empty or too long; whether it is a function shows when it is run ([`Scripts::check`]).
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let source = source.trim().trim_end_matches(';').trim_end();
        if source.is_empty() {
            return Err("a function was expected: v => v.trim()".to_owned());
        }
        if source.len() + BEFORE.len() + AFTER.len() > MAX_SOURCE {
            return Err(format!("a function has at most {} KB", MAX_SOURCE / 1024));
        }
        Ok(Self { source: source.into(), takes_record: takes_record(source) })
    }
}

/// Whether the function has a second parameter, as far as its head tells; giving it the record for nothing costs time only.
fn takes_record(source: &str) -> bool {
    let head = source.find("=>").map_or(source, |end| &source[..end]);
    let head = if head.trim_start().starts_with("function") { source.find('{').map_or(source, |end| &source[..end]) } else { head };
    head.contains([',', '.']) || source.contains("arguments")
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { message: fault.to_string(), passes: fault.kind == FaultKind::Unavailable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_function_says_whether_it_wants_the_record() {
        for source in ["(v, r) => r.a", "function (v, r) { return r.a }", "(...all) => all[1]", "function () { return arguments[1] }"] {
            assert!(takes_record(source), "{source}");
        }
        for source in ["v => v.replace(',', '')", "(v) => v.split(', ')", "function (v) { return v.replace(/a/, 'b') }"] {
            assert!(!takes_record(source), "{source}");
        }
    }
}
