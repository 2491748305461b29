//! What a suite found, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::{Finding, Status};

/// All findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The receiver.
    pub url: String,
    /// In the order in which they were made.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every required check passed.
    pub fn is_good(&self) -> bool {
        self.findings.iter().all(|finding| finding.status == Status::Passed || !finding.required)
    }

    /// How many ended so.
    pub fn count(&self, status: Status) -> usize {
        self.findings.iter().filter(|finding| finding.status == status).count()
    }

    /// As JSON: `{"url", "passed", "findings": […]}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({"url": self.url, "passed": self.is_good(), "findings": self.findings})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let mark = match (finding.status, finding.required) {
                (Status::Passed, _) => "pass",
                (Status::Skipped, _) => "skip",
                (Status::Failed, true) => "FAIL",
                (Status::Failed, false) => "warn",
            };
            writeln!(f, "{mark}  {:<18}  {:<54}  {}", finding.check, finding.title, finding.detail)?;
        }
        for finding in self.findings.iter().filter(|finding| finding.status == Status::Failed) {
            writeln!(f, "\n{}: {}", finding.check, finding.advice.unwrap_or_default())?;
        }
        let (passed, all) = (self.count(Status::Passed), self.findings.len());
        let verdict = if self.is_good() { "certified" } else { "not certified" };
        write!(f, "\n{verdict}: {passed} of {all} checks passed")
    }
}
