//! Checking an authorization request, as it came by `/oauth/authorize` or was pushed (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9700 §2.1.1).

use kernel::{Error, Result};

use super::{Parameters, Prompt, redirect};
use crate::clients::OAuthClient;
use crate::errors::{invalid_request, request_not_supported, unauthorized_client, unsupported_response_type};
use crate::form::Form;
use crate::grant_types::GrantType;
use crate::{Oauth, resources, scope};

/// Longest `state` and `nonce` in bytes.
const MAX_STATE: usize = 2048;
const MAX_NONCE: usize = 512;

/// A fault, and where it may be told.
pub(super) struct Fault {
    pub(super) error: Error,
    /// The address that it may be sent to, and the client's state; none: it is shown to the person.
    pub(super) to: Option<(String, Option<String>)>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, to: None }
    }
}

impl Oauth {
    /// Reads a request of `client`.
    pub(super) fn read_request(&self, client: &OAuthClient, form: &Form) -> Result<Parameters, Fault> {
        let redirect_uri = redirect::resolve(client, form.one("redirect_uri"))?;
        let state = form.one("state").filter(|state| state.len() <= MAX_STATE).map(str::to_owned);
        let outcome = self.read_rest(client, form, redirect_uri.clone());
        outcome.map_err(|error| Fault { error, to: Some((redirect_uri, state)) })
    }

    fn read_rest(&self, client: &OAuthClient, form: &Form, redirect_uri: String) -> Result<Parameters> {
        if form.one("request").is_some() {
            return Err(request_not_supported("Request objects are not read here; push the request instead (RFC 9126)."));
        }
        let response_type = form.need("response_type")?;
        if response_type != "code" {
            return Err(unsupported_response_type("The only response_type is code."));
        }
        if form.one("response_mode").is_some_and(|mode| mode != "query") {
            return Err(invalid_request("The only response_mode is query."));
        }
        if !client.may(GrantType::AuthorizationCode) {
            return Err(unauthorized_client("This client is not set up for authorization codes."));
        }
        let bounded = |name: &str, most: usize| match form.one(name) {
            Some(value) if value.len() > most => Err(invalid_request(format!("The parameter {name} is longer than {most} bytes."))),
            value => Ok(value.map(str::to_owned)),
        };
        Ok(Parameters {
            redirect_uri,
            scopes: scope::resolve(&self.blueprint, form.one("scope"), &client.app.scopes, true)?,
            state: bounded("state", MAX_STATE)?,
            challenge: challenge(form)?,
            nonce: bounded("nonce", MAX_NONCE)?,
            prompt: prompt(form.one("prompt"))?,
            max_age: max_age(form.one("max_age"))?,
            login_hint: bounded("login_hint", MAX_NONCE)?,
            resource: resources::resolve(&self.config.issuer, form.all("resource"))?,
            jkt: bounded("dpop_jkt", 64)?,
        })
    }
}

/// PKCE is required, and only by SHA-256: without it a stolen code is worth something.
fn challenge(form: &Form) -> Result<String> {
    let challenge = form.one("code_challenge").ok_or_else(|| invalid_request("PKCE is required: send a code_challenge (RFC 7636)."))?;
    if form.one("code_challenge_method") != Some("S256") {
        return Err(invalid_request("The only code_challenge_method is S256, and it must be named."));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if challenge.len() != 43 || !challenge.bytes().all(fits) {
        return Err(invalid_request("A code_challenge is 43 characters of base64url."));
    }
    Ok(challenge.to_owned())
}

fn prompt(text: Option<&str>) -> Result<Prompt> {
    let mut prompt = Prompt::default();
    for word in text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => return Err(invalid_request("A prompt is none, login, consent or select_account.")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
        return Err(invalid_request("The prompt none stands alone."));
    }
    Ok(prompt)
}

fn max_age(text: Option<&str>) -> Result<Option<u32>> {
    text.map(|text| text.parse().map_err(|_| invalid_request("max_age is a number of seconds."))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkce_is_s256_or_nothing() {
        let challenge = |text: String| challenge(&Form::parse(text.as_bytes()).unwrap());
        let right = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(format!("code_challenge={right}&code_challenge_method=S256")).unwrap(), right);
        for bad in [
            String::new(),
            format!("code_challenge={right}"),
            format!("code_challenge={right}&code_challenge_method=plain"),
            "code_challenge=short&code_challenge_method=S256".to_owned(),
            format!("code_challenge={}%3D&code_challenge_method=S256", &right[1..]),
        ] {
            assert_eq!(challenge(bad.clone()).unwrap_err().code(), "invalid_request", "{bad}");
        }
    }

    #[test]
    fn prompts_are_words() {
        assert!(prompt(Some("login consent")).unwrap().login && prompt(None).unwrap() == Prompt::default());
        assert!(prompt(Some("none login")).is_err() && prompt(Some("create")).is_err());
    }
}
