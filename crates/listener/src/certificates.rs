//! The server's certificate. Its files are looked at every two seconds: a renewed pair is used for the next handshake, and what stands goes
//! on. A pair that cannot be used is said once, and the old one stays.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use kernel::{Ambient, Error, Result, Timestamp};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// See the module.
pub struct Certificates {
    files: Files,
    ambient: Ambient,
    provider: Arc<CryptoProvider>,
    present: ArcSwap<Usable>,
    /// What the files looked like when they were read last, good or bad.
    seen: Mutex<Option<Looks>>,
}

#[derive(Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Changed files have other times, sizes or places.
type Looks = [(Option<SystemTime>, u64, u64); 2];

struct Usable {
    pair: Arc<CertifiedKey>,
    expires_at: Timestamp,
}

/// What a look at the files brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// They are as they were.
    Unchanged,
    /// A new certificate is used from now on; it expires then.
    Renewed(Timestamp),
}

impl Certificates {
    /// Reads a chain (the server's own certificate first) and its key, both PEM.
    ///
    /// Error: 422 `invalid_certificate` when they cannot be read, do not belong together, or the certificate has expired.
    pub fn load(certificate: PathBuf, key: PathBuf, ambient: Ambient) -> Result<Arc<Self>> {
        let (files, provider) = (Files { certificate, key }, Arc::new(aws_lc_rs::default_provider()));
        let seen = files.looks();
        let usable = files.read(&provider, ambient.now())?;
        usable.tell();
        let present = ArcSwap::from_pointee(usable);
        Ok(Arc::new(Self { files, ambient, provider, present, seen: Mutex::new(seen) }))
    }

    /// TLS 1.2 and 1.3 with whatever certificate is present, HTTP/2 and HTTP/1.1.
    pub fn config(self: &Arc<Self>) -> Result<Arc<ServerConfig>> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(Error::internal)?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(Error::internal)?;
        Ok(Arc::new(config))
    }

    /// When the present certificate expires.
    pub fn expires_at(&self) -> Timestamp {
        self.present.load().expires_at
    }

    /// Looks at the files now and takes a renewed pair over. Error: as [`Certificates::load`]; the present pair stays, and the same files are
    /// not tried again.
    pub fn renew(&self) -> Result<Renewal> {
        let looks = self.files.looks();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.is_some() && *seen == looks {
            return Ok(Renewal::Unchanged);
        }
        *seen = looks;
        let usable = self.files.read(&self.provider, self.ambient.now())?;
        usable.tell();
        let expires_at = usable.expires_at;
        self.present.store(Arc::new(usable));
        Ok(Renewal::Renewed(expires_at))
    }

    /// Looks every two seconds, for as long as anybody else holds them.
    pub async fn follow(self: Arc<Self>) {
        let weak = Arc::downgrade(&self);
        drop(self);
        let mut clock = tokio::time::interval(LOOK_EVERY);
        let mut said = None;
        loop {
            clock.tick().await;
            let Some(certificates) = weak.upgrade() else { return };
            // Two small files, and only when they have changed.
            said = certificates.renew_and_say(said);
        }
    }

    /// Says what became of it, each fault once; answers the fault that lasts.
    fn renew_and_say(&self, said: Option<String>) -> Option<String> {
        match self.renew() {
            Ok(Renewal::Unchanged) => said,
            Ok(Renewal::Renewed(expires_at)) => {
                tracing::info!(%expires_at, "the TLS certificate was renewed");
                None
            }
            Err(error) => {
                let why = error.detail().to_owned();
                if said.as_ref() != Some(&why) {
                    tracing::error!("{why} The server goes on with the certificate that it has, until {}.", self.expires_at());
                }
                Some(why)
            }
        }
    }
}

impl Usable {
    #[allow(clippy::cast_precision_loss, reason = "seconds of a date are far below 2^52")]
    fn tell(&self) {
        metrics::gauge!("tradewind_tls_certificate_expires_seconds").set(self.expires_at.seconds() as f64);
    }
}

impl Files {
    /// None if one of them is not there at the moment.
    fn looks(&self) -> Option<Looks> {
        use std::os::unix::fs::MetadataExt as _;
        let look = |path: &Path| {
            let data = std::fs::metadata(path).ok()?;
            Some((data.modified().ok(), data.len(), data.ino()))
        };
        Some([look(&self.certificate)?, look(&self.key)?])
    }

    fn read(&self, provider: &CryptoProvider, now: Timestamp) -> Result<Usable> {
        let fault = |path: &Path, why: &dyn fmt::Display| Error::invalid("invalid_certificate", format!("{}: {why}.", path.display()));
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| fault(&self.certificate, &format!("the certificate cannot be read: {error}")))?;
        let own = chain.first().ok_or_else(|| fault(&self.certificate, &"there is no certificate in it"))?;
        let expires_at = expiry(own).map_err(|why| fault(&self.certificate, &format!("the certificate cannot be read: {why}")))?;
        if expires_at <= now {
            return Err(fault(&self.certificate, &format!("the certificate has expired at {expires_at}")));
        }
        // The error of a key file must not quote it.
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|_| fault(&self.key, &"no private key in PEM can be read from it"))?;
        let pair = CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| fault(&self.key, &format!("the key does not fit {}: {error}", self.certificate.display())))?;
        Ok(Usable { pair: Arc::new(pair), expires_at })
    }
}

fn expiry(certificate: &CertificateDer<'_>) -> std::result::Result<Timestamp, x509_cert::der::Error> {
    let parsed = Certificate::from_der(certificate)?;
    let seconds = parsed.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    Ok(Timestamp::from_millis(i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000)))
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.present.load().pair))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({}, expires {})", self.files.certificate.display(), self.expires_at())
    }
}
