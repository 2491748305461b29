//! Signatures that the vendors' own SDKs accepted, or that stand in their documentation: each is accepted here too, and nothing near it is.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};
use kernel::Timestamp;
use serde::Deserialize;

use super::{Check, Provider, Refusal, Template, verify};
use crate::calls::Call;
use crate::sources::SourceSettings;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    provider: Provider,
    about: String,
    accepted_by: String,
    secret: String,
    #[serde(default)]
    url: String,
    query: Option<String>,
    headers: BTreeMap<String, String>,
    body: String,
    /// When it was signed, in seconds, where that is signed.
    #[serde(default)]
    at: Option<i64>,
    #[serde(default)]
    settings: SourceSettings,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../tests/data/signature_vectors.json")).unwrap()
}

impl Vector {
    fn verdict_under(&self, secrets: &[&str], seconds_later: i64) -> Result<(), Refusal> {
        let pair = |(name, value): (&String, &String)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        let headers: HeaderMap = self.headers.iter().map(pair).collect();
        let call = Call { method: Method::POST, query: self.query.clone(), headers, body: Bytes::from(self.body.clone()) };
        let template = self.settings.template.as_deref().map(|text| Template::parse(text).unwrap());
        verify(&Check {
            call: &call,
            settings: &self.settings,
            template: template.as_ref(),
            secrets,
            url: &self.url,
            now: Timestamp::from_millis((self.at.unwrap_or(1_700_000_000) + seconds_later) * 1000),
            provider: self.provider,
        })
    }

    fn verdict(&self) -> Result<(), Refusal> {
        self.verdict_under(&[&self.secret], 0)
    }

    fn name(&self) -> String {
        format!("{} {} ({})", self.provider.as_str(), self.about, self.accepted_by)
    }

    /// The headers that carry a proof.
    fn proofs(&self) -> Vec<String> {
        let is_proof =
            |name: &&String| ["signature", "hmac"].iter().any(|word| name.to_lowercase().contains(word)) && !name.ends_with("Version");
        let is_time = |name: &&String| name.to_lowercase().ends_with("timestamp");
        self.headers.keys().filter(|name| is_proof(name) && !is_time(name)).cloned().collect()
    }
}

#[test]
fn what_the_vendors_accept_is_accepted() {
    for vector in vectors() {
        assert_eq!(vector.verdict(), Ok(()), "{}", vector.name());
        assert_eq!(vector.verdict_under(&["another", &vector.secret], 0), Ok(()), "{}: the older of two", vector.name());
    }
}

#[test]
fn what_was_touched_is_refused() {
    for vector in vectors() {
        let forged = |vector: &Vector| assert_eq!(vector.verdict(), Err(Refusal::InvalidSignature), "{}", vector.name());
        forged(&Vector { body: format!("{}x", vector.body), ..vector.clone() });
        let other = if vector.provider == Provider::Sendgrid {
            vector.secret.replace("BBzY", "BBzZ").replace("EEh7", "EEh8")
        } else {
            format!("{}x", vector.secret)
        };
        forged(&Vector { secret: other, ..vector.clone() });
        for name in vector.proofs() {
            let mut touched = vector.clone();
            let value = &vector.headers[&name];
            // The last digit that is not padding.
            let at = value.trim_end_matches('=').len() - 2;
            let digit = if value[at..].starts_with('a') { 'b' } else { 'a' };
            touched.headers.insert(name.clone(), format!("{}{digit}{}", &value[..at], &value[at + 1..]));
            forged(&touched);
            touched.headers.insert(name.clone(), String::new());
            assert!(touched.verdict().is_err(), "{} with an empty {name}", vector.name());
            touched.headers.remove(&name);
            assert_eq!(touched.verdict(), Err(Refusal::MissingSignature), "{} without {name}", vector.name());
        }
        if vector.query.is_some() {
            forged(&Vector { query: vector.query.clone().map(|query| format!("{query}&x=1")), ..vector.clone() });
        }
        assert_eq!(vector.verdict_under(&[], 0), Err(Refusal::NoSecret));
    }
}

#[test]
fn a_time_that_is_signed_has_its_window() {
    let (mut signed, mut unsigned) = (0, 0);
    for vector in vectors() {
        let window = if vector.provider == Provider::Sendgrid { 86_400 } else { 300 };
        if vector.at.is_none() {
            unsigned += 1;
            assert_eq!(vector.verdict_under(&[&vector.secret], 1_000_000), Ok(()), "{}", vector.name());
            continue;
        }
        signed += 1;
        for (later, expected) in
            [(window, Ok(())), (-window, Ok(())), (window + 1, Err(Refusal::StaleTimestamp)), (-window - 1, Err(Refusal::StaleTimestamp))]
        {
            assert_eq!(vector.verdict_under(&[&vector.secret], later), expected, "{} {later} s later", vector.name());
        }
        let narrow = SourceSettings { tolerance_seconds: Some(10), ..vector.settings.clone() };
        let narrow = Vector { settings: narrow, ..vector };
        assert_eq!(narrow.verdict_under(&[&narrow.secret], 11), Err(Refusal::StaleTimestamp));
    }
    assert!(signed >= 5 && unsigned >= 7, "{signed} {unsigned}");
}

