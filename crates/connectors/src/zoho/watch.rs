//! Notifications: channels that Zoho calls an address by, and that end unless they are renewed.
//!
//! A call's only proof is a token of at most 50 characters that we chose and that comes back in the body. It is made from the secret, which
//! itself never leaves. A call names records by id only; what they hold is read.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::{Secret, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use super::dialect::{self, Speech};
use super::settings::Settings;
use super::{coql, cursors};
use crate::{Call, Fault, Hint, HintKind, InboundCall, Session, Verified, WebhookPlan, driver, times};

/// What is asked for; Zoho cuts it to what it allows, and says so.
const LIFE: Duration = Duration::from_hours(7 * 24 - 1);
/// Ids of one call that are read.
const MAX: usize = 1000;

/// What Zoho sends back with each call: 43 characters, which say nothing of the secret.
fn token(secret: &Secret<String>) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"zoho notification token");
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

pub(super) async fn watch(
    session: &Session,
    module: &str,
    url: &str,
    secret: &Secret<String>,
    existing: Option<&str>,
) -> Result<Option<WebhookPlan>, Fault> {
    let settings = Settings::of(session)?;
    let module = coql::name(module)?;
    let ask = |channel: &str| {
        let expiry = cursors::time(session.ambient.now().plus(LIFE));
        json!({"watch": [{"channel_id": channel, "events": [format!("{module}.all")], "notify_url": url, "token": token(secret),
            "channel_expiry": expiry, "return_affected_field_values": false}]})
    };
    let target = settings.path(&["actions", "watch"])?;
    if let Some(channel) = existing {
        let call = Call::new(http::Method::PUT, target.clone()).json(ask(channel));
        match driver::ask(session, &Speech, call).await.and_then(|answer| plan(channel, &answer.json)) {
            // The channel has ended, or is not ours any more: another one takes its place.
            Err(Fault::Refused { .. } | Fault::NotFound { .. }) => {}
            other => return other.map(Some),
        }
    }
    let channel = (1_000_000_000_000_u64 + session.ambient.below(9_000_000_000_000)).to_string();
    // Asked for again, the same channel is the same channel.
    let answer = driver::ask(session, &Speech, Call::post(target, ask(&channel)).repeatable(true)).await?;
    plan(&channel, &answer.json).map(Some)
}

fn plan(channel: &str, said: &Value) -> Result<WebhookPlan, Fault> {
    let own = &said["watch"][0];
    if own["status"] != "success" {
        return Err(dialect::inside(own, true));
    }
    let expiry = own["details"]["events"][0]["channel_expiry"].as_str().and_then(times::parse);
    Ok(WebhookPlan { id: channel.to_owned(), expires_at: expiry })
}

pub(super) async fn unwatch(session: &Session, id: &str) -> Result<(), Fault> {
    let settings = Settings::of(session)?;
    let call = Call::delete(settings.path(&["actions", "watch"])?).query("channel_ids", id);
    match driver::ask(session, &Speech, call).await {
        Ok(_) | Err(Fault::NotFound { .. } | Fault::Refused { .. }) => Ok(()),
        Err(fault) => Err(fault),
    }
}

#[derive(Debug, Deserialize)]
struct Notification {
    module: String,
    #[serde(default)]
    ids: Vec<String>,
    operation: String,
    token: Option<String>,
    #[serde(default)]
    server_time: Option<i64>,
}

/// Reads a call. `None`: it is not Zoho's, or nothing that can be read.
pub(super) fn webhook(call: &InboundCall<'_>) -> Option<Verified> {
    let said: Notification = serde_json::from_slice(call.body).ok()?;
    let given = said.token.as_deref().unwrap_or_default();
    let mut is_good = Choice::from(0);
    for secret in call.secrets {
        is_good |= token(secret).as_bytes().ct_eq(given.as_bytes());
    }
    if !bool::from(is_good) {
        return None;
    }
    let module = coql::name(&said.module).ok()?.to_owned();
    let kind = if said.operation == "delete" { HintKind::Deleted } else { HintKind::Changed };
    let at = said.server_time.filter(|ms| *ms > 0).map(Timestamp::from_millis);
    let mut ids = said.ids;
    ids.sort_unstable();
    ids.dedup();
    let one = |id: String| Hint { account: None, object: module.clone(), id, kind: kind.clone(), at };
    Some(Verified { hints: ids.into_iter().take(MAX).map(one).collect(), answer: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_fits_and_hides_the_secret() {
        let [one, other] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "other"].map(|text| token(&Secret::new(text.to_owned())));
        assert!(one.len() <= 50 && one != other && !one.contains("MfKQ"));
    }
}
