//! Asking a vendor: the part that is the same for all of them.
//!
//! [`ask`] sends a [`Call`] and comes back with an answer that is good, or with a [`Fault`] that says what to do. In between it
//!
//! * lets the vendor's [`Dialect`] say what an answer means: refusals also hide in a 200, limits in a 403;
//! * renews the credential once when the vendor does not take it;
//! * waits out short limits, by `Retry-After` (seconds or a date) or by growing pauses with jitter, ten seconds in all at the most: what takes
//!   longer is the run's affair, which parks instead of sleeping;
//! * tells the account's budgets from the answer's headers and refusals;
//! * tells a page of HTML, a cut body and a redirect from an answer;
//! * never asks again for what may have been done ([`Call::repeatable`]): that is [`Fault::Lost`].
//!
//! Texts of vendors come out of here bounded, in one line, without what looks like a credential ([`bounded`]).

mod answer;
mod call;
mod dialect;
mod each;
pub(crate) mod marks;
mod pace;
mod retry_after;
mod watermark;
mod words;

pub use answer::Answer;
pub use call::{path, segment};
pub use dialect::{Dialect, Plain, by_status};
pub(crate) use each::Each;
pub use retry_after::retry_after;
pub use watermark::Watermark;
pub use words::bounded;

use kernel::Timestamp;

use crate::{BudgetNews, Call, Fault, Renewal, Reply, Session};
use pace::Pace;

/// What took so long already is not asked for again: a vendor that hangs holds a run's place for one call, not for all its tries.
const LONG: std::time::Duration = std::time::Duration::from_secs(15);

/// Asks for JSON. A good answer without a body is [`serde_json::Value::Null`].
///
/// Errors: as the dialect and the status say; [`Fault::Unavailable`] or [`Fault::Lost`] for a body that is no JSON.
pub async fn ask(session: &Session, dialect: &dyn Dialect, call: Call) -> Result<Answer, Fault> {
    exchange(session, dialect, call, true).await
}

/// The same for an answer of any media type (CSV of a bulk job), or JSON that the caller reads straight from the bytes: [`Answer::json`] of a
/// good answer is then `null`, so that a dialect sees no refusal that hides in it.
pub async fn fetch(session: &Session, dialect: &dyn Dialect, call: Call) -> Result<Answer, Fault> {
    exchange(session, dialect, call, false).await
}

async fn exchange(session: &Session, dialect: &dyn Dialect, call: Call, wants_json: bool) -> Result<Answer, Fault> {
    let mut pace = Pace::default();
    let mut is_renewed = false;
    let began = session.ambient.now();
    loop {
        let (fault, generation) = match session.carrier.send(call.clone()).await {
            Ok(reply) => {
                let generation = reply.generation;
                match read(session, dialect, reply, &call, wants_json) {
                    Ok(answer) => return Ok(answer),
                    Err(fault) => (fault, Some(generation)),
                }
            }
            Err(fault) => (fault, None),
        };
        match (&fault, generation) {
            (Fault::Unauthorized { .. }, Some(generation)) if !is_renewed => {
                if session.carrier.renew(generation).await? == Renewal::Refused {
                    return Err(fault);
                }
                is_renewed = true;
            }
            _ => {
                let is_late = session.ambient.now().since(began) >= LONG;
                let pause = if is_late { None } else { pace.next(&fault, call.repeatable, &session.ambient) };
                let Some(pause) = pause else { return Err(fault) };
                tracing::debug!(code = fault.code(), ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX), "asking a vendor again");
                session.carrier.pause(pause).await;
            }
        }
    }
}

/// What a reply means.
fn read(session: &Session, dialect: &dyn Dialect, reply: Reply, call: &Call, wants_json: bool) -> Result<Answer, Fault> {
    let now = session.ambient.now();
    for news in dialect.budgets(&reply.headers, now) {
        session.carrier.told(news);
    }
    let answer = Answer::new(reply, now, wants_json);
    let judged = dialect.refusal(&answer, call.repeatable).map_or_else(|| dialect::plain(&answer, call.repeatable, wants_json), Err);
    match judged {
        Ok(()) => Ok(answer),
        Err(fault) => {
            if let Some(news) = refused(&fault, now) {
                session.carrier.told(news);
            }
            Err(fault)
        }
    }
}

/// What a refusal says about a budget.
fn refused(fault: &Fault, now: Timestamp) -> Option<BudgetNews> {
    let (window, resets) = match fault {
        Fault::RateLimited { after } => ("burst", now.plus((*after)?)),
        Fault::Exhausted { until } => ("daily", *until),
        _ => return None,
    };
    Some(BudgetNews { window, limit: None, remaining: Some(0), resets: Some(resets) })
}
