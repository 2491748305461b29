//! `tradewind doctor`: what an operator looks at first. Changes nothing.

mod installation;
mod url;

use anyhow::ensure;

use super::answer;
use crate::cli::DoctorArgs;
use assembly::settings::Resolved;

pub(super) async fn run(settings: &Resolved, args: DoctorArgs) -> anyhow::Result<()> {
    let (findings, fault) = match &args.url {
        Some(url) => (url::look(settings, url).await?, "deliveries to this URL are refused"),
        None => (installation::look(settings).await, "something is not as it should be"),
    };
    findings.iter().for_each(|finding| answer(&finding.line()));
    ensure!(findings.iter().all(|finding| finding.state != State::Bad), fault);
    Ok(())
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Not wrong, but to be known.
    Note,
    Bad,
}

/// One line of the answer.
#[derive(Clone, Debug)]
struct Finding {
    state: State,
    about: &'static str,
    text: String,
    /// What the operator can do.
    remedy: Option<String>,
}

impl Finding {
    fn new(state: State, about: &'static str, text: impl Into<String>) -> Self {
        Self { state, about, text: text.into(), remedy: None }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn line(&self) -> String {
        let mark = match self.state {
            State::Good => "ok",
            State::Note => "note",
            State::Bad => "FAIL",
        };
        let line = format!("{mark:<5} {:<14} {}", self.about, self.text);
        self.remedy.as_ref().map_or_else(|| line.clone(), |remedy| format!("{line}\n{:21}→ {remedy}", ""))
    }
}
