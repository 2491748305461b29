//! What jobs have against a changed blueprint: their type is gone while they have not ended, or while a schedule starts them.

use blueprint::Blueprint;
use kernel::Result;
use products::Objection;
use store::Tx;

/// Types of jobs that are under way or scheduled, and that `new` does not declare any more.
pub fn objections(tx: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let mut out = Vec::new();
    for kind in old.jobs.iter().filter(|kind| !new.jobs.iter().any(|now| now.name == kind.name)) {
        let name = kind.name.as_str();
        let open = "SELECT COUNT(*) FROM jobs WHERE type = ?1 AND state IN ('ready', 'held', 'waiting', 'processing')";
        let jobs: u64 = tx.query_one(open, &[name.into()], |row| row.get(0))?;
        let schedules: u64 = tx.query_one("SELECT COUNT(*) FROM job_schedules WHERE type = ?1", &[name.into()], |row| row.get(0))?;
        if jobs + schedules > 0 {
            out.push(Objection {
                code: "job_type_in_use",
                place: format!("jobs[{name:?}]"),
                reason: format!("the type is gone, and {jobs} of its jobs have not ended and {schedules} schedules start some"),
                way_out:
                    "let them end or cancel them, and delete the schedules first (/api/v1/job-schedules), or leave the type in the file"
                        .to_owned(),
            });
        }
    }
    Ok(out)
}
