//! Access tokens for receivers that want one: OAuth 2 client credentials (RFC 6749 §4.4), fetched through the guarded client.
//!
//! A token is kept until shortly before it expires. Attempts that need one at the same moment wait for one request; if it fails, they all
//! fail by it, and the next attempt asks again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use kernel::{Secret, TenantId, Timestamp};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use url::form_urlencoded::{Serializer, byte_serialize};
use web::outbound::{Client, OutboundFault, OutboundRequest};

use super::configuration::{Auth, ClientAuthentication};

/// Most tokens that are kept; the one that was used longest ago goes first.
const MOST: usize = 1024;
/// Largest answer of a token endpoint that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// What a token lives when its server does not say: short, since asking again costs little.
const LIFE: u64 = 300;
/// Longest life that is believed: a day.
const LONGEST: u64 = 86_400;
/// A token is not used in its last moments: half a minute, or a quarter of a short life.
const MARGIN: u64 = 30;

/// How tokens for a destination are had, prepared once.
pub(super) struct Grant {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    fingerprint: [u8; 32],
}

impl Grant {
    /// None for another kind of authentication, and for a URL that cannot be called.
    pub(super) fn new(auth: &Auth) -> Option<Self> {
        let Auth::Oauth2 { token_url, client_id, client_secret, scopes, audience, client_authentication } = auth else { return None };
        let uri = web::outbound::to_uri(&url::Url::parse(token_url).ok()?).ok()?;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !scopes.is_empty() {
            form.append_pair("scope", &scopes.join(" "));
        }
        if let Some(audience) = audience {
            form.append_pair("audience", audience);
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        match client_authentication {
            ClientAuthentication::Body => {
                form.append_pair("client_id", client_id).append_pair("client_secret", client_secret);
            }
            // The RFC wants both encoded as in a form before they are joined.
            ClientAuthentication::Header => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(client_id), encoded(client_secret));
                let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
        }
        let body = Bytes::from(form.finish());
        let mut hash = Sha256::new();
        hash.update(uri.to_string());
        hash.update([0]);
        hash.update(headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default());
        hash.update([0]);
        hash.update(&body);
        Some(Self { uri, headers, body, fingerprint: hash.finalize().into() })
    }
}

/// An access token.
pub(super) type Token = Arc<Secret<String>>;

/// Why there is none.
#[derive(Clone, Debug)]
pub(super) struct NoToken {
    /// As in [`crate::AttemptError::kind`].
    pub(super) kind: &'static str,
    pub(super) text: String,
}

impl NoToken {
    fn new(why: &str) -> Self {
        Self { kind: "auth", text: format!("no access token: {why}") }
    }
}

/// The tokens of every destination. A tenant's own: the same credentials of another tenant have another token.
#[derive(Default)]
pub(super) struct Tokens(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    turn: u64,
    slots: HashMap<(TenantId, [u8; 32]), (u64, Arc<Slot>)>,
}

#[derive(Default)]
struct Slot {
    fetches: AtomicU64,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<(Token, Timestamp)>,
    failure: Option<NoToken>,
}

