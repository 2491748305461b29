//! How a source verifies and reads, where its provider leaves a choice.

use kernel::{Error, Result, text};
use serde::{Deserialize, Serialize};

use crate::providers::{Algorithm, Encoding, Provider, SecretEncoding, SignatureVersion, Template, TemplatePart};

/// Longest name of a header.
const MAX_HEADER: usize = 100;
/// Longest tolerance: a week.
const MAX_TOLERANCE: u32 = 7 * 86_400;
/// Most steps of a path.
const MAX_STEPS: usize = 16;

/// Whether repeated calls are told from new ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deduplicate {
    /// By the provider's id; without one by the content.
    #[default]
    Auto,
    /// Every call is new.
    Off,
}

/// What an event's `data` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DataForm {
    /// The call's body.
    #[default]
    Body,
    /// `method`, `query`, `headers` (harmless ones) and `body`.
    Request,
}

/// Settings of a source. None of them is a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SourceSettings {
    /// generic-hmac: the header with the signature. bearer: the header with the token, in place of `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// generic-hmac: the hash; default sha256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// generic-hmac: how the signature is written; default either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// generic-hmac, bearer: what stands before the signature or token, such as `sha256=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// generic-hmac: the header with the time of signing (seconds or milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    /// generic-hmac: what is signed, of `{body}`, `{timestamp}`, `{id}`, `{method}`, `{url}`, `{path}`; default `{body}`, or
    /// `{timestamp}.{body}` where there is a timestampHeader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// generic-hmac: how the secret's text becomes the key; default its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_encoding: Option<SecretEncoding>,
    /// basic, pipedrive: the user; the secret is the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// hubspot: the only version that is admitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_version: Option<SignatureVersion>,
    /// hubspot, twilio, generic-hmac: the address that the vendor signs, without a query, where it is not the source's `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url: Option<String>,
    /// How far from now a signed time may be: 1 to 604800 seconds; default 300 (sendgrid: a day).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<u32>,
    /// The header that names the event's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_header: Option<String>,
    /// Where in the body the type stands: `event.type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_path: Option<String>,
    /// The header with the provider's id of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_header: Option<String>,
    /// Where in the body that id stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_path: Option<String>,
    /// Whether repeated calls are told from new ones; default auto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplicate: Option<Deduplicate>,
    /// What an event's `data` is; default body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataForm>,
}

impl SourceSettings {
    /// Errors: 422 `validation_failed`, with pointers that begin with `/settings`.
    pub(crate) fn check(&self, provider: Provider) -> Result<()> {
        self.check_fit(provider)?;
        let headers = [
            ("header", &self.header),
            ("timestampHeader", &self.timestamp_header),
            ("typeHeader", &self.type_header),
            ("idHeader", &self.id_header),
        ];
        for (name, value) in headers {
            let is_name = |text: &String| text.len() <= MAX_HEADER && http::HeaderName::try_from(text.as_str()).is_ok();
            if !value.as_ref().is_none_or(is_name) {
                return Err(fault(name, "must be the name of a header"));
            }
        }
        for (name, value) in [("typePath", &self.type_path), ("idPath", &self.id_path)] {
            let is_path = |text: &String| text.split('.').count() <= MAX_STEPS && text.split('.').all(|step| !step.is_empty());
            if !value.as_ref().is_none_or(|text| text.len() <= text::MAX_NAME && is_path(text)) {
                return Err(fault(name, "must be names between dots, such as event.type"));
            }
        }
        if let Some(prefix) = &self.prefix {
            text::line("/settings/prefix", prefix, 1, 50)?;
        }
        if let Some(username) = &self.username {
            text::line("/settings/username", username, 1, text::MAX_NAME)?;
            if username.contains(':') {
                return Err(fault("username", "must not contain a colon"));
            }
        }
        if self.tolerance_seconds.is_some_and(|seconds| !(1..=MAX_TOLERANCE).contains(&seconds)) {
            return Err(fault("toleranceSeconds", format!("must be 1 to {MAX_TOLERANCE}")));
        }
        if let Some(address) = &self.signed_url {
            let fits = url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
            if address.len() > 2000 || !fits {
                return Err(fault("signedUrl", "must be an http or https address without a query"));
            }
        }
        self.check_template()
    }

