//! A carrier for trying a connector by hand: one credential, no budget, no log.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::Secret;
use url::Url;
use web::outbound::{Client, OutboundFault, OutboundRequest, to_uri};

use crate::{Auth, Body, BudgetNews, Call, Carrier, Fault, Renewal, Reply, Target};

/// Most of an answer.
const CAP: usize = 32 << 20;
/// For one call.
const PATIENCE: Duration = Duration::from_secs(60);

/// Carries calls with one credential. What it talks to is whoever's command it runs for has named.
pub struct Direct {
    client: Client,
    base: Url,
    credential: Option<(HeaderName, HeaderValue)>,
}

impl Direct {
    /// To this base, with a token as `auth` says (for Basic authentication `name:password`).
    ///
    /// Errors: what is wrong with either, for people.
    pub fn new(client: Client, base: &str, auth: &Auth, token: Option<&Secret<String>>) -> Result<Self, String> {
        let base = Url::parse(base.trim_end_matches('/')).map_err(|error| format!("{base:?} is no URL: {error}"))?;
        if !matches!(base.scheme(), "http" | "https") || base.query().is_some() || base.fragment().is_some() {
            return Err(format!("{base} is no base address: it is http or https, without a query"));
        }
        let header = |name: &str, value: String| {
            let mut value = HeaderValue::from_str(&value).map_err(|_| "the token cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            let name = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no name of a header"))?;
            Ok::<_, String>((name, value))
        };
        let credential = match (auth, token) {
            (Auth::None, _) | (_, None) => None,
            (Auth::ApiKey { header: name, prefix }, Some(token)) => Some(header(name, format!("{prefix}{}", token.reveal()))?),
            (Auth::OAuth2 { .. }, Some(token)) => Some(header(AUTHORIZATION.as_str(), format!("Bearer {}", token.reveal()))?),
            (Auth::Basic, Some(token)) => Some(header(AUTHORIZATION.as_str(), format!("Basic {}", STANDARD.encode(token.reveal())))?),
        };
        Ok(Self { client, base, credential })
    }

    fn request(&self, call: &Call) -> Result<OutboundRequest, Fault> {
        let refused = |message: &str| Fault::Refused { code: "address_refused".to_owned(), message: message.to_owned(), field: None };
        let whole = match &call.target {
            Target::Path(path) => format!("{}{path}", self.base.as_str().trim_end_matches('/')),
            Target::Url(url) => url.clone(),
        };
        let mut url = Url::parse(&whole).map_err(|_| refused("it is no URL"))?;
        if url.origin() != self.base.origin() {
            return Err(refused("it belongs to another host than the account's base"));
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut headers: HeaderMap = call.headers.clone();
        headers.extend(self.credential.clone());
        let (media, body) = match &call.body {
            Body::Empty => (None, Bytes::new()),
            Body::Json(json) => (Some("application/json".to_owned()), Bytes::from(json.to_string())),
            Body::Form(pairs) => {
                let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
                (Some("application/x-www-form-urlencoded".to_owned()), Bytes::from(form))
            }
            Body::Bytes(media, bytes) => (Some(media.clone()), bytes.clone()),
        };
        if let Some(media) = media.and_then(|media| HeaderValue::try_from(media).ok()) {
            headers.insert(CONTENT_TYPE, media);
        }
        let uri = to_uri(&url).map_err(|refusal| refused(&refusal.to_string()))?;
        let repeatable = call.repeatable;
        Ok(OutboundRequest { method: call.method.clone(), uri, headers, body, timeout: PATIENCE, response_cap: CAP, repeatable })
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Direct({})", self.base)
    }
}

impl Carrier for Direct {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(async move {
            let answer = self.client.send(self.request(&call)?).await.map_err(|error| match error.kind {
                OutboundFault::Timeout | OutboundFault::Protocol => Fault::Lost { message: error.text },
                _ => Fault::Unavailable { message: error.text },
            })?;
            if answer.truncated {
                let message = format!("the answer is longer than {CAP} bytes");
                return Err(Fault::Refused { code: "answer_too_large".to_owned(), message, field: None });
            }
            Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body, generation: 0 })
        })
    }

    fn renew(&self, _: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        Box::pin(async { Ok(Renewal::Refused) })
    }

    fn told(&self, _: BudgetNews) {}
}
