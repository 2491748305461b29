//! TLS to PostgreSQL, as the URL's `sslmode` says, with libpq's meaning of the words:
//!
//! | `sslmode` | |
//! |---|---|
//! | none, `disable` | no TLS |
//! | `prefer` | TLS if the server speaks it; nobody is verified |
//! | `require` | TLS; with `sslrootcert` as `verify-ca`, without it nobody is verified |
//! | `verify-ca` | the server's certificate comes from a known authority |
//! | `verify-full` | and it is for the host that the URL names |
//!
//! `sslrootcert` is a PEM file of authorities, or `system` (the default for the last two); `sslcert` and `sslkey` are our own certificate and
//! key. Where the server offers SCRAM with channel binding, it is used; `channel_binding=require` insists.

use std::sync::Arc;

use kernel::{Error, Result};
use percent_encoding::percent_decode_str;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Where systems keep the authorities that they trust.
const SYSTEM: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// A database's address, read.
pub(super) struct Target {
    pub(super) config: tokio_postgres::Config,
    /// None: no TLS.
    pub(super) tls: Option<MakeRustlsConnect>,
}

/// What the URL says about TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wishes {
    mode: Option<String>,
    authorities: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

/// Reads a URL. Error: 422 `invalid_database_url`, also when a file that it names cannot be used.
pub(super) fn read(url: &str) -> Result<Target> {
    let (plain, wishes) = split(url);
    let config = plain.parse().map_err(|e: tokio_postgres::Error| {
        Error::invalid("invalid_database_url", "TRADEWIND_DATABASE_URL is not a postgres:// address that can be read.").caused_by(e)
    })?;
    Ok(Target { config, tls: connector(&wishes)? })
}

/// The URL as the driver understands it, and what it says about TLS beyond that.
fn split(url: &str) -> (String, Wishes) {
    let mut wishes = Wishes::default();
    let Some((base, query)) = url.split_once('?').filter(|_| url.starts_with("postgres")) else { return (url.to_owned(), wishes) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "sslmode" => wishes.mode = Some(value),
            "sslrootcert" => wishes.authorities = Some(value),
            "sslcert" => wishes.certificate = Some(value),
            "sslkey" => wishes.key = Some(value),
            _ => kept.push(pair.to_owned()),
        }
    }
    // The driver knows less words than libpq.
    match wishes.mode.as_deref() {
        Some("verify-ca" | "verify-full") => kept.push("sslmode=require".to_owned()),
        Some(mode) => kept.push(format!("sslmode={mode}")),
        None => {}
    }
    (format!("{base}?{}", kept.join("&")), wishes)
}

fn connector(wishes: &Wishes) -> Result<Option<MakeRustlsConnect>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match (wishes.mode.as_deref(), &wishes.authorities) {
        (None | Some("disable"), _) => return Ok(None),
        (Some("require"), None) | (Some("prefer"), _) => Arc::new(Unverified(Arc::clone(&provider))),
        (Some("require" | "verify-ca"), authorities) => Arc::new(AnyName(authority_verifier(authorities.as_deref(), &provider)?)),
        (Some("verify-full"), authorities) => authority_verifier(authorities.as_deref(), &provider)?,
        (Some(_), _) => return Err(invalid("sslmode must be disable, prefer, require, verify-ca or verify-full")),
    };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(Error::internal)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match (&wishes.certificate, &wishes.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|_| invalid(format!("sslkey: no key can be read from {key}")))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, key)
                .map_err(|error| invalid(format!("sslcert and sslkey: {error}")))?
        }
        _ => return Err(invalid("sslcert and sslkey belong together")),
    };
    // What PostgreSQL 17 asks for where TLS begins at once (sslnegotiation=direct).
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::invalid("invalid_database_url", format!("TRADEWIND_DATABASE_URL: {why}."))
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>);
    let found = read.map_err(|error| invalid(format!("no certificates can be read from {path}: {error}")))?;
    if found.is_empty() { Err(invalid(format!("there are no certificates in {path}"))) } else { Ok(found) }
}

fn authority_verifier(authorities: Option<&str>, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let path = match authorities {
        Some(path) if path != "system" => path,
        _ => SYSTEM
            .into_iter()
            .find(|path| std::path::Path::new(path).is_file())
            .ok_or_else(|| invalid("this system has no list of authorities; name one with sslrootcert"))?,
    };
    let mut roots = RootCertStore::empty();
    // Of a system's hundreds some may be unusual; of the operator's own one must do.
    roots.add_parsable_certificates(certificates(path)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    verifier.map_err(|error| invalid(format!("{path}: {error}")))
}

/// `require`: whoever holds the key that the handshake is signed with.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// `verify-ca`: a known authority's certificate, for whatever name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        // The name is looked at last, after the chain.
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_gets_what_it_knows_and_we_the_rest() {
        let (url, wishes) = split("postgres://u:p%40@h/db?sslmode=verify-full&sslrootcert=/a%20b.pem&connect_timeout=3");
        assert_eq!(url, "postgres://u:p%40@h/db?connect_timeout=3&sslmode=require");
        assert_eq!((wishes.mode.as_deref(), wishes.authorities.as_deref()), (Some("verify-full"), Some("/a b.pem")));
        let (url, wishes) = split("postgres://h/db");
        assert_eq!((url.as_str(), wishes), ("postgres://h/db", Wishes::default()));
        let (url, _) = split("postgres://h/db?sslmode=require&channel_binding=require");
        assert_eq!(url, "postgres://h/db?channel_binding=require&sslmode=require");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (url, word) in [
            ("postgres://h/db?sslmode=perhaps", "sslmode"),
            ("postgres://h/db?sslmode=verify-ca&sslrootcert=/no/such.pem", "/no/such.pem"),
            ("postgres://h/db?sslmode=require&sslcert=/a.pem", "belong together"),
        ] {
            let error = read(url).err().unwrap();
            assert_eq!(error.code(), "invalid_database_url", "{url}");
            assert!(error.detail().contains(word) || word == "sslmode", "{url}: {}", error.detail());
        }
        assert!(read("postgres://h/db").unwrap().tls.is_none());
        assert!(read("postgres://h/db?sslmode=disable").unwrap().tls.is_none());
        assert!(read("postgres://h/db?sslmode=require").unwrap().tls.is_some());
    }
}
