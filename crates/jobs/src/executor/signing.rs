//! The secrets by which hosts know that it is we who call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Result, Secret};
use store::Store;

/// Its name among the installation's secrets.
const SECRET: &str = "job_hosts";

/// What the secrets of all types follow from: the same for every node and for ever.
pub async fn installation_secret(store: &Store) -> Result<Secret<Vec<u8>>> {
    let ambient = store.ambient().clone();
    store.installation_secret(SECRET, move || ambient.bytes::<32>().to_vec()).await
}

/// The secret (`whsec_…`) by which the host verifies calls for jobs of this type.
pub fn signing_secret(installation: &Secret<Vec<u8>>, kind: &str) -> Secret<String> {
    Secret::new(format!("{}{}", web::signature::SECRET_PREFIX, STANDARD.encode(web::signature::derive(installation, kind))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_own() {
        let installation = Secret::new(vec![7; 32]);
        let one = signing_secret(&installation, "call.analyze");
        assert!(web::signature::WebhookSecret::parse(one.reveal()).is_ok());
        assert_eq!(one.reveal(), signing_secret(&installation, "call.analyze").reveal());
        assert_ne!(one.reveal(), signing_secret(&installation, "call.simulate").reveal());
    }
}
