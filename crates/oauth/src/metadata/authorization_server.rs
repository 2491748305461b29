//! `GET /.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration`.

use std::sync::Arc;

use access::jose::Algorithm;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::public;
use crate::Oauth;
use crate::clients::AuthMethod;
use crate::grant_types::GrantType;
use crate::openid;
use crate::registrations::Registration;
use crate::scope::IDENTITY;

impl Oauth {
    /// What this server can do, for clients.
    pub fn metadata(&self) -> Value {
        let issuer = &self.config.issuer;
        let at = |path: &str| format!("{issuer}{path}");
        let mut scopes = self.blueprint.all_scopes();
        scopes.extend(IDENTITY.iter().map(|(name, _)| (*name).to_owned()));
        let methods: Vec<&str> = AuthMethod::SERVED.iter().map(|method| method.name()).collect();
        let proving: Vec<&str> = methods.iter().copied().filter(|method| *method != AuthMethod::None.name()).collect();
        let algorithms: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": at("/oauth/authorize"),
            "token_endpoint": at("/oauth/token"),
            "introspection_endpoint": at("/oauth/introspect"),
            "revocation_endpoint": at("/oauth/revoke"),
            "pushed_authorization_request_endpoint": at("/oauth/par"),
            "require_pushed_authorization_requests": false,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": GrantType::SERVED.iter().map(|grant| grant.name()).collect::<Vec<_>>(),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": proving,
            "revocation_endpoint_auth_methods_supported": methods,
            "scopes_supported": scopes,
            "authorization_response_iss_parameter_supported": true,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": true,
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "service_documentation": at("/docs"),
            "jwks_uri": at("/.well-known/jwks.json"),
            "userinfo_endpoint": at("/oauth/userinfo"),
            "device_authorization_endpoint": at("/oauth/device_authorization"),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.config.signing_algorithm.name()],
            "claims_supported": openid::CLAIMS,
            "dpop_signing_alg_values_supported": algorithms,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        });
        if self.config.registration != Registration::Off {
            document["registration_endpoint"] = json!(at("/oauth/register"));
        }
        document
    }
}

pub(crate) async fn handle(State(oauth): State<Arc<Oauth>>) -> Response {
    public(&oauth.metadata())
}