/// A forger may take any header away, repeat an older version, or change the kind of body.
#[test]
fn there_is_no_way_around_a_check() {
    let of = |provider: Provider, about: &str| {
        vectors().into_iter().find(|vector| vector.provider == provider && vector.about.starts_with(about)).unwrap()
    };
    // Twilio signs a form's fields; another body must be named by its hash in the address.
    let form = of(Provider::Twilio, "form");
    let mut json = Vector { body: String::new(), ..form.clone() };
    json.headers.insert("content-type".into(), "application/json".into());
    assert_eq!(json.verdict(), Err(Refusal::InvalidSignature), "the form's fields are missing from what is signed");
    let hashed = of(Provider::Twilio, "JSON");
    assert_eq!(Vector { query: Some("foo=1&bar=2".into()), ..hashed }.verdict(), Err(Refusal::InvalidSignature));
    // HubSpot: an admitted version only.
    let first = of(Provider::Hubspot, "v1");
    for (wanted, expected) in [("v1", Ok(())), ("v2", Err(Refusal::InvalidSignature)), ("v3", Err(Refusal::MissingSignature))] {
        let settings = serde_json::from_value(serde_json::json!({"signatureVersion": wanted})).unwrap();
        assert_eq!(Vector { settings, ..first.clone() }.verdict(), expected, "{wanted}");
    }
    // A Stripe signature of an old version is none.
    let stripe = of(Provider::Stripe, "event");
    let mut old = stripe.clone();
    old.headers.insert("Stripe-Signature".into(), stripe.headers["Stripe-Signature"].replace("v1=", "v0="));
    assert_eq!(old.verdict(), Err(Refusal::InvalidSignature));
}

fn plain(provider: Provider, secret: &str, headers: &[(&str, &str)], body: &str, settings: serde_json::Value) -> Vector {
    Vector {
        provider,
        about: String::new(),
        accepted_by: String::new(),
        secret: secret.to_owned(),
        url: "https://a.example/in/src_1".to_owned(),
        query: Some("x=1".to_owned()),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_owned(),
        at: None,
        settings: serde_json::from_value(settings).unwrap(),
    }
}

