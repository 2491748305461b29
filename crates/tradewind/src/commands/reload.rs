//! `tradewind reload`: every running server reads its blueprint again, and says what it made of it.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::ensure;
use kernel::{Ambient, NodeId};
use store::Store;
use switches::ReloadAnswer;
use tokio::time::Instant;

use super::answer;
use assembly::settings::Resolved;
use assembly::system::open_store;

/// How long servers may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often their answers are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(super) async fn run(settings: &Resolved) -> anyhow::Result<()> {
    ensure!(settings.has_database(), "there is no database in {}: is TRADEWIND_DATA_DIR right?", settings.data_dir.display());
    let store = open_store(settings, &Ambient::system(), false).await?;
    let servers = call(&store).await?;
    ensure!(servers > 0, "no server runs on this database");
    Ok(())
}

/// Has every running server read its blueprint again, and says what each made of it; answers how many there are. Error: one refused.
pub(super) async fn call(store: &Store) -> anyhow::Result<usize> {
    let call = switches::ask_to_reload(store).await?;
    let begun = Instant::now();
    let answers = loop {
        let answers: HashMap<NodeId, ReloadAnswer> =
            switches::answers(store, call.number).await?.into_iter().map(|answer| (answer.node, answer)).collect();
        if call.nodes.iter().all(|node| answers.contains_key(node)) || begun.elapsed() > PATIENCE {
            break answers;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let mut refused = 0;
    for node in &call.nodes {
        let line = answers.get(node).map_or_else(|| "no answer".to_owned(), |said| format!("{}: {}", said.outcome, said.detail));
        refused += usize::from(answers.get(node).is_none_or(|said| said.outcome == "refused"));
        answer(&format!("{node}  {line}"));
    }
    ensure!(refused == 0, "{refused} of {} servers keep the blueprint that they had", call.nodes.len());
    Ok(call.nodes.len())
}
