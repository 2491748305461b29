//! The HTTP surface of what goes beyond the protocol's core: keys, who signed in, devices, registration.

use std::sync::Arc;

use access::signing_keys::{JwtKey, RotateKeys};
use http::Method;
use serde_json::json;
use web::Access::{AnyCredential, Operator, Public};
use web::{Api, Endpoint};

use crate::device::DeviceAnswer;
use crate::jwks::SigningKeyList;
use crate::openid::UserInfo;
use crate::registrations::{Metadata, RegistrationAnswer};
use crate::routes::{FORM, form_schema, protocol};
use crate::{Oauth, device, jwks, openid, registrations};

const REGISTRATION: &str = "/oauth/register/{clientId}";
const KEYS: &str = "/api/v1/signing-keys";
const KEYS_ROTATE: &str = "/api/v1/signing-keys/rotate";
const DEVICE: &[(&str, &str)] = &[
    ("client_id", "The API client's id, where no header says it"),
    ("client_secret", "Its secret, where no header shows it"),
    ("scope", "What is asked for, with spaces between"),
    ("resource", "What the token is for (RFC 8707)"),
];

impl Oauth {
    #[rustfmt::skip]
    pub(crate) fn extension_routes(self: &Arc<Self>) -> Api {
        let s = || Arc::clone(self);
        let user_info = |endpoint: Endpoint| endpoint.tag("OAuth").summary("Who allowed the token: what they allowed to be told").needs(AnyCredential).idempotent(false).answers::<UserInfo>(200);
        let registration = |method: Method, id: &str, summary: &str| protocol(method, REGISTRATION, id, summary).answers::<RegistrationAnswer>(200);
        Api::new()
            .route(Endpoint::get("/.well-known/jwks.json", "oauth.jwks").tag("OAuth").summary("The keys that verify signed tokens (RFC 7517)").needs(Public).answers_schema(200, json!({"type": "object", "required": ["keys"], "properties": {"keys": {"type": "array", "items": {"type": "object"}}}})), jwks::published, s())
            .route(Endpoint::get(KEYS, "signing_keys.list").tag("OAuth").summary("List the keys that sign tokens").needs(Operator).answers::<SigningKeyList>(200), jwks::list, s())
            .route(Endpoint::post(KEYS_ROTATE, "signing_keys.rotate").tag("OAuth").summary("Make the next key that signs tokens").needs(Operator).body::<RotateKeys>().answers::<JwtKey>(201), jwks::rotate, s())
            .route(user_info(Endpoint::get("/oauth/userinfo", "oauth.userinfo")), openid::userinfo, s())
            .route(user_info(Endpoint::post("/oauth/userinfo", "oauth.userinfo_post")), openid::userinfo, s())
            .route(protocol(Method::POST, "/oauth/device_authorization", "oauth.device_authorization", "Begin for a device without a browser (RFC 8628)").body_schema(form_schema(DEVICE)).body_media(FORM).answers::<DeviceAnswer>(200), device::authorize, s())
            .route(protocol(Method::POST, "/oauth/register", "oauth.register", "Register a client (RFC 7591)").body::<Metadata>().fails(&[403, 404]).answers::<RegistrationAnswer>(201), registrations::create, s())
            .route(registration(Method::GET, "oauth.registration", "Read a registration (RFC 7592)"), registrations::get, s())
            .route(registration(Method::PUT, "oauth.replace_registration", "Replace a registration").body::<Metadata>(), registrations::replace, s())
            .route(protocol(Method::DELETE, REGISTRATION, "oauth.delete_registration", "Remove a registration with its client").answers_nothing(), registrations::delete, s())
    }
}
