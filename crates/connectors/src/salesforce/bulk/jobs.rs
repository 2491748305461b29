//! Jobs of either kind: made, looked at, ended.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::driver::{self, Answer, bounded};
use crate::salesforce::dialect::RestDialect;
use crate::salesforce::settings::Settings;
use crate::{Fault, Session};

/// The first pause between two looks; the next ones grow by half.
const FIRST: Duration = Duration::from_millis(500);
/// Longest pause between two looks.
const LONGEST: Duration = Duration::from_secs(10);

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is still at work.
    Working,
    /// It is done; rows that it refused are in its results.
    Done,
    /// It was given up, for this reason.
    Failed(String),
}

/// Makes a job; its id. Making one twice costs a job that nobody starts.
pub(super) async fn make(session: &Session, settings: &Settings, kind: &str, body: Value) -> Result<String, Fault> {
    let call = settings.call(Method::POST, &["jobs", kind])?.json(body).repeatable(true);
    let answer = driver::ask(session, &RestDialect, call).await?;
    answer.text("/id").map(str::to_owned).ok_or_else(|| Fault::Unavailable { message: "a job was made and has no id".to_owned() })
}

/// Looks at a job until it has ended or `patience` is over.
pub(super) async fn watch(session: &Session, settings: &Settings, kind: &str, job: &str, patience: Duration) -> Result<State, Fault> {
    let (mut pause, mut waited) = (FIRST, Duration::ZERO);
    loop {
        let state = look(session, settings, kind, job).await?;
        if state != State::Working || waited >= patience {
            return Ok(state);
        }
        session.carrier.pause(pause).await;
        waited += pause;
        pause = (pause + pause / 2).min(LONGEST);
    }
}

async fn look(session: &Session, settings: &Settings, kind: &str, job: &str) -> Result<State, Fault> {
    let answer = driver::ask(session, &RestDialect, settings.call(Method::GET, &["jobs", kind, job])?).await?;
    Ok(state(&answer))
}

fn state(answer: &Answer) -> State {
    match answer.text("/state") {
        Some("JobComplete") => State::Done,
        Some("Failed" | "Aborted") => State::Failed(bounded(answer.text("/errorMessage").unwrap_or("Salesforce gave the job up"))),
        _ => State::Working,
    }
}

/// Says that a job's input is whole. A lost answer is looked after: the job may have begun.
pub(super) async fn start(session: &Session, settings: &Settings, job: &str) -> Result<(), Fault> {
    let call = settings.call(Method::PATCH, &["jobs", "ingest", job])?.json(json!({"state": "UploadComplete"}));
    match driver::ask(session, &RestDialect, call).await {
        Ok(_) => Ok(()),
        Err(fault) => {
            let answer = driver::ask(session, &RestDialect, settings.call(Method::GET, &["jobs", "ingest", job])?).await;
            match answer.as_ref().map(|answer| answer.text("/state")) {
                Ok(Some("Open")) => Err(Fault::Unavailable { message: "the job was not begun".to_owned() }),
                Ok(Some(_)) => Ok(()),
                // Whether it has begun is not known, unless the vendor refused.
                _ => Err(fault),
            }
        }
    }
}

/// Gives a job up that was not begun. Nobody waits for it, so that it fails quietly.
pub(super) async fn abandon(session: &Session, settings: &Settings, job: &str) {
    if let Ok(call) = settings.call(Method::PATCH, &["jobs", "ingest", job]) {
        let _ = driver::ask(session, &RestDialect, call.json(json!({"state": "Aborted"})).repeatable(true)).await;
    }
}
