//! The authorization server, as the settings want it.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::jose::Algorithm;
use blueprint::Blueprint;
use gate::Gate;
use kernel::{Error, IdRef, TenantId};
use oauth::registrations::Registration;
use oauth::{Config, Oauth, TokenFormat};

use crate::system::Foundation;

/// How often what is over of it is removed.
pub(crate) const SWEEP: Duration = Duration::from_secs(60);

/// Settings of the authorization server.
#[derive(Clone, Debug, Default)]
pub struct OauthSettings {
    /// `opaque` or `jwt`; none: opaque.
    pub token_format: Option<String>,
    /// `ES256` or `EdDSA`; none: ES256.
    pub signing_algorithm: Option<String>,
    /// `off`, `credential` or `open`; none: credential.
    pub registration: Option<String>,
    /// The tenant of clients that strangers register.
    pub registration_tenant: Option<String>,
    /// The scopes of such clients; none: all.
    pub registration_scopes: Option<Vec<String>>,
    /// Whether proofs of keys must have a nonce.
    pub dpop_nonce: bool,
}

impl OauthSettings {
    /// Errors: 422 for a value that is none of those.
    fn config(&self, public_url: &str, blueprint: &Blueprint) -> anyhow::Result<Config> {
        let mut config = Config::new(public_url);
        config.token_format = match self.token_format.as_deref() {
            None | Some("opaque") => TokenFormat::Opaque,
            Some("jwt") => TokenFormat::Jwt,
            Some(_) => return Err(fault("invalid_oauth_token_format", "TRADEWIND_OAUTH_TOKEN_FORMAT must be opaque or jwt.")),
        };
        config.signing_algorithm = match self.signing_algorithm.as_deref() {
            None | Some("ES256") => Algorithm::Es256,
            Some("EdDSA") => Algorithm::EdDsa,
            Some(_) => return Err(fault("invalid_oauth_signing_algorithm", "TRADEWIND_OAUTH_SIGNING_ALGORITHM must be ES256 or EdDSA.")),
        };
        config.registration = self.registration.as_deref().map(str::parse::<Registration>).transpose()?.unwrap_or_default();
        config.registration_tenant = self.registration_tenant.as_deref().map(str::parse::<IdRef<TenantId>>).transpose()?;
        if config.registration == Registration::Open && config.registration_tenant.is_none() {
            let text = "TRADEWIND_OAUTH_REGISTRATION=open needs TRADEWIND_OAUTH_REGISTRATION_TENANT: the tenant of clients that strangers register.";
            return Err(fault("missing_oauth_registration_tenant", text));
        }
        if let Some(unknown) = self.registration_scopes.iter().flatten().find(|scope| blueprint.scope(scope).is_none()) {
            let text = format!("TRADEWIND_OAUTH_REGISTRATION_SCOPES names {unknown}, which the blueprint does not declare.");
            return Err(fault("invalid_oauth_registration_scopes", text));
        }
        config.registration_scopes.clone_from(&self.registration_scopes);
        Ok(config)
    }
}

fn fault(code: &'static str, text: impl Into<std::borrow::Cow<'static, str>>) -> anyhow::Error {
    Error::invalid(code, text).into()
}

/// The server, told how proofs are checked and how keys are fetched; so is the gate.
pub(crate) fn server(base: &Foundation, blueprint: &Arc<Blueprint>, access: &Arc<Access>, gate: &Arc<Gate>) -> anyhow::Result<Arc<Oauth>> {
    let config = base.settings.oauth.config(&base.settings.public_url, blueprint)?;
    let oauth = Oauth::new(base.store.clone(), base.ambient.clone(), Arc::clone(blueprint), Arc::clone(access), config);
    oauth.fetch_with(base.outbound.clone());
    oauth.prove_with(Arc::clone(&base.dpop));
    gate.prove_with(Arc::clone(&base.dpop));
    gate.announce(&base.settings.public_url);
    Ok(oauth)
}
