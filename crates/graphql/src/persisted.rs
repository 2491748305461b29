//! Persisted queries: a client sends the SHA-256 of a document it has sent before, in place of the document (the "automatic persisted
//! queries" of Apollo: `extensions.persistedQuery {version: 1, sha256Hash}`).
//!
//! What is kept is kept per tenant, in memory, and only after it was found valid. A node that does not know a hash says so; the client then
//! sends both.

use std::sync::Arc;

use kernel::TenantId;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::params::Params;

/// Bytes of all documents that are kept.
const KEPT_BYTES: u64 = 16 * 1024 * 1024;

/// Documents by tenant and hash.
pub(crate) struct Persisted(Cache<(TenantId, String), Arc<str>>);

/// A document, and what it is to be kept under once it has been found valid.
pub(crate) struct Asked {
    /// The document.
    pub(crate) text: Arc<str>,
    hash: Option<String>,
}

impl Persisted {
    /// Nothing is kept yet.
    pub(crate) fn new() -> Self {
        let weight = |_: &(TenantId, String), text: &Arc<str>| u32::try_from(text.len() + 200).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(KEPT_BYTES).weigher(weight).build())
    }

    /// The document that parameters ask for.
    ///
    /// Errors: `PERSISTED_QUERY_NOT_FOUND`, `persisted_query_mismatch`, `graphql_request_invalid`.
    pub(crate) fn asked(&self, tenant: TenantId, params: &Params) -> Result<Asked, Failure> {
        let text = params.query.as_deref().filter(|text| !text.trim().is_empty());
        let Some(wish) = params.extensions.get("persistedQuery") else {
            return Ok(Asked { text: text.unwrap_or_default().into(), hash: None });
        };
        let hash = wish.get("sha256Hash").and_then(serde_json::Value::as_str).map(str::to_ascii_lowercase);
        let known_version = wish.get("version").and_then(serde_json::Value::as_u64) == Some(1);
        let hash = hash.filter(|hash| known_version && hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(hash) = hash else {
            let detail = "extensions.persistedQuery is {version: 1, sha256Hash: <64 hexadecimal digits>}.";
            return Err(Failure::new("graphql_request_invalid", detail));
        };
        let Some(text) = text else {
            // Clients look for this message and this code, and then send the document too.
            let missing = || Failure::new("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
            return self.0.get(&(tenant, hash)).map(|text| Asked { text, hash: None }).ok_or_else(missing);
        };
        let own: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        if own != hash {
            return Err(Failure::new("persisted_query_mismatch", "The hash is not that of the document."));
        }
        Ok(Asked { text: text.into(), hash: Some(hash) })
    }

    /// Keeps a document that was found valid, if that was asked for.
    pub(crate) fn keep(&self, tenant: TenantId, asked: Asked) {
        if let Some(hash) = asked.hash {
            self.0.insert((tenant, hash), asked.text);
        }
    }
}
