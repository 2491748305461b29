//! What of a token is sealed. The associated data names tenant and row, so that what is copied to another tenant's row does not open.

use kernel::{Error, OauthTokenId, Result, Secret, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Sealer;

use crate::exchange::App;

/// The secrets of a token. Its `Debug` shows none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sealed {
    /// The access token; empty when nothing is kept any more.
    pub(crate) access: Option<Secret<String>>,
    pub(crate) refresh: Option<Secret<String>>,
    /// Of the tenant's own app.
    pub(crate) client_secret: Option<Secret<String>>,
    /// What was kept of answers and is not to be seen.
    pub(crate) hidden: Option<Secret<String>>,
}

#[derive(Serialize, Deserialize, Default)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h: Option<String>,
}

fn context(tenant: TenantId, id: OauthTokenId) -> String {
    format!("oauth_tokens.sealed:{tenant}:{id}")
}

impl Sealed {
    /// Sealed for this row.
    pub(crate) fn seal(&self, sealer: &Sealer, tenant: TenantId, id: OauthTokenId) -> Result<Vec<u8>> {
        let shown = |secret: &Option<Secret<String>>| secret.as_ref().map(|secret| secret.reveal().clone());
        let stored = Stored { a: shown(&self.access), r: shown(&self.refresh), c: shown(&self.client_secret), h: shown(&self.hidden) };
        let text = Secret::new(serde_json::to_vec(&stored).map_err(Error::internal)?);
        for text in [stored.a, stored.r, stored.c, stored.h].into_iter().flatten() {
            drop(Secret::new(text));
        }
        sealer.seal(&context(tenant, id), text.reveal())
    }

    /// Opened.
    pub(crate) fn open(sealer: &Sealer, tenant: TenantId, id: OauthTokenId, sealed: &[u8]) -> Result<Self> {
        let text = Secret::new(sealer.open(&context(tenant, id), sealed)?);
        // The parser's own errors could quote what they could not read.
        let stored: Stored = serde_json::from_slice(text.reveal()).map_err(|_| Error::internal("a sealed token that cannot be read"))?;
        let [access, refresh, client_secret, hidden] = [stored.a, stored.r, stored.c, stored.h].map(|text| text.map(Secret::new));
        Ok(Self { access, refresh, client_secret, hidden })
    }

    /// The tenant's own app.
    pub(crate) fn app(&self, client_id: &str) -> App {
        App { client_id: client_id.to_owned(), client_secret: self.client_secret.clone() }
    }

    /// What was kept and is not to be seen.
    pub(crate) fn hidden_members(&self) -> Map<String, Value> {
        self.hidden.as_ref().and_then(|text| serde_json::from_str(text.reveal()).ok()).unwrap_or_default()
    }

    /// Adds to it.
    pub(crate) fn hide(&mut self, members: Map<String, Value>) {
        if members.is_empty() {
            return;
        }
        let mut all = self.hidden_members();
        all.extend(members);
        self.hidden = Some(Secret::new(Value::Object(all).to_string()));
    }
}
