//! What one destination needs of TLS beyond the usual: a certificate of ours (mutual TLS), and an authority of its own.

use std::fmt;
use std::sync::Arc;

use kernel::Secret;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use sha2::{Digest as _, Sha256};

/// Most certificates in a chain, and most authorities.
const MAX_CERTIFICATES: usize = 10;

/// A destination's own TLS settings, read and checked. Cheap to clone.
#[derive(Clone)]
pub struct TlsSettings {
    identity: Option<Arc<CertifiedKey>>,
    authorities: Vec<CertificateDer<'static>>,
    fingerprint: [u8; 32],
}

/// What is wrong with a destination's TLS settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate chain.
    Certificate(&'static str),
    /// The private key.
    Key(&'static str),
    /// The authority.
    Authority(&'static str),
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Certificate(why) | Self::Key(why) | Self::Authority(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for TlsFault {}

impl TlsSettings {
    /// Reads PEM: our certificate chain (the leaf first) with its private key (PKCS #8, PKCS #1 or SEC 1), and authorities that are trusted
    /// beside the public ones.
    pub fn read(identity: Option<(&str, &Secret<String>)>, authorities: Option<&str>) -> Result<Self, TlsFault> {
        let mut hash = Sha256::new();
        let identity = identity.map(|(chain, key)| {
            hash.update(Sha256::digest(chain));
            hash.update(Sha256::digest(key.reveal()));
            read_identity(chain, key)
        });
        hash.update(authorities.map_or_else(|| Sha256::digest(b""), Sha256::digest));
        let authorities = authorities.map(read_authorities).transpose()?.unwrap_or_default();
        Ok(Self { identity: identity.transpose()?.map(Arc::new), authorities, fingerprint: hash.finalize().into() })
    }

    /// By what settings are told apart: equal settings share their connections.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The configuration of a connector. `roots` are the public authorities.
    pub(crate) fn configure(&self, roots: &Arc<RootCertStore>) -> Result<ClientConfig, rustls::Error> {
        let mut trusted = Arc::clone(roots);
        if !self.authorities.is_empty() {
            let mut own = RootCertStore::clone(roots);
            for authority in &self.authorities {
                own.add(authority.clone())?;
            }
            trusted = Arc::new(own);
        }
        let builder = builder(trusted)?;
        Ok(match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(identity)))),
        })
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings").field("identity", &self.identity.is_some()).field("authorities", &self.authorities.len()).finish()
    }
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

/// Our one provider, the usual protocol versions and these roots.
pub(crate) fn builder(roots: Arc<RootCertStore>) -> Result<Builder, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?.with_root_certificates(roots))
}

fn read_identity(chain: &str, key: &Secret<String>) -> Result<CertifiedKey, TlsFault> {
    let chain = certificates(chain).map_err(TlsFault::Certificate)?;
    let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes())
        .map_err(|_| TlsFault::Key("must be one private key in PEM (PKCS #8, PKCS #1 or SEC 1), without a passphrase"))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsFault::Key("does not belong to the certificate"),
        rustls::Error::InvalidCertificate(_) => TlsFault::Certificate("is not a certificate that can be read"),
        _ => TlsFault::Key("is of a kind that cannot be used"),
    })
}

/// Certificate authorities in PEM as DER.
pub(crate) fn authorities(text: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    let found = read_authorities(text).map_err(|fault| match fault {
        TlsFault::Certificate(why) | TlsFault::Key(why) | TlsFault::Authority(why) => why,
    })?;
    Ok(found.into_iter().map(|certificate| certificate.to_vec()).collect())
}

fn read_authorities(text: &str) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let found = certificates(text).map_err(TlsFault::Authority)?;
    let mut trial = RootCertStore::empty();
    for authority in &found {
        trial.add(authority.clone()).map_err(|_| TlsFault::Authority("is not a certificate that can be trusted"))?;
    }
    Ok(found)
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() || found.len() > MAX_CERTIFICATES => Err("must be 1 to 10 certificates in PEM"),
        Ok(found) => Ok(found),
        Err(_) => Err("must be certificates in PEM"),
    }
}