impl Tokens {
    /// A token that is valid at `now`, fetched if need be before `deadline`.
    pub(super) async fn get(
        &self,
        client: &Client,
        grant: &Grant,
        tenant: TenantId,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Token, NoToken> {
        let slot = self.slot(grant, tenant);
        let before = slot.fetches.load(Ordering::SeqCst);
        let late = |_| NoToken::new("the token endpoint did not answer in time");
        let mut state = tokio::time::timeout_at(deadline, slot.state.lock()).await.map_err(late)?;
        if let Some((token, until)) = &state.token
            && now < *until
        {
            return Ok(Arc::clone(token));
        }
        if let Some(failure) = &state.failure
            && slot.fetches.load(Ordering::SeqCst) != before
        {
            return Err(failure.clone());
        }
        let fetched = fetch(client, grant, deadline).await;
        slot.fetches.fetch_add(1, Ordering::SeqCst);
        match fetched {
            Ok((token, life)) => {
                let token = Arc::new(token);
                *state = State { token: Some((Arc::clone(&token), now.plus(life))), failure: None };
                Ok(token)
            }
            Err(failure) => {
                *state = State { token: None, failure: Some(failure.clone()) };
                Err(failure)
            }
        }
    }

    /// Forgets a token that the receiver refused, unless another has already taken its place.
    pub(super) async fn discard(&self, grant: &Grant, tenant: TenantId, refused: &Token) {
        let slot = self.slot(grant, tenant);
        let mut state = slot.state.lock().await;
        if state.token.as_ref().is_some_and(|(token, _)| Arc::ptr_eq(token, refused)) {
            state.token = None;
        }
    }

    fn slot(&self, grant: &Grant, tenant: TenantId) -> Arc<Slot> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.turn += 1;
        let (turn, key) = (kept.turn, (tenant, grant.fingerprint));
        if kept.slots.len() >= MOST
            && !kept.slots.contains_key(&key)
            && let Some(oldest) = kept.slots.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key)
        {
            kept.slots.remove(&oldest);
        }
        let (used, slot) = kept.slots.entry(key).or_default();
        *used = turn;
        Arc::clone(slot)
    }
}

/// A token endpoint's answer (RFC 6749 §5.1).
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: String,
    #[serde(default)]
    expires_in: Option<f64>,
}

/// Its refusal (§5.2).
#[derive(Deserialize)]
struct Denied {
    error: String,
}

/// The token, and for how long it may be used.
async fn fetch(client: &Client, grant: &Grant, deadline: Instant) -> Result<(Secret<String>, Duration), NoToken> {
    let request = OutboundRequest {
        method: Method::POST,
        uri: grant.uri.clone(),
        headers: grant.headers.clone(),
        body: grant.body.clone(),
        timeout: deadline.saturating_duration_since(Instant::now()),
        response_cap: MAX_ANSWER,
        repeatable: true,
    };
    let answer = client.send(request).await.map_err(|error| match error.kind {
        // As for the webhook's own URL, the address is not told.
        OutboundFault::Refused(_) => NoToken::new("the token URL leads to an address that is not allowed"),
        OutboundFault::Proxy => NoToken { kind: "proxy", text: error.text },
        _ => NoToken::new(&format!("the token endpoint: {}", error.text)),
    })?;
    let unreadable = || NoToken::new("the token endpoint's answer cannot be read");
    if answer.status != StatusCode::OK {
        let code = serde_json::from_slice::<Denied>(&answer.body).ok().map(|denied| denied.error);
        let code = code.filter(|code| code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        let code = code.map_or_else(String::new, |code| format!(" ({code})"));
        return Err(NoToken::new(&format!("the token endpoint answered {}{code}", answer.status.as_u16())));
    }
    let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    let token = Secret::new(granted.access_token);
    if !granted.token_type.eq_ignore_ascii_case("bearer") {
        return Err(NoToken::new("the token endpoint gave no bearer token"));
    }
    if token.reveal().is_empty() || bearer(&token).is_none() {
        return Err(unreadable());
    }
    Ok((token, usable(granted.expires_in)))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of whole seconds")]
fn usable(expires_in: Option<f64>) -> Duration {
    let life = expires_in.filter(|life| life.is_finite()).map_or(LIFE, |life| life.clamp(0.0, 1e9) as u64).min(LONGEST);
    Duration::from_secs(life - MARGIN.min(life / 4 + 1).min(life))
}

/// The value of `Authorization`.
pub(super) fn bearer(token: &Secret<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_used_in_its_last_moments() {
        let seconds = |life| usable(life).as_secs();
        assert_eq!(seconds(Some(3600.0)), 3570);
        assert_eq!(seconds(Some(5.0)), 3);
        assert_eq!(seconds(Some(0.0)), 0);
        assert_eq!(seconds(Some(-10.0)), 0);
        assert_eq!(seconds(None), 270);
        assert_eq!(seconds(Some(f64::NAN)), 270);
        assert_eq!(seconds(Some(1e300)), 86_370);
    }
}
