//! `tradewind doctor --url`: the verdict about a receiver's URL, step by step.

use web::outbound::Step;

use super::{Finding, State};
use assembly::settings::Resolved;

/// The steps up to the one that refuses. A name without an address is no refusal: a webhook may be made, and its deliveries wait.
pub(super) async fn look(settings: &Resolved, url: &str) -> anyhow::Result<Vec<Finding>> {
    let client = settings.outbound()?;
    let steps = client.explain(url).await;
    let mut findings: Vec<Finding> = steps.into_iter().map(finding).collect();
    findings.push(match client.verdict(url).await {
        Ok(_) => Finding::new(State::Good, "verdict", "deliveries to this URL are allowed"),
        Err(refusal) if refusal.is_unresolvable() => {
            Finding::new(State::Bad, "verdict", "cannot be told without an address; it is judged at every attempt")
        }
        Err(refusal) => Finding::new(State::Bad, "verdict", format!("refused ({}): the URL {refusal}", refusal.code())),
    });
    Ok(findings)
}

fn finding(step: Step) -> Finding {
    let state = if step.passes { State::Good } else { State::Bad };
    Finding { state, about: step.about, text: step.finding, remedy: step.remedy }
}
