//! A mapping applied to records: field by field for all of them, so that a function runs once for the whole slice.

use serde_json::{Map, Value};

use crate::forms::convert;
use crate::mapping::{Field, Mapped, Mapping, Way};
use crate::path;
use crate::problem::{Problem, UNAVAILABLE};
use crate::scripts::{Refusal, Script, Scripts};
use crate::transforms::Step;

/// A value on its way.
enum Cell {
    /// The record does not have the field: nothing is written.
    Absent,
    Value(Value),
    /// It cannot go; why has been said.
    Failed,
}

/// Which way.
#[derive(Clone, Copy)]
enum Toward {
    Remote,
    Local,
}

impl Mapping {
    /// Our records (nested, or flat maps of paths) as the vendor's; one answer per record, in order. A field that a record does not have is
    /// absent, unless it has a default.
    pub async fn to_remote(&self, scripts: &Scripts, records: &[Map<String, Value>]) -> Vec<Mapped> {
        self.apply(Toward::Remote, scripts, records).await
    }

    /// The vendor's records as ours (flat: by path). What a record does not carry stays as it is: absent, also where the field has a default;
    /// a default takes the place of `null`.
    pub async fn to_local(&self, scripts: &Scripts, records: &[Map<String, Value>]) -> Vec<Mapped> {
        self.apply(Toward::Local, scripts, records).await
    }

    /// Runs every function once, on nothing.
    ///
    /// Errors: which are none, by their place.
    pub async fn check(&self, scripts: &Scripts) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            for (member, script) in field.scripts() {
                if let Err(refusal) = scripts.check(script).await {
                    problems.push(said(&refusal, &format!("/fieldMappings/{index}/{member}"), None));
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Whether it has functions of the tenant's.
    pub fn has_scripts(&self) -> bool {
        self.fields.iter().any(|field| field.scripts().next().is_some())
    }

    async fn apply(&self, toward: Toward, scripts: &Scripts, records: &[Map<String, Value>]) -> Vec<Mapped> {
        let mut mapped = vec![Mapped::default(); records.len()];
        for field in &self.fields {
            let Some((target, way)) = field.toward(toward) else { continue };
            let run = Run { field, way, toward, target, scripts, records };
            let mut cells = run.sources();
            run.values(&mut cells, &mut mapped).await;
            run.rules(&mut cells, &mut mapped).await;
            for (cell, mapped) in cells.into_iter().zip(&mut mapped) {
                if let Cell::Value(value) = cell {
                    mapped.values.insert(target.to_owned(), value);
                }
            }
        }
        mapped
    }
}

impl Field {
    fn toward(&self, toward: Toward) -> Option<(&str, &Way)> {
        match toward {
            Toward::Remote if self.direction.to_remote() => Some((self.remote.as_deref()?, &self.to_remote)),
            Toward::Local if self.direction.to_local() => Some((self.local.as_deref()?, &self.to_local)),
            _ => None,
        }
    }

    fn scripts(&self) -> impl Iterator<Item = (&'static str, &Script)> {
        let main = if self.direction.to_remote() { &self.to_remote } else { &self.to_local };
        let back = (self.direction.to_remote() && self.direction.to_local()).then_some(&self.to_local);
        let main = [("transformer", "validate/custom", main)];
        let back = back.map(|way| ("toLocal", "validateLocal/custom", way));
        main.into_iter().chain(back).flat_map(|(steps, custom, way)| {
            let in_steps = way.steps.iter().filter_map(move |step| match step {
                Step::Script(script) => Some((steps, script)),
                Step::Named(_) => None,
            });
            in_steps.chain(way.rules.custom.as_ref().map(|script| (custom, script)))
        })
    }
}

/// One field of all records.
struct Run<'a> {
    field: &'a Field,
    way: &'a Way,
    toward: Toward,
    target: &'a str,
    scripts: &'a Scripts,
    records: &'a [Map<String, Value>],
}

impl Run<'_> {
    fn sources(&self) -> Vec<Cell> {
        let cell = |record| match self.source(record) {
            Some(value) => Cell::Value(value.clone()),
            // A value that other fields make up, and one that stands in for nothing, need no source.
            None if self.makes_up(record) => Cell::Value(Value::Null),
            None => Cell::Absent,
        };
        self.records.iter().map(cell).collect()
    }

    fn source<'r>(&'r self, record: &'r Map<String, Value>) -> Option<&'r Value> {
        if let Some(constant) = &self.field.constant {
            return Some(constant);
        }
        match self.toward {
            Toward::Remote => self.field.local.as_deref().and_then(|name| path::get(record, name)),
            Toward::Local => self.field.remote.as_deref().and_then(|name| record.get(name)),
        }
    }

