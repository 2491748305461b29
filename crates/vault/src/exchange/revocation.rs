//! Ending a grant at the vendor (RFC 7009, and what vendors made of it).

use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use kernel::{Result, Secret};
use serde_json::Value;

use super::Exchange;
use super::request::{post, sensitive};
use super::send::{NoAnswer, send};
use crate::providers::RevokeForm;

/// How a revocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// The vendor has ended it, or says that there is nothing to end.
    Done,
    /// It did not work now.
    Failed(String),
    /// The vendor has no such thing.
    Unsupported,
}

impl Exchange<'_> {
    /// Ends what belongs to these tokens: the refresh token where there is one, since access tokens go with it. Error: internal only.
    pub(crate) async fn revoke(&self, access: &Secret<String>, refresh: Option<&Secret<String>>) -> Result<Revoked> {
        let (Some(url), Some(form)) = (&self.endpoints.revoke, &self.provider.revoke) else { return Ok(Revoked::Unsupported) };
        let token = refresh.unwrap_or(access);
        let app =
            (form.with_client || self.provider.client_authentication == crate::providers::ClientAuthentication::Basic).then_some(self.app);
        let mut fields = Vec::new();
        let mut url = url.clone();
        match form.form {
            RevokeForm::Body => fields.push(("token".to_owned(), token.reveal().clone())),
            RevokeForm::Query => {
                url.query_pairs_mut().append_pair("token", token.reveal());
            }
            RevokeForm::Bearer => {}
        }
        if form.hint {
            let kind = if refresh.is_some() { "refresh_token" } else { "access_token" };
            fields.push(("token_type_hint".to_owned(), kind.to_owned()));
        }
        let mut request = post(self.provider, &url, fields, app)?;
        if form.form == RevokeForm::Bearer {
            request.headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", access.reveal()))?);
            request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        // Ending twice does no harm.
        request.repeatable = true;
        Ok(match send(self.client, request).await {
            Ok(reply) => read(reply.status.as_u16(), &reply.body),
            Err(NoAnswer::Nothing(text) | NoAnswer::Perhaps(text)) => Revoked::Failed(text),
        })
    }
}

/// Codes by which vendors say that the token is none any more.
const GONE: &[&str] = &[
    "invalid_token",
    "invalid_grant",
    "invalid_code",
    "unsupported_token_type",
    "token_revoked",
    "token_expired",
    "invalid_auth",
    "account_inactive",
];

fn read(status: u16, body: &[u8]) -> Revoked {
    let value = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let code = value["error"].as_str().unwrap_or_default();
    let is_refused = value["ok"] == false || !code.is_empty();
    match status {
        _ if GONE.contains(&code) && status < 500 => Revoked::Done,
        200..=299 if !is_refused => Revoked::Done,
        _ => {
            let plain = code.len() <= 60 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let code = if plain && !code.is_empty() { format!(" ({code})") } else { String::new() };
            Revoked::Failed(format!("the vendor answered {status}{code}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_done_and_what_is_refused_is_not() {
        assert_eq!(read(200, b""), Revoked::Done);
        assert_eq!(read(204, b""), Revoked::Done);
        assert_eq!(read(400, br#"{"error": "invalid_code"}"#), Revoked::Done);
        assert_eq!(read(200, br#"{"ok": false, "error": "ratelimited"}"#), Revoked::Failed("the vendor answered 200 (ratelimited)".into()));
        assert_eq!(read(503, br#"{"error": "invalid_token"}"#), Revoked::Failed("the vendor answered 503 (invalid_token)".into()));
        assert_eq!(read(400, br#"{"error": "<script>"}"#), Revoked::Failed("the vendor answered 400".into()));
    }
}
