//! What a receiver says back is kept for the log, and some receivers say everything back. Our secrets are taken out of it first.
//!
//! Found is a secret as it was given, and as JSON writes it. Receivers that encode it in another way keep it from us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use kernel::Secret;
use web::outbound::OutboundResponse;

use super::configuration::{Auth, HttpConfig};
use super::prepared::{MASK, is_secret_header};

/// Shorter ones are no secrets worth the name, and would turn up in any text.
const SHORTEST: usize = 6;
/// What is written in place of a secret.
const HIDDEN: &[u8] = b"***";

/// The secrets of one webhook, as they could come back.
pub(super) struct Echoes(Secret<Vec<Vec<u8>>>);

impl Echoes {
    /// Signing secrets of now and before, what authenticates us, and custom headers that are credentials.
    pub(super) fn of(config: &HttpConfig) -> Self {
        let mut all: Vec<String> =
            config.secrets.iter().map(|entry| entry.secret.strip_prefix("whsec_").unwrap_or(&entry.secret).to_owned()).collect();
        match &config.auth {
            Auth::None => {}
            Auth::Basic { username, password } => all.extend([STANDARD.encode(format!("{username}:{password}")), password.clone()]),
            Auth::Bearer { token } => all.push(token.clone()),
            Auth::Hmac { secret, .. } => all.push(secret.clone()),
            Auth::Oauth2 { client_secret, .. } => all.push(client_secret.clone()),
            Auth::Mtls { private_key, .. } => all.push(private_key.clone()),
        }
        let telling = config.headers.iter().filter(|(name, value)| is_secret_header(name, value));
        // Of `Bearer abc` the second word is the secret.
        all.extend(telling.map(|(_, value)| value.rsplit(' ').next().unwrap_or(value).to_owned()));
        let mut forms: Vec<Vec<u8>> = all.iter().flat_map(|text| forms(text)).collect();
        // A secret that contains another one goes as a whole.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self(Secret::new(forms))
    }

    /// Takes the secrets, and an access token that was just used, out of an answer.
    pub(super) fn hide_in(&self, answer: &mut OutboundResponse, token: Option<&Secret<String>>) {
        self.hide(token, &mut answer.headers, &mut answer.body, answer.truncated);
    }

    fn hide(&self, token: Option<&Secret<String>>, headers: &mut HeaderMap, body: &mut Bytes, is_cut: bool) {
        let token = token.map(|token| forms(token.reveal())).unwrap_or_default();
        let secrets = || token.iter().chain(self.0.reveal()).map(Vec::as_slice);
        for value in headers.values_mut() {
            if secrets().any(|secret| find(value.as_bytes(), secret).is_some()) {
                let masked = secrets().fold(value.as_bytes().to_vec(), |text, secret| without(&text, secret));
                *value = HeaderValue::from_bytes(&masked).unwrap_or(MASK);
            }
        }
        if body.len() < SHORTEST {
            return;
        }
        for secret in secrets().filter(|secret| secret.len() <= body.len()).collect::<Vec<_>>() {
            if find(body, secret).is_some() {
                *body = without(body, secret).into();
            }
        }
        // An answer that was cut may end in the middle of one.
        if is_cut {
            let cut = secrets().filter_map(|secret| beginning_at_end(body, secret)).min();
            if let Some(at) = cut {
                *body = [&body[..at], HIDDEN].concat().into();
            }
        }
    }
}

fn forms(text: &str) -> Vec<Vec<u8>> {
    if text.len() < SHORTEST {
        return Vec::new();
    }
    let written = serde_json::to_string(text).unwrap_or_default();
    let inside = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
    let mut forms = vec![text.as_bytes().to_vec()];
    forms.extend((inside != text && !inside.is_empty()).then(|| inside.as_bytes().to_vec()));
    forms
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn without(mut text: &[u8], part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    while let Some(at) = find(text, part) {
        out.extend_from_slice(&text[..at]);
        out.extend_from_slice(HIDDEN);
        text = &text[at + part.len()..];
    }
    out.extend_from_slice(text);
    out
}

/// Where the text's end begins that is a beginning of `part`, if it is long enough to tell.
fn beginning_at_end(text: &[u8], part: &[u8]) -> Option<usize> {
    let longest = part.len().saturating_sub(1).min(text.len());
    (SHORTEST..=longest).rev().find(|length| text.ends_with(&part[..*length])).map(|length| text.len() - length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden(config: &serde_json::Value, body: &str, is_cut: bool) -> String {
        let echoes = Echoes::of(&HttpConfig::read(config).unwrap());
        let mut body = Bytes::copy_from_slice(body.as_bytes());
        echoes.hide(Some(&Secret::new("access-token".to_owned())), &mut HeaderMap::new(), &mut body, is_cut);
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn secrets_are_found_in_every_form() {
        let url = "https://receiver.example/";
        let secrets = json!([{"secret": "whsec_bmV3bmV3bmV3"}, {"secret": "whsec_b2xkb2xkb2xk", "expiresAt": "2026-01-01T00:00:00.000Z"}]);
        let basic = json!({"type": "basic", "username": "u", "password": "pass\"word"});
        for (config, body, expected) in [
            (json!({"url": url, "secrets": secrets}), "a whsec_bmV3bmV3bmV3 b b2xkb2xkb2xk c", "a whsec_*** b *** c"),
            (json!({"url": url, "auth": basic}), r#"{"is": "pass\"word"} dTpwYXNzIndvcmQ= pass"word"#, r#"{"is": "***"} *** ***"#),
            (json!({"url": url, "auth": {"type": "bearer", "token": "tok-tok"}}), "Bearer tok-tok, access-token", "Bearer ***, ***"),
            (json!({"url": url, "headers": {"X-Api-Key": "key-123", "X-Plain": "plainly"}}), "key-123 plainly", "*** plainly"),
            (json!({"url": url, "auth": {"type": "hmac", "secret": "short", "header": "x-s"}}), "in short: ok", "in short: ok"),
        ] {
            assert_eq!(hidden(&config, body, true), expected);
        }
    }

    #[test]
    fn a_secret_that_was_cut_is_hidden_too() {
        let config = json!({"url": "https://receiver.example/", "auth": {"type": "bearer", "token": "0123456789abcdef"}});
        assert_eq!(hidden(&config, "all of 0123456789abcdef and 0123456789", true), "all of *** and ***");
        assert_eq!(hidden(&config, "the end 0123456789", false), "the end 0123456789", "one that was not cut is as it is");
    }

    #[test]
    fn headers_are_masked() {
        let config = json!({"url": "https://receiver.example/", "auth": {"type": "bearer", "token": "0123456789abcdef"}});
        let mut headers = HeaderMap::from_iter([
            (http::header::SERVER, HeaderValue::from_static("fine")),
            (http::header::WARNING, HeaderValue::from_static("you sent Bearer 0123456789abcdef!")),
        ]);
        Echoes::of(&HttpConfig::read(&config).unwrap()).hide(None, &mut headers, &mut Bytes::new(), false);
        assert_eq!((&headers["warning"], &headers["server"]), (&"you sent Bearer ***!".parse().unwrap(), &"fine".parse().unwrap()));
    }
}
