//! The whole HTTP surface of this feature.

use std::sync::Arc;

use http::Method;
use kernel::Permission::{ClientsRead, ClientsWrite};
use serde_json::json;
use web::Access::{AnyCredential, Permission, Public};
use web::{Api, Endpoint};

use crate::clients::{ClientSettings, SettingsInput};
use crate::consents::AuthorizedApp;
use crate::form::MAX_FORM;
use crate::requests::Pushed;
use crate::tokens::{TokenAnswer, introspect, revoke};
use crate::{Oauth, clients, consents, errors, metadata, requests, tokens};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
const SETTINGS: &str = "/api/v1/api-clients/{id}/oauth";
const APPS: &str = "/api/v1/authorized-apps";
const APP: &str = "/api/v1/authorized-apps/{id}";

impl Oauth {
    /// Every route of this feature.
    #[rustfmt::skip]
    pub fn routes(self: &Arc<Self>) -> Api {
        let s = || Arc::clone(self);
        let own = |endpoint: Endpoint| endpoint.tag("OAuth").query(&[("everyone", "For a person: those of everybody in the tenant")]).paged();
        Api::new()
            .merge(self.protocol_routes())
            .merge(self.discovery_routes())
            .merge(self.extension_routes())
            .route(settings(Endpoint::get(SETTINGS, "oauth_clients.get"), "Read how an API client may use OAuth").needs(Permission(ClientsRead)).answers::<ClientSettings>(200), clients::get, s())
            .route(settings(Endpoint::put(SETTINGS, "oauth_clients.replace"), "Set how an API client may use OAuth").needs(Permission(ClientsWrite)).body::<SettingsInput>().answers::<ClientSettings>(200), clients::replace, s())
            .route(own(Endpoint::get(APPS, "authorized_apps.list")).summary("List the applications that were allowed something").needs(AnyCredential).answers_page::<AuthorizedApp>(), consents::list, s())
            .route(Endpoint::delete(APP, "authorized_apps.withdraw").tag("OAuth").summary("Withdraw what an application was allowed, with its tokens").needs(AnyCredential).answers_nothing(), consents::withdraw, s())
    }

    #[rustfmt::skip]
    fn protocol_routes(self: &Arc<Self>) -> Api {
        let s = || Arc::clone(self);
        Api::new()
            .route(protocol(Method::GET, "/oauth/authorize", "oauth.authorize", "Where a person's browser asks for a code").query(AUTHORIZE).answers_empty(303).answers_media(400, "text/html"), requests::authorize, s())
            .route(protocol(Method::POST, "/oauth/authorize", "oauth.authorize_post", "The same, with the parameters in the body").body_schema(form_schema(AUTHORIZE)).body_media(FORM).answers_empty(303).answers_media(400, "text/html"), requests::authorize_post, s())
            .route(protocol(Method::POST, "/oauth/par", "oauth.push", "Push an authorization request (RFC 9126)").body_schema(form_schema(AUTHORIZE)).body_media(FORM).answers::<Pushed>(201), requests::push, s())
            .route(protocol(Method::POST, "/oauth/token", "oauth.token", "Get tokens").body_schema(form_schema(TOKEN)).body_media(FORM).answers::<TokenAnswer>(200), tokens::token, s())
            .route(protocol(Method::POST, "/oauth/introspect", "oauth.introspect", "What a token says (RFC 7662)").body_schema(form_schema(ONE_TOKEN)).body_media(FORM).answers_schema(200, json!({"type": "object", "required": ["active"], "properties": {"active": {"type": "boolean"}}})), introspect::handle, s())
            .route(protocol(Method::POST, "/oauth/revoke", "oauth.revoke", "End a token (RFC 7009)").body_schema(form_schema(ONE_TOKEN)).body_media(FORM).answers_empty(200), revoke::handle, s())
    }

