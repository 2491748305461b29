//! When certificates end.

use kernel::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// When the first of these certificates (PEM) ends: the chain is of no more use then. None: there is none that can be read.
pub fn certificates_end(pem: &str) -> Option<Timestamp> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(|one| end(one.ok()?.as_ref())).min()
}

fn end(der: &[u8]) -> Option<Timestamp> {
    let seconds = Certificate::from_der(der).ok()?.tbs_certificate.validity.not_after.to_unix_duration().as_secs();
    Some(Timestamp::from_millis(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn certificate(year: i32) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["partner.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 3, 1);
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_chain_ends_with_its_first() {
        let chain = format!("{}{}", certificate(2031), certificate(2029));
        assert_eq!(certificates_end(&chain).unwrap().to_string(), "2029-03-01T00:00:00.000Z");
        assert_eq!(certificates_end(""), None);
    }

    proptest! {
        #[test]
        fn never_panics_on_any_der(der in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(end(&der).is_none_or(|at| at.millis() > 0));
        }
    }
}
