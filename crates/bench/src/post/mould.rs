//! A captured delivery from which others are cast.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use kernel::Ambient;
use web::signature::{WebhookSecret, sign_standard};

use crate::receiver::Capture;

const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");

/// Headers and body of a delivery, to be repeated with other ids.
#[derive(Debug)]
pub(super) struct Mould {
    uri: Uri,
    /// The same without scheme and host, as it stands in a request to a server.
    path: Uri,
    headers: HeaderMap,
    before: String,
    after: String,
    secrets: [WebhookSecret; 1],
    ambient: Ambient,
}

impl Mould {
    pub(super) fn new(template: &Capture, to: SocketAddr) -> Result<Self> {
        let mut headers = HeaderMap::new();
        let mut id = None;
        for (name, value) in &template.headers {
            let name = HeaderName::try_from(name.as_str())?;
            if name == "webhook-id" {
                id = Some(value.as_str());
            }
            // hyper writes the length; the connection is ours.
            if ![CONTENT_LENGTH, CONNECTION].contains(&name) {
                headers.append(name, HeaderValue::try_from(value.as_str())?);
            }
        }
        headers.insert(HOST, HeaderValue::try_from(to.to_string())?);
        let id = id.context("the captured delivery has no webhook-id")?;
        let (before, after) = template.body.split_once(id).context("the captured body does not hold its id")?;
        let ambient = Ambient::system();
        Ok(Self {
            uri: format!("http://{to}{}", template.path).parse()?,
            path: template.path.parse()?,
            headers,
            before: before.to_owned(),
            after: after.to_owned(),
            secrets: [WebhookSecret::generate(&ambient)],
            ambient,
        })
    }

    /// The delivery with another id and the template's signature.
    pub(super) fn copy(&self, id: &str) -> Request<Full<Bytes>> {
        let mut request = self.request(id, self.body(id));
        *request.uri_mut() = self.path.clone();
        request
    }

    /// The delivery with another id, signed anew and now, as whoever sends it for real must do.
    pub(super) fn signed(&self, id: &str) -> Request<Full<Bytes>> {
        let (body, at) = (self.body(id), self.ambient.now().millis() / 1000);
        let signature = sign_standard(&self.secrets, id, at, body.as_bytes());
        let mut request = self.request(id, body);
        request.headers_mut().insert(TIMESTAMP, HeaderValue::from(at));
        request.headers_mut().insert(SIGNATURE, HeaderValue::try_from(signature).expect("a signature is visible ASCII"));
        request
    }

    fn body(&self, id: &str) -> String {
        [self.before.as_str(), id, self.after.as_str()].concat()
    }

    fn request(&self, id: &str, body: String) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let id = HeaderValue::try_from(id).expect("ids are made of visible ASCII");
        request.headers_mut().insert("webhook-id", id);
        request
    }
}
