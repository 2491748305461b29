//! Tenants' functions, run for many records at once.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use kernel::id::TypedId as _;
use kernel::{TenantId, Timestamp};
use script::{Engine, Fault, FaultKind, Function, MAX_SOURCE, Moment, Party};
use serde_json::{Map, Value};

use crate::bounds::{SCRIPT_BYTES, SCRIPT_RECORDS};

/// Before and after the source: `f` for each value; a fault of one value is that value's only, as is a result that no JSON can carry.
const BEFORE: &str = "(values, records) => { const f = (";
const AFTER: &str = "\n); if (typeof f !== 'function') throw new TypeError('it is not a function'); \
                     const promise = 'a function must give a value, not a promise: write it without async'; \
                     if (Object.prototype.toString.call(f) === '[object AsyncFunction]') throw new TypeError(promise); \
                     const sound = made => { if (made === undefined || made === null) return null; \
                     if (typeof made === 'bigint' || typeof made === 'symbol' || typeof made === 'function') \
                     throw new TypeError(`a ${typeof made} is no value that a field can have`); \
                     if (typeof made === 'string' && made.length > 262144) throw new RangeError('the result is longer than 256 KB'); \
                     if (typeof made === 'string' && !made.isWellFormed()) throw new TypeError('the result is no whole Unicode text'); \
                     if (typeof made.then === 'function') throw new TypeError(promise); return made; }; \
                     return values.map((value, i) => { try { return [sound(f(value, records[i]))]; } catch (fault) { return [null, \
                     String((fault && fault.message) || fault).slice(0, 200)]; } }); }";
/// Into how many parts a run is taken apart that failed as a whole: few of them fail again, so the engine sees runs that end well between.
const PARTS: usize = 16;
/// Runs of one slice that may fail before the rest is given up: each costs [`script::TIME_LIMIT`] at most.
const MAX_FAILED_RUNS: usize = 30;

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
    /// It may be one value's doing: without that one the others may have results.
    splits: bool,
}

impl Refusal {
    fn of_value(message: &str) -> Self {
        Self { message: message.to_owned(), passes: false, splits: true }
    }
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

    /// The function's result for each value. Values are given in parts of bounded size, each in one run. A run that fails as a whole (one value
    /// on which the function does not end) is taken apart until only that value has no result, within bounds.
    pub(crate) async fn run(&self, script: &Script, values: &[(&Value, &Map<String, Value>)]) -> Vec<Result<Value, Refusal>> {
        let mut results: Vec<Result<Value, Refusal>> = vec![Ok(Value::Null); values.len()];
        let mut waiting = batches(script, values);
        let mut failed = 0;
        while let Some(part) = waiting.pop_front() {
            let mut batch = Batch::default();
            for (value, record) in &values[part.clone()] {
                batch.add(script, value, record);
            }
            let answer = self.call(script, &batch.arguments()).await.and_then(|answer| read(&answer, part.len()));
            match answer {
                Ok(found) => found.into_iter().zip(&mut results[part]).for_each(|(found, place)| *place = found),
                Err(refusal) => {
                    failed += 1;
                    if refusal.splits && part.len() > 1 && failed < MAX_FAILED_RUNS {
                        let step = part.len().div_ceil(PARTS);
                        waiting.extend(part.clone().step_by(step).map(|begin| begin..part.end.min(begin + step)));
                    } else {
                        results[part].fill(Err(refusal));
                    }
                }
            }
        }
        results
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
}

impl Batch {
    fn add(&mut self, script: &Script, value: &Value, record: &Map<String, Value>) {
        push(&mut self.values, &value.to_string());
        if script.takes_record {
            push(&mut self.records, &written(record));
        }
    }

    fn arguments(&self) -> String {
        format!("[[{}],[{}]]", self.values, self.records)
    }
}

/// Which values go into one run.
fn batches(script: &Script, values: &[(&Value, &Map<String, Value>)]) -> VecDeque<Range<usize>> {
    let mut parts = VecDeque::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, (value, record)) in values.iter().enumerate() {
        bytes += value.to_string().len() + if script.takes_record { written(record).len() } else { 0 };
        if index + 1 - begin == SCRIPT_RECORDS || bytes >= SCRIPT_BYTES {
            parts.push_back(begin..index + 1);
            (begin, bytes) = (index + 1, 0);
        }
    }
    if begin < values.len() {
        parts.push_back(begin..values.len());
    }
    parts
}

fn written(record: &Map<String, Value>) -> String {
    serde_json::to_string(record).unwrap_or_else(|_| "null".to_owned())
}

fn push(list: &mut String, item: &str) {
    if !list.is_empty() {
        list.push(',');
    }
    list.push_str(item);
}

fn read(answer: &str, count: usize) -> Result<Vec<Result<Value, Refusal>>, Refusal> {
    let shape = || Refusal::of_value("the function's result is no value that a field can have");
    let answers: Vec<Vec<Value>> = serde_json::from_str(answer).map_err(|_| shape())?;
    if answers.len() != count {
        return Err(shape());
    }
    let one = |answer: Vec<Value>| {
        let mut parts = answer.into_iter();
        let made = parts.next().unwrap_or(Value::Null);
        match parts.next() {
            Some(Value::String(message)) => Err(Refusal::of_value(&message)),
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
        let splits = !matches!(fault.kind, FaultKind::Unavailable | FaultKind::Syntax);
        Self { message: fault.to_string(), passes: fault.kind == FaultKind::Unavailable, splits }
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