    #[rustfmt::skip]
    fn discovery_routes(self: &Arc<Self>) -> Api {
        let s = || Arc::clone(self);
        let document = |path: &str, id: &str, summary: &str| Endpoint::get(path, id).tag("OAuth").summary(summary).needs(Public).answers_schema(200, json!({"type": "object"}));
        Api::new()
            .route(document("/.well-known/oauth-authorization-server", "oauth.metadata", "What the authorization server can do (RFC 8414)"), metadata::authorization_server, s())
            .route(document("/.well-known/openid-configuration", "oauth.openid_configuration", "The same, where OpenID Connect looks for it"), metadata::authorization_server, s())
            .route(document("/.well-known/oauth-protected-resource", "oauth.protected_resource", "Which authorization server gives tokens for this one (RFC 9728)"), metadata::protected_resource, s())
            .route(document("/.well-known/oauth-protected-resource/{*path}", "oauth.protected_resource_path", "The same for a part of it, such as mcp").fails(&[404]), metadata::protected_resource_path, s())
    }
}

const AUTHORIZE: &[(&str, &str)] = &[
    ("response_type", "code"),
    ("client_id", "The API client's id"),
    ("redirect_uri", "Where the answer goes: one of the client's, letter by letter"),
    ("scope", "What is asked for, with spaces between"),
    ("state", "Sent back as it came"),
    ("code_challenge", "SHA-256 of the code_verifier, base64url (RFC 7636)"),
    ("code_challenge_method", "S256"),
    ("resource", "What the token is for (RFC 8707)"),
    ("request_uri", "The name of a pushed request, in place of all others but client_id"),
    ("prompt", "none, login, consent, select_account"),
    ("max_age", "How old the sign-in may be, in seconds"),
    ("nonce", "For the id_token"),
    ("login_hint", "Who is likely to sign in"),
    ("response_mode", "query"),
    ("dpop_jkt", "Thumbprint of the key that the redemption proves (RFC 9449)"),
];
const TOKEN: &[(&str, &str)] = &[
    ("grant_type", "authorization_code, refresh_token, client_credentials, or the names of RFC 8628 and RFC 8693"),
    ("client_id", "The API client's id, where no header says it"),
    ("client_secret", "Its secret, where no header shows it"),
    ("code", "The code"),
    ("code_verifier", "What the code_challenge was made of"),
    ("redirect_uri", "The request's, if it is sent"),
    ("refresh_token", "The refresh token, which is used up"),
    ("device_code", "The device code (RFC 8628)"),
    ("subject_token", "The access token to be exchanged (RFC 8693)"),
    ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ("client_assertion", "A JWT that the client signed, in place of a secret (RFC 7523)"),
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
    ("scope", "What is asked for, or less than was granted"),
    ("resource", "What the token is for (RFC 8707)"),
];
const ONE_TOKEN: &[(&str, &str)] = &[
    ("token", "The token"),
    ("token_type_hint", "Not needed: tokens say what they are"),
    ("client_id", "The API client's id, where no header says it"),
    ("client_secret", "Its secret, where no header shows it"),
];

fn settings(endpoint: Endpoint, summary: &str) -> Endpoint {
    endpoint.tag("OAuth").summary(summary)
}

/// A route of the protocol: what is asked for proves itself, errors are the protocol's, and nothing is repeated by an idempotency key.
pub(crate) fn protocol(method: Method, path: &str, id: &str, summary: &str) -> Endpoint {
    let endpoint = Endpoint::new(method, path, id).tag("OAuth").summary(summary).needs(Public);
    endpoint.idempotent(false).errors(errors::form()).body_limit(MAX_FORM).fails(&[400, 401, 429])
}

pub(crate) fn form_schema(parameters: &[(&str, &str)]) -> serde_json::Value {
    let members = parameters.iter().map(|(name, about)| ((*name).to_owned(), json!({"type": "string", "description": about})));
    json!({"type": "object", "properties": members.collect::<serde_json::Map<_, _>>()})
}
