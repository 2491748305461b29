//! What SQS and S3 share: credentials, and requests signed with Signature Version 4 by Amazon's own signer, sent by our client.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use dispatch::MAX_BODY;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{Error, Result, Timestamp};
use url::Url;
use web::outbound::{Client, OutboundError, OutboundRequest, OutboundResponse};

use crate::configuration::{MAX_TEXT, optional, text};
use crate::fault::Fault;

/// Who we are at the service, and where.
pub(crate) struct Identity {
    credentials: Credentials,
    region: String,
    service: &'static str,
}

impl Identity {
    /// Errors: 422 at the field.
    pub(crate) fn new(
        service: &'static str,
        region: &str,
        access_key_id: &str,
        secret_access_key: &str,
        session_token: Option<&String>,
    ) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.is_empty() || region.len() > 64 || !region.chars().all(plain) {
            return Err(Error::field("/region", "must be a region such as eu-central-1"));
        }
        text("accessKeyId", access_key_id, 256)?;
        if !access_key_id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b',')) {
            return Err(Error::field("/accessKeyId", "must be printable ASCII without / and comma"));
        }
        text("secretAccessKey", secret_access_key, MAX_TEXT)?;
        optional("sessionToken", session_token, MAX_TEXT)?;
        if session_token.is_some_and(|token| HeaderValue::from_str(token).is_err()) {
            return Err(Error::field("/sessionToken", "must be printable ASCII"));
        }
        let credentials = Credentials::new(access_key_id, secret_access_key, session_token.cloned(), None, "destination");
        Ok(Self { credentials, region: region.to_owned(), service })
    }

    /// Signs `headers` and `body` for `uri`, and sends them.
    pub(crate) async fn send(&self, client: &Client, request: Request<'_>) -> Result<OutboundResponse, SendError> {
        let Request { method, uri, mut headers, body, now, timeout } = request;
        self.sign(&method, uri, &mut headers, &body, now).map_err(SendError::Signing)?;
        let request = OutboundRequest { method, uri: uri.clone(), headers, body, timeout, response_cap: MAX_BODY, repeatable: true };
        client.send(request).await.map_err(SendError::Sending)
    }

    fn sign(&self, method: &Method, uri: &Uri, headers: &mut HeaderMap, body: &Bytes, now: Timestamp) -> Result<()> {
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            // S3 signs the path as it is sent, and wants the body's hash in a header.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let identity = self.credentials.clone().into();
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.millis()).unwrap_or_default());
        let params = v4::SigningParams::builder().identity(&identity).region(&self.region).name(self.service).time(at).settings(settings);
        let params = params.build().map_err(Error::internal)?.into();
        let texts: Vec<(&str, &str)> = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let uri = uri.to_string();
        let signable =
            SignableRequest::new(method.as_str(), &uri, texts.into_iter(), SignableBody::Bytes(body)).map_err(Error::internal)?;
        let (instructions, _) = sign(signable, &params).map_err(Error::internal)?.into_parts();
        let made: Vec<(HeaderName, HeaderValue)> = instructions
            .headers()
            .map(|(name, value)| Ok((name.parse().map_err(Error::internal)?, HeaderValue::from_str(value).map_err(Error::internal)?)))
            .collect::<Result<_>>()?;
        headers.extend(made);
        Ok(())
    }
}

/// A request to be signed and sent.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) now: Timestamp,
    pub(crate) timeout: Duration,
}

/// Why no answer came.
pub(crate) enum SendError {
    Signing(Error),
    Sending(OutboundError),
}

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Signing(error) => {
                tracing::warn!(?error, "a request could not be signed");
                Self::rejected("protocol", "the request could not be signed with these credentials")
            }
            SendError::Sending(error) => error.into(),
        }
    }
}

/// A URL without query and fragment. Error: 422 at `field`.
pub(crate) fn plain_url(field: &str, text: &str) -> Result<Url> {
    let refuse = || Error::field(format!("/{field}"), "must be an absolute http(s) URL without query and fragment");
    let url = Url::parse(text).map_err(|_| refuse())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if plain && url.has_host() { Ok(url) } else { Err(refuse()) }
}

/// What a refusal by its status means.
pub(crate) fn kind_of(status: u16) -> &'static str {
    match status {
        401 | 403 => "credentials",
        404 => "missing",
        _ => "status",
    }
}
