//! What is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use kernel::{Error, Result, Secret};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use web::outbound::OutboundRequest;

use super::App;
use super::send::{MAX_ANSWER, TIMEOUT};
use crate::providers::{ClientAuthentication, Provider};

/// What is shown to the token endpoint.
pub(crate) enum Grant<'a> {
    /// A code (RFC 6749 §4.1.3), with its verifier (RFC 7636).
    Code { code: &'a Secret<String>, redirect_uri: &'a str, verifier: Option<&'a Secret<String>> },
    /// A refresh token (§6). No scope: vendors refuse it there.
    Refresh { token: &'a Secret<String> },
}

type Fields = Vec<(String, String)>;

impl Grant<'_> {
    fn fields(&self, provider: &Provider) -> Fields {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (mut fields, more) = match self {
            Self::Code { code, redirect_uri, verifier } => {
                let mut fields =
                    vec![pair("grant_type", "authorization_code"), pair("code", code.reveal()), pair("redirect_uri", redirect_uri)];
                fields.extend(verifier.map(|verifier| pair("code_verifier", verifier.reveal())));
                (fields, &provider.token_parameters)
            }
            Self::Refresh { token } => {
                (vec![pair("grant_type", "refresh_token"), pair("refresh_token", token.reveal())], &provider.refresh_parameters)
            }
        };
        fields.extend(more.iter().map(|(name, value)| pair(name, value)));
        fields
    }

    /// The request. Error: internal, for an address that the HTTP client does not take.
    pub(super) fn request(&self, provider: &Provider, url: &Url, app: &App) -> Result<OutboundRequest> {
        post(provider, url, self.fields(provider), Some(app))
    }
}

/// A POST with these fields, by which the app proves itself if one is given.
pub(super) fn post(provider: &Provider, url: &Url, mut fields: Fields, app: Option<&App>) -> Result<OutboundRequest> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    match (app, provider.client_authentication) {
        (None, _) => {}
        (Some(App { client_id, client_secret: Some(secret) }), ClientAuthentication::Basic) => {
            // Both are encoded as in a form before they are joined (RFC 6749 §2.3.1).
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret.reveal())));
            headers.insert(AUTHORIZATION, sensitive(&format!("Basic {pair}"))?);
        }
        (Some(App { client_id, client_secret }), _) => {
            fields.push(("client_id".to_owned(), client_id.clone()));
            fields.extend(client_secret.as_ref().map(|secret| ("client_secret".to_owned(), secret.reveal().clone())));
        }
    }
    let (media, body) = match provider.json {
        true => ("application/json", json(fields)),
        false => ("application/x-www-form-urlencoded", Serializer::new(String::new()).extend_pairs(fields).finish()),
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    Ok(OutboundRequest {
        method: Method::POST,
        uri: web::outbound::to_uri(url).map_err(|refusal| Error::internal(refusal.to_string()))?,
        headers,
        body: Bytes::from(body),
        timeout: TIMEOUT,
        response_cap: MAX_ANSWER,
        // A token that rotates must not be shown twice behind our back.
        repeatable: false,
    })
}

/// A header that logs do not show.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::internal("a credential that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn json(fields: Fields) -> String {
    Value::Object(fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>()).to_string()
}

/// The address at which a person agrees (RFC 6749 §4.1.1).
pub(crate) fn authorize_url(
    provider: &Provider,
    endpoint: &Url,
    client_id: &str,
    redirect_uri: &str,
    scopes: &[String],
    state: &Secret<String>,
    challenge: Option<&str>,
) -> Url {
    let mut url = endpoint.clone();
    let mut query = url.query_pairs_mut();
    query.append_pair("response_type", "code").append_pair("client_id", client_id).append_pair("redirect_uri", redirect_uri);
    if provider.scope_parameter.ends_with("[]") {
        query.extend_pairs(scopes.iter().map(|scope| (provider.scope_parameter.as_str(), scope.as_str())));
    } else if !scopes.is_empty() {
        query.append_pair(&provider.scope_parameter, &scopes.join(&provider.scope_separator));
    }
    query.append_pair("state", state.reveal());
    if let Some(challenge) = challenge {
        query.append_pair("code_challenge", challenge).append_pair("code_challenge_method", "S256");
    }
    query.extend_pairs(&provider.authorize_parameters);
    drop(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::find;

    fn app() -> App {
        App { client_id: "a client".into(), client_secret: Some(Secret::new("s%:é".into())) }
    }

    fn sent(id: &str) -> OutboundRequest {
        let token = Secret::new("r1".to_owned());
        let url = Url::parse("https://vendor.example/token").unwrap();
        Grant::Refresh { token: &token }.request(find(id).unwrap(), &url, &app()).unwrap()
    }

    #[test]
    fn the_app_proves_itself_as_the_vendor_wants() {
        let zoho = sent("zoho");
        assert_eq!(zoho.body, "grant_type=refresh_token&refresh_token=r1&client_id=a+client&client_secret=s%25%3A%C3%A9");
        assert!(!zoho.headers.contains_key(AUTHORIZATION) && !zoho.repeatable);
        let pipedrive = sent("pipedrive");
        assert_eq!(pipedrive.body, "grant_type=refresh_token&refresh_token=r1");
        let basic = format!("Basic {}", STANDARD.encode("a+client:s%25%3A%C3%A9"));
        assert_eq!(pipedrive.headers[AUTHORIZATION], basic);
        assert!(!format!("{:?}", pipedrive.headers).contains(&basic));
        let razorpay = sent("razorpay");
        assert_eq!(razorpay.headers[CONTENT_TYPE], "application/json");
        assert_eq!(serde_json::from_slice::<Value>(&razorpay.body).unwrap()["refresh_token"], "r1");
    }

    #[test]
    fn scopes_are_joined_or_repeated() {
        let of = |id: &str| {
            let (scopes, state) = (["a b".to_owned(), "c".to_owned()], Secret::new("s&t".to_owned()));
            let endpoint = Url::parse("https://vendor.example/authorize").unwrap();
            authorize_url(find(id).unwrap(), &endpoint, "id", "https://us.example/cb", &scopes, &state, Some("ch")).to_string()
        };
        assert!(of("slack").contains("&scope=a+b%2Cc&state=s%26t&code_challenge=ch&code_challenge_method=S256"));
        assert!(of("razorpay").contains("&scope%5B%5D=a+b&scope%5B%5D=c&"));
        assert!(of("google").ends_with("&access_type=offline&include_granted_scopes=true&prompt=consent"));
    }
}
