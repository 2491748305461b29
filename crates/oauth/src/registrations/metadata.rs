//! What a client says of itself when it registers (RFC 7591 §2), and what becomes of it. Pure.

use access::clients::ClientInput;
use access::jose::JwkSet;
use kernel::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clients::{AuthMethod, settings::Stored};
use crate::grant_types::GrantType;
use crate::scope;

/// Most redirect addresses, contacts and scopes.
const MOST: usize = 50;
/// Longest text that is only kept.
const MAX_TEXT: usize = 2048;

/// As it is sent, and kept. Members that we do not know are passed over, as the RFC wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(crate) struct Metadata {
    /// Where codes may be sent.
    pub(crate) redirect_uris: Vec<String>,
    /// Default: `client_secret_basic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_endpoint_auth_method: Option<String>,
    /// Default: `authorization_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grant_types: Option<Vec<String>>,
    /// Default: `code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_types: Option<Vec<String>>,
    /// What people read when they are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_name: Option<String>,
    /// Its website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_uri: Option<String>,
    /// Its logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logo_uri: Option<String>,
    /// What it may ask for, with spaces between. Default: all that a client may have that registers so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    /// Whom to write to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contacts: Option<Vec<String>>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tos_uri: Option<String>,
    /// What it does with data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_uri: Option<String>,
    /// Where its keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_uri: Option<String>,
    /// Its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) jwks: Option<Value>,
    /// What the software is called, the same in every copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) software_id: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) software_version: Option<String>,
    /// `web` or `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) application_type: Option<String>,
    /// Whether its tokens are bound to a key (RFC 9449 §5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dpop_bound_access_tokens: Option<bool>,
    /// Whether its requests must be pushed (RFC 9126 §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) require_pushed_authorization_requests: Option<bool>,
}

/// What a registration may ask for.
pub(crate) struct Bounds<'a> {
    /// Whether nobody vouches for it: it may not act for itself then, since it would act for the tenant that such clients are put into.
    pub(crate) is_stranger: bool,
    /// The scopes that it may have.
    pub(crate) scopes: &'a [String],
}

/// What a registration becomes.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) client: ClientInput,
    pub(crate) settings: Stored,
}

/// 400 with a code of RFC 7591 §3.2.2.
pub(crate) fn fault(code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Kind::Malformed, code, detail)
}

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    fault("invalid_client_metadata", detail)
}

impl Metadata {
    /// Reads it, and writes out what is usual. Errors: 400 `invalid_client_metadata`, `invalid_redirect_uri`.
    pub(crate) fn register(mut self, bounds: &Bounds<'_>) -> Result<(Self, Registered)> {
        self.check_sizes()?;
        let method = self.method()?;
        let grants = self.grants(bounds)?;
        let by_code = grants.contains(&GrantType::AuthorizationCode);
        if by_code && self.redirect_uris.is_empty() {
            return Err(fault("invalid_redirect_uri", "A client that gets codes has redirect_uris."));
        }
        let usual: &[&str] = if by_code { &["code"] } else { &[] };
        if self.response_types.as_ref().is_some_and(|types| types != usual) {
            return Err(invalid("The response_types must be code for a client that gets codes, and none for others."));
        }
        self.response_types = Some(usual.iter().map(|name| (*name).to_owned()).collect());
        let confidential = method != AuthMethod::None;
        if grants.contains(&GrantType::ClientCredentials) && !confidential {
            return Err(invalid("A client without proof of itself cannot act for itself (client_credentials)."));
        }
        let scopes = self.scopes(bounds);
        let settings = Stored {
            grant_types: Some(grants),
            auth_method: Some(method),
            require_dpop: self.dpop_bound_access_tokens.unwrap_or(false),
            require_par: self.require_pushed_authorization_requests.unwrap_or(false),
            jwks: self.jwks.clone(),
            jwks_uri: self.jwks_uri.clone(),
            ..Stored::default()
        };
        let client = ClientInput {
            name: self.client_name.get_or_insert_with(|| "An application".to_owned()).clone(),
            redirect_uris: Some(self.redirect_uris.clone()),
            website: self.client_uri.clone(),
            logo_url: self.logo_uri.clone(),
            contact_email: self.contacts.as_ref().and_then(|contacts| contacts.iter().find(|one| one.contains('@')).cloned()),
            scopes: Some(scopes),
            confidential: Some(confidential),
            dual_auth: Some(false),
            ..ClientInput::default()
        };
        Ok((self, Registered { client, settings }))
    }

    fn check_sizes(&self) -> Result<()> {
        let texts = [&self.client_name, &self.tos_uri, &self.policy_uri, &self.software_id, &self.software_version, &self.application_type];
        let too_long = texts.into_iter().flatten().chain(self.contacts.iter().flatten()).any(|text| text.len() > MAX_TEXT);
        let too_many = self.redirect_uris.len() > MOST || self.contacts.as_ref().is_some_and(|contacts| contacts.len() > MOST);
        if too_long || too_many {
            Err(invalid(format!("A text has at most {MAX_TEXT} bytes, a list at most {MOST} members.")))
        } else {
            Ok(())
        }
    }

