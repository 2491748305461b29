//! The declared types, with compiled schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use blueprint::model::{JobExecutor, JobType};
use blueprint::{Blueprint, Schema};
use kernel::{Error, FieldError, Result};
use serde_json::Value;

/// A type of job.
pub(crate) struct Kind {
    pub(crate) declared: JobType,
    input: Schema,
    result: Option<Schema>,
}

impl Kind {
    pub(crate) fn name(&self) -> &str {
        &self.declared.name
    }

    /// Whether programs lease its jobs; otherwise the host is called.
    pub(crate) fn is_leased(&self) -> bool {
        self.declared.executor == JobExecutor::Worker
    }

    /// Error: 422 `validation_failed`, each fault under `prefix`.
    pub(crate) fn check_input(&self, input: &Value, prefix: &str) -> Result<()> {
        refuse(self.input.check(input, prefix))
    }

    /// Error: 422 `validation_failed`, each fault under `/result`.
    pub(crate) fn check_result(&self, result: &Value) -> Result<()> {
        refuse(self.result.as_ref().map_or_else(Vec::new, |schema| schema.check(result, "/result")))
    }
}

fn refuse(faults: Vec<FieldError>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::invalid("validation_failed", "The request breaks a rule; see errors.").with_fields(faults))
}

/// All of them.
pub(crate) struct Catalogue(BTreeMap<String, Arc<Kind>>);

impl Catalogue {
    pub(crate) fn new(blueprint: &Blueprint) -> Result<Self> {
        let compile = |schema: &Value| Schema::compile(schema).map_err(Error::internal);
        let kind = |declared: &JobType| {
            let input = compile(&declared.input)?;
            let result = declared.result.as_ref().map(compile).transpose()?;
            Ok((declared.name.clone(), Arc::new(Kind { declared: declared.clone(), input, result })))
        };
        blueprint.jobs.iter().map(kind).collect::<Result<_>>().map(Self)
    }

    /// None: not, or no longer, declared.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Kind>> {
        self.0.get(name)
    }

    /// Error: 422 `unknown_job_type`, at `/type`.
    pub(crate) fn get(&self, name: &str) -> Result<&Arc<Kind>> {
        self.find(name).ok_or_else(|| unknown("/type", self))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.0.values()
    }
}

/// 422 `unknown_job_type`.
pub(crate) fn unknown(pointer: impl Into<String>, catalogue: &Catalogue) -> Error {
    let names: Vec<&str> = catalogue.all().map(|kind| kind.name()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Error::invalid("unknown_job_type", format!("There is no job of this type. The product declares: {known}."))
        .at(pointer, "is not declared")
}
