//! The pages under `/_double`, for hand trials and tests in other languages. They are no part of any vendor's interface.
//!
//! | page | what |
//! |---|---|
//! | `GET /_double/calls` | the latest calls and their number |
//! | `POST /_double/faults` | body: one fault as on the command line |
//! | `DELETE /_double/faults` | nothing goes wrong any more |
//! | `GET /_double/webhooks` | the latest attempts of webhooks |
//! | `POST /_double/token`, `expire`, `deny`, `withdraw` | tokens without the dance; access tokens end; the next user says no; the user ends what was allowed |
//! | `POST /_double/{act}` | a JSON object: what a person does at the vendor's site |

use serde_json::{Value, json};

use super::{Answer, Call, Vendor};
use crate::faults::Fault;

/// The first part of the pages' path.
pub(super) const ROOT: &str = "_double";

pub(super) fn answer<V: Vendor + ?Sized>(vendor: &V, call: &Call) -> Answer {
    match page(vendor, call) {
        Ok(value) => Answer::json(200, &value),
        Err(why) => Answer::json(400, &json!({"error": why})),
    }
}

fn page<V: Vendor + ?Sized>(vendor: &V, call: &Call) -> Result<Value, String> {
    let stand = vendor.stand();
    let (method, path) = call.route();
    match (method, &path[1..]) {
        ("GET", ["calls"]) => {
            let calls: Vec<_> = stand.log.entries().into_iter().map(|one| json!([one.at, one.method, one.target, one.status])).collect();
            Ok(json!({"total": stand.log.total(), "calls": calls}))
        }
        ("DELETE", ["calls"]) => {
            stand.log.clear();
            Ok(json!({}))
        }
        ("POST", ["faults"]) => {
            let text = std::str::from_utf8(&call.body).map_err(|why| why.to_string())?;
            stand.faults.add(Fault::parse(text.trim())?);
            Ok(json!({}))
        }
        ("DELETE", ["faults"]) => {
            stand.faults.clear();
            Ok(json!({}))
        }
        ("GET", ["webhooks"]) => {
            let sent = stand.outbox.attempts();
            Ok(sent.iter().map(|one| json!({"url": one.url, "status": one.status, "attempt": one.attempt, "body": one.body})).collect())
        }
        ("POST", [act]) => vendor.act(act, &call.json().unwrap_or(Value::Null)),
        _ => Err(format!("there is no {method} {}", call.target)),
    }
}