    fn check_template(&self) -> Result<()> {
        let Some(template) = self.template.as_deref().map(Template::parse).transpose()? else { return Ok(()) };
        if template.has(&TemplatePart::Timestamp) != self.timestamp_header.is_some() {
            return Err(fault(
                "template",
                "has {timestamp} exactly where timestampHeader is set: a time that is not signed proves nothing",
            ));
        }
        if template.has(&TemplatePart::Id) && self.id_header.is_none() {
            return Err(fault("template", "with {id} needs idHeader"));
        }
        Ok(())
    }

    /// A setting that the provider has no use for is a misunderstanding.
    fn check_fit(&self, provider: Provider) -> Result<()> {
        let generic = provider == Provider::GenericHmac;
        let bearer = provider == Provider::Bearer;
        let times = provider.signs_time(self);
        let given = [
            ("header", self.header.is_some(), generic || bearer),
            ("algorithm", self.algorithm.is_some(), generic),
            ("encoding", self.encoding.is_some(), generic),
            ("prefix", self.prefix.is_some(), generic || (bearer && self.header.is_some())),
            ("timestampHeader", self.timestamp_header.is_some(), generic),
            ("template", self.template.is_some(), generic),
            ("secretEncoding", self.secret_encoding.is_some(), generic),
            ("username", self.username.is_some(), matches!(provider, Provider::Basic | Provider::Pipedrive)),
            ("signatureVersion", self.signature_version.is_some(), provider == Provider::Hubspot),
            ("signedUrl", self.signed_url.is_some(), generic || matches!(provider, Provider::Hubspot | Provider::Twilio)),
            ("toleranceSeconds", self.tolerance_seconds.is_some(), times),
        ];
        match given.iter().find(|(_, given, fits)| *given && !fits) {
            Some((name, ..)) => Err(fault(name, format!("has no meaning for {} as it is set up here", provider.as_str()))),
            None => Ok(()),
        }
    }
}

fn fault(name: &str, detail: impl Into<String>) -> Error {
    Error::field(format!("/settings/{name}"), detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SourceSettings;
    use crate::providers::Provider;

    #[test]
    fn faults_say_where() {
        for (provider, settings, pointer) in [
            (Provider::Github, json!({"algorithm": "sha1"}), "/settings/algorithm"),
            (Provider::Github, json!({"toleranceSeconds": 5}), "/settings/toleranceSeconds"),
            (Provider::GenericHmac, json!({"header": "not a header"}), "/settings/header"),
            (Provider::GenericHmac, json!({"template": "{timestamp}{body}"}), "/settings/template"),
            (Provider::GenericHmac, json!({"template": "{body}", "timestampHeader": "x-at"}), "/settings/template"),
            (Provider::GenericHmac, json!({"template": "{id}{body}"}), "/settings/template"),
            (Provider::Bearer, json!({"prefix": "Token "}), "/settings/prefix"),
            (Provider::Basic, json!({"username": "a:b"}), "/settings/username"),
            (Provider::Stripe, json!({"toleranceSeconds": 0}), "/settings/toleranceSeconds"),
            (Provider::Twilio, json!({"signedUrl": "https://a.example/?x=1"}), "/settings/signedUrl"),
            (Provider::Github, json!({"typePath": "a..b"}), "/settings/typePath"),
        ] {
            let settings: SourceSettings = serde_json::from_value(settings).unwrap();
            assert_eq!(settings.check(provider).unwrap_err().fields()[0].pointer, pointer);
        }
        assert!(serde_json::from_value::<SourceSettings>(json!({"colour": 1})).is_err());
    }

    #[test]
    fn good_settings_pass_and_round_trip() {
        for (provider, settings) in [
            (
                Provider::GenericHmac,
                json!({"header": "X-Sig", "algorithm": "sha512", "encoding": "base64", "prefix": "v1,",
                "timestampHeader": "X-At", "template": "{timestamp}:{method}:{path}:{body}", "toleranceSeconds": 60}),
            ),
            (Provider::Bearer, json!({"header": "X-Api-Key", "prefix": "Token "})),
            (Provider::Hubspot, json!({"signatureVersion": "v3", "signedUrl": "https://a.example/in"})),
            (Provider::Github, json!({"typePath": "a.b.0", "idHeader": "x-id", "deduplicate": "off", "data": "request"})),
        ] {
            let read: SourceSettings = serde_json::from_value(settings.clone()).unwrap();
            read.check(provider).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), settings);
        }
    }
}
