//! `tradewind job-secret`: works on the data directory or database, with the server up or down.

use anyhow::ensure;
use blueprint::model::JobExecutor;
use kernel::Ambient;

use super::answer;
use assembly::settings::Resolved;
use assembly::system::open_store;

pub(super) async fn run(settings: &Resolved, name: &str) -> anyhow::Result<()> {
    let blueprint = blueprint::load(&settings.blueprint)?;
    let called = |job: &&blueprint::model::JobType| matches!(job.executor, JobExecutor::Http { .. });
    let names: Vec<&str> = blueprint.jobs.iter().filter(called).map(|job| job.name.as_str()).collect();
    let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
    ensure!(names.contains(&name), "the blueprint {} has no jobs {name:?} for which a host is called: {known}", settings.blueprint);
    let store = open_store(settings, &Ambient::system(), false).await?;
    let installation = jobs::installation_secret(&store).await?;
    answer(jobs::signing_secret(&installation, name).reveal());
    Ok(())
}