#[test]
fn passwords_and_tokens() {
    use serde_json::json;
    // dXNlcjpwYXNz is user:pass, b3RoZXI6cGFzcw is other:pass, dXNlcjpwYXN0 is user:past.
    let (good, other, wrong) = ("Basic dXNlcjpwYXNz", "basic b3RoZXI6cGFzcw==", "Basic dXNlcjpwYXN0");
    for (provider, secret, settings, header, expected) in [
        (Provider::Basic, "pass", json!({"username": "user"}), good, Ok(())),
        (Provider::Pipedrive, "pass", json!({"username": "user"}), other, Err(Refusal::InvalidCredential)),
        (Provider::Pipedrive, "pass", json!({}), other, Ok(())),
        (Provider::Basic, "user:pass", json!({}), good, Ok(())),
        (Provider::Basic, "user:pass", json!({}), other, Err(Refusal::InvalidCredential)),
        (Provider::Basic, "pass", json!({}), wrong, Err(Refusal::InvalidCredential)),
        (Provider::Basic, "pass", json!({}), "Bearer pass", Err(Refusal::InvalidCredential)),
        (Provider::Basic, "pass", json!({}), "Basic ???", Err(Refusal::InvalidCredential)),
        (Provider::Bearer, "pass", json!({}), "Bearer pass", Ok(())),
        (Provider::Bearer, "pass", json!({}), "Bearer passx", Err(Refusal::InvalidCredential)),
        (Provider::Bearer, "pass", json!({}), "pass", Err(Refusal::InvalidCredential)),
        (Provider::Bearer, "pass", json!({"header": "X-Key"}), "Bearer pass", Err(Refusal::MissingSignature)),
    ] {
        let call = plain(provider, secret, &[("authorization", header)], "{}", settings);
        assert_eq!(call.verdict(), expected, "{secret} {header}");
    }
    assert_eq!(
        plain(Provider::Bearer, "pass", &[("x-key", "Token pass")], "", json!({"header": "X-Key", "prefix": "Token "})).verdict(),
        Ok(())
    );
    for (body, expected) in [
        (r#"{"token":"pass"}"#, Ok(())),
        (r#"{"token":"past"}"#, Err(Refusal::InvalidCredential)),
        (r#"{"token":["pass"]}"#, Err(Refusal::MissingSignature)),
        ("token=pass", Err(Refusal::MissingSignature)),
    ] {
        assert_eq!(plain(Provider::Zoho, "pass", &[], body, json!({})).verdict(), expected, "{body}");
    }
}

/// Computed with Python's hmac module.
#[test]
fn a_generic_hmac_by_its_settings() {
    use serde_json::json;
    const HEX: &str = "aa5bde8c330279c8e7f24aa14a27e19db23e3a4a69b3a8e8c4f4cab32a47ff0b";
    for (headers, settings, expected) in [
        (vec![("x-signature", HEX)], json!({}), Ok(())),
        (vec![("x-webhook-signature", "qlvejDMCecjn8kqhSifhnbI+Okpps6joxPTKsypH/ws=")], json!({}), Ok(())),
        (vec![("x-hub-signature-256", "sha256=aa5bde8c330279c8e7f24aa14a27e19db23e3a4a69b3a8e8c4f4cab32a47ff0b")], json!({}), Ok(())),
        (vec![("x-signature", HEX)], json!({"encoding": "base64"}), Err(Refusal::InvalidSignature)),
        (vec![("x-signature", HEX)], json!({"prefix": "v1="}), Err(Refusal::InvalidSignature)),
        (vec![("x-signature", HEX)], json!({"header": "X-Sig"}), Err(Refusal::MissingSignature)),
        (
            vec![("x-sig", "v1=00,v1=aa5bde8c330279c8e7f24aa14a27e19db23e3a4a69b3a8e8c4f4cab32a47ff0b")],
            json!({"header": "X-Sig", "prefix": "v1=", "encoding": "hex"}),
            Ok(()),
        ),
        (vec![("x-sig", "6dc85435f90482e253fa9a633f6c20077a7464a9")], json!({"header": "X-Sig", "algorithm": "sha1"}), Ok(())),
        (
            vec![
                ("x-sig", "Bta82a/K0OC+2YOCb8RuErxK/zKszoBndFhB7IypAUvDrrskdK3Unpv7Zh8JnjQmPRjhWUtGAcowM7naYhthXw=="),
                ("x-at", "1700000000"),
            ],
            json!({"header": "X-Sig", "algorithm": "sha512", "timestampHeader": "X-At"}),
            Ok(()),
        ),
        (
            vec![("x-sig", "d1f75eab9f09420dc36fc3357a763ae0d8f8b022cb82a8470d8647315a9ff274"), ("x-at", "1700000000123"), ("x-id", "m1")],
            json!({"header": "X-Sig", "timestampHeader": "X-At", "idHeader": "X-Id", "template": "v0:{id}:{timestamp}:{method}:{path}:{url}:{body}"}),
            Ok(()),
        ),
        (
            vec![("x-sig", "863e3f49b02504a15c1b6c210431edfbb0a758f1ecdcfa1c67b6668649be3dc4")],
            json!({"header": "X-Sig", "secretEncoding": "hex"}),
            Ok(()),
        ),
        (vec![("x-sig", HEX)], json!({"header": "X-Sig", "timestampHeader": "X-At"}), Err(Refusal::InvalidTimestamp)),
    ] {
        let call = plain(Provider::GenericHmac, "00ff10", &headers, "{\"a\":1}", settings.clone());
        assert_eq!(call.verdict(), expected, "{headers:?} {settings}");
        let forged = Vector { body: "{\"a\":2}".into(), ..call };
        assert!(forged.verdict().is_err());
    }
}

mod whatever_comes {
    use proptest::prelude::*;

    use super::{Provider, plain, vectors};

    proptest! {
        /// Strangers' headers and bodies end in a refusal, never in a panic.
        #[test]
        fn is_refused(proof in ".{0,120}", at in "-?[0-9]{0,20}|.{0,20}", body in ".{0,200}", query in ".{0,60}") {
            let printable = |text: &str| text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect::<String>();
            let (proof, at) = (printable(&proof), printable(&at));
            let mut names: Vec<String> = vectors().iter().flat_map(|vector| vector.headers.keys().cloned().collect::<Vec<_>>()).collect();
            names.extend(["authorization".to_owned(), "x-at".to_owned()]);
            let headers: Vec<(&str, &str)> = names
                .iter()
                .map(|name| (name.as_str(), if name.to_lowercase().contains("timestamp") || name == "x-at" { at.as_str() } else { proof.as_str() }))
                .collect();
            for provider in Provider::ALL {
                let mut call = plain(provider, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &headers, &body, serde_json::json!({}));
                call.query = Some(printable(&query));
                prop_assert!(call.verdict().is_err());
            }
        }
    }
}