    fn method(&mut self) -> Result<AuthMethod> {
        let name = self.token_endpoint_auth_method.get_or_insert_with(|| "client_secret_basic".to_owned());
        let method = AuthMethod::named(name).ok_or_else(|| invalid("This token_endpoint_auth_method is not served here."))?;
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            return Err(invalid("Give jwks or jwks_uri, not both."));
        }
        if let Some(keys) = &self.jwks {
            JwkSet::read(keys).map_err(invalid)?;
        }
        if method == AuthMethod::PrivateKeyJwt && self.jwks.is_none() && self.jwks_uri.is_none() {
            return Err(invalid("private_key_jwt needs jwks or jwks_uri."));
        }
        Ok(method)
    }

    fn grants(&mut self, bounds: &Bounds<'_>) -> Result<Vec<GrantType>> {
        let names = self.grant_types.get_or_insert_with(|| vec![GrantType::AuthorizationCode.name().to_owned()]);
        let mut grants = Vec::new();
        for name in names.iter() {
            let grant = GrantType::named(name).ok_or_else(|| invalid("A grant type is not served here."))?;
            if bounds.is_stranger && matches!(grant, GrantType::ClientCredentials | GrantType::TokenExchange) {
                return Err(invalid("A client that nobody vouches for acts for people only: codes, device codes and refresh tokens."));
            }
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        if grants.is_empty() { Err(invalid("A client has at least one grant type.")) } else { Ok(grants) }
    }

    /// What it asks for of what it may have; what it may not is left out, and the answer says what it got (RFC 7591 §3.2.1). Scopes about the
    /// person are no client's to have or lack.
    fn scopes(&mut self, bounds: &Bounds<'_>) -> Vec<String> {
        let Some(asked) = &self.scope else {
            self.scope = Some(bounds.scopes.join(" "));
            return bounds.scopes.to_vec();
        };
        let kept: Vec<String> =
            scope::split(asked).into_iter().filter(|name| scope::is_identity(name) || bounds.scopes.contains(name)).collect();
        self.scope = Some(kept.join(" "));
        kept.into_iter().filter(|name| !scope::is_identity(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn register(value: Value, is_stranger: bool) -> Result<(Metadata, Registered)> {
        let scopes = ["leads:read".to_owned(), "leads:write".to_owned()];
        serde_json::from_value::<Metadata>(value).unwrap().register(&Bounds { is_stranger, scopes: &scopes })
    }

    #[test]
    fn what_is_usual_is_written_out() {
        let (said, made) = register(json!({"redirect_uris": ["https://app.example/cb"], "unknown": 7}), true).unwrap();
        assert_eq!(said.token_endpoint_auth_method.as_deref(), Some("client_secret_basic"));
        assert_eq!(said.grant_types, Some(vec!["authorization_code".to_owned()]));
        assert_eq!((said.response_types.unwrap(), said.scope.as_deref()), (vec!["code".to_owned()], Some("leads:read leads:write")));
        assert_eq!((made.client.confidential, made.settings.auth_method), (Some(true), Some(AuthMethod::ClientSecretBasic)));
        assert_eq!(made.settings.grant_types, Some(vec![GrantType::AuthorizationCode]));
    }

    #[test]
    fn a_client_gets_at_most_what_it_may_have() {
        let (said, made) = register(json!({"redirect_uris": ["https://a.example/"], "scope": "leads:read admin openid"}), true).unwrap();
        assert_eq!((said.scope.as_deref(), made.client.scopes), (Some("leads:read openid"), Some(vec!["leads:read".to_owned()])));
        let code = |value: Value, is_stranger| register(value, is_stranger).unwrap_err().code();
        let machine = json!({"grant_types": ["client_credentials"]});
        assert_eq!(code(machine.clone(), true), "invalid_client_metadata");
        assert!(register(machine, false).is_ok());
        assert_eq!(
            code(json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"}), false),
            "invalid_client_metadata"
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let code = |value: Value| register(value, false).unwrap_err().code();
        assert_eq!(code(json!({})), "invalid_redirect_uri");
        let with = |name: &str, value: Value| {
            let mut body = json!({"redirect_uris": ["https://a.example/"]});
            body[name] = value;
            code(body)
        };
        assert_eq!(with("token_endpoint_auth_method", json!("tls_client_auth")), "invalid_client_metadata");
        assert_eq!(with("token_endpoint_auth_method", json!("private_key_jwt")), "invalid_client_metadata");
        assert_eq!(with("grant_types", json!(["implicit"])), "invalid_client_metadata");
        assert_eq!(with("grant_types", json!(["password"])), "invalid_client_metadata");
        assert_eq!(with("grant_types", json!([])), "invalid_client_metadata");
        assert_eq!(with("response_types", json!(["token"])), "invalid_client_metadata");
        assert_eq!(with("response_types", json!(["code", "id_token"])), "invalid_client_metadata");
        assert_eq!(with("jwks", json!({"keys": [{"kty": "oct", "k": "AAAA"}]})), "invalid_client_metadata");
        assert_eq!(with("client_name", json!("x".repeat(2049))), "invalid_client_metadata");
        assert_eq!(with("redirect_uris", json!(vec!["https://a.example/"; 51])), "invalid_client_metadata");
    }

    proptest! {
        #[test]
        fn any_texts_end_in_a_client_or_a_fault(name in ".{0,40}", grant in ".{0,40}", method in ".{0,40}", scope in ".{0,40}") {
            let body = json!({"redirect_uris": [name], "grant_types": [grant], "token_endpoint_auth_method": method, "scope": scope});
            let _ = register(body, true);
        }
    }
}
