//! Whether a change may take effect.

use std::sync::Arc;

use blueprint::{Blueprint, Finding, Verdict};
use kernel::{Result, Scope};

use crate::{Objection, Products};

/// Most reasons that one refusal names.
const MOST_REASONS: usize = 5;

/// How much a change may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Nothing that anybody relies on: servers run, and partners call them.
    Promises,
    /// Promises may be broken, in full knowledge; what is stored may not be contradicted.
    Data,
}

/// What a change would do.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Every difference, those that break callers or receivers first.
    pub findings: Vec<Finding>,
    /// What live data have against it.
    pub objections: Vec<Objection>,
}

impl Judgement {
    /// The differences that break callers or receivers.
    pub fn breaking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Breaking)
    }

    /// Why the change may not take effect, in words; none: it may.
    pub fn refusal(&self, strictness: Strictness) -> Option<String> {
        if !self.objections.is_empty() {
            return Some(format!("what is stored contradicts it ({})", listed(self.objections.iter().map(ToString::to_string))));
        }
        if strictness == Strictness::Data || self.breaking().next().is_none() {
            return None;
        }
        let reasons = listed(self.breaking().map(|finding| format!("{}: {}", finding.place, finding.message)));
        Some(format!("it breaks those who rely on the present one ({reasons})"))
    }
}

fn listed(reasons: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = reasons.collect();
    let more = all.len().saturating_sub(MOST_REASONS);
    let shown = all[..all.len() - more].join("; ");
    if more > 0 { format!("{shown}; and {more} more") } else { shown }
}

impl Products {
    /// What the change from `old` to `new` would do. Looks at what is stored.
    pub async fn judge(&self, old: &Arc<Blueprint>, new: &Arc<Blueprint>) -> Result<Judgement> {
        let findings = blueprint::compare(old, new);
        let (old, new, objectors) = (Arc::clone(old), Arc::clone(new), Arc::clone(&self.objectors));
        let objections = self
            .store
            .read(Scope::system("products"), move |tx| {
                let mut all = Vec::new();
                for objector in objectors.iter() {
                    all.extend(objector(tx, &old, &new)?);
                }
                Ok(all)
            })
            .await?;
        Ok(Judgement { findings, objections })
    }
}