    fn makes_up(&self, record: &Map<String, Value>) -> bool {
        let reads_something = self.way.steps.iter().flat_map(Step::reads).any(|name| path::get(record, name).is_some());
        reads_something || (matches!(self.toward, Toward::Remote) && self.way.default.is_some())
    }

    /// Transforms, value map, type, default; on the way back the value map comes first, as the last thing that was done there.
    async fn values(&self, cells: &mut [Cell], mapped: &mut [Mapped]) {
        if let (Toward::Local, Some(map)) = (self.toward, &self.field.value_map) {
            self.each(cells, mapped, "valueMap", |value, _| map.back(value));
        }
        for step in &self.way.steps {
            match step {
                Step::Named(named) => self.each(cells, mapped, step.name(), |value, record| named.apply(value, record)),
                Step::Script(script) => self.function(script, cells, mapped).await,
            }
        }
        if let (Toward::Remote, Some(map)) = (self.toward, &self.field.value_map) {
            self.each(cells, mapped, "valueMap", |value, _| map.there(value));
        }
        if let Some(form) = self.way.to {
            self.each(cells, mapped, form.name(), |value, _| convert(value, self.way.from, form));
        }
        if let Some(default) = &self.way.default {
            for cell in cells {
                if matches!(cell, Cell::Value(value) if crate::rules::is_empty(value)) {
                    *cell = Cell::Value(default.clone());
                }
            }
        }
    }

    fn each(
        &self,
        cells: &mut [Cell],
        mapped: &mut [Mapped],
        rule: &str,
        change: impl Fn(Value, &Map<String, Value>) -> Result<Value, String>,
    ) {
        for ((cell, mapped), record) in cells.iter_mut().zip(mapped).zip(self.records) {
            let Cell::Value(value) = cell else { continue };
            match change(std::mem::take(value), record) {
                Ok(changed) => *value = changed,
                Err(fault) => {
                    // What the record says is more use than what the steps before made of it.
                    let found = self.source(record).unwrap_or(&Value::Null);
                    mapped.problems.push(Problem::new(rule, self.target, fault).with(found));
                    *cell = Cell::Failed;
                }
            }
        }
    }

    async fn function(&self, script: &Script, cells: &mut [Cell], mapped: &mut [Mapped]) {
        let (at, results) = self.results(script, cells).await;
        for (index, result) in at.into_iter().zip(results) {
            let Cell::Value(value) = &mut cells[index] else { continue };
            match result {
                Ok(made) => *value = made,
                Err(refusal) => {
                    mapped[index].problems.push(said(&refusal, self.target, Some(value)));
                    cells[index] = Cell::Failed;
                }
            }
        }
    }

    /// The function's results for the values that are there, and which those are.
    async fn results(&self, script: &Script, cells: &[Cell]) -> (Vec<usize>, Vec<Result<Value, Refusal>>) {
        let mut at = Vec::new();
        let mut given = Vec::new();
        for (index, (cell, record)) in cells.iter().zip(self.records).enumerate() {
            if let Cell::Value(value) = cell
                && !value.is_null()
            {
                at.push(index);
                given.push((value, record));
            }
        }
        let results = self.scripts.run(script, &given).await;
        (at, results)
    }

    async fn rules(&self, cells: &mut [Cell], mapped: &mut [Mapped]) {
        let rules = &self.way.rules;
        for (cell, mapped) in cells.iter().zip(&mut *mapped) {
            let nothing = Value::Null;
            let value = match (cell, self.toward) {
                (Cell::Value(value), _) => value,
                // Our record is whole: what it does not have is not there.
                (Cell::Absent, Toward::Remote) => &nothing,
                _ => continue,
            };
            for (rule, message) in rules.broken(value) {
                mapped.problems.push(Problem::new(rule, self.target, message).with(value));
            }
        }
        let Some(custom) = &rules.custom else { return };
        let (at, results) = self.results(custom, cells).await;
        for (index, result) in at.into_iter().zip(results) {
            let Cell::Value(value) = &cells[index] else { continue };
            let message = match result {
                Ok(Value::Bool(true)) => continue,
                Ok(Value::String(message)) => message.chars().take(200).collect(),
                Ok(_) => "the rule's function does not accept it".to_owned(),
                Err(refusal) => {
                    mapped[index].problems.push(said(&refusal, self.target, Some(value)));
                    continue;
                }
            };
            mapped[index].problems.push(Problem::new("custom", self.target, message).with(value));
        }
    }
}

fn said(refusal: &Refusal, at: &str, value: Option<&Value>) -> Problem {
    let rule = if refusal.passes { UNAVAILABLE } else { "javascript" };
    let problem = Problem::new(rule, at, refusal.message.clone());
    match value {
        Some(value) => problem.with(value),
        None => problem,
    }
}
