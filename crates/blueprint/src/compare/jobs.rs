//! Types of jobs: what callers may send, and what they were promised to get.

use super::{Findings, Kind, Reliance, compare_schemas};
use crate::model::{Blueprint, JobType};
use serde_json::json;

const JOBS: Kind = Kind { section: "jobs", word: "type of job", removed: "job_removed", added: "job_added" };

pub(super) fn compare(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    report.names(JOBS, old.jobs.iter().map(|job| job.name.as_str()), new.jobs.iter().map(|job| job.name.as_str()));
    for was in &old.jobs {
        if let Some(now) = new.job(&was.name) {
            job(was, now, new, report);
        }
    }
}

fn job(was: &JobType, now: &JobType, new: &Blueprint, report: &mut Findings) {
    let place = format!("jobs[{:?}]", was.name);
    report.list.extend(compare_schemas(&was.input, &now.input, Reliance::Writer, &format!("{place}.input")));
    let (before, after) = (was.result.clone().unwrap_or_else(|| json!({})), now.result.clone().unwrap_or_else(|| json!({})));
    if before != after {
        report.list.extend(compare_schemas(&before, &after, Reliance::Reader, &format!("{place}.result")));
    }
    for (member, old_scope, scope) in [("scope", &was.scope, &now.scope), ("read_scope", &was.read_scope, &now.read_scope)] {
        if old_scope == scope {
            continue;
        }
        // Whoever held the old scope must still get in.
        let admitted = !old_scope.is_empty() && new.expand_scopes(std::slice::from_ref(old_scope)).contains(scope);
        if admitted || old_scope.is_empty() {
            report.compatible("job_scope_changed", format!("{place}.{member}"), "whoever could still can");
        } else {
            report.breaking("job_scope_changed", format!("{place}.{member}"), format!("{old_scope} was enough, and is not any more"));
        }
    }
    for (member, old_event, event) in [("completed", &was.completed, &now.completed), ("failed", &was.failed, &now.failed)] {
        if old_event != event {
            report.breaking("job_event_changed", format!("{place}.events.{member}"), "whoever listens for its end hears nothing any more");
        }
    }
}
