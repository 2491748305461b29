//! The catalogue of connectors: what is built in, what the operator described, what the tenant did.

use std::sync::Arc;

use axum::extract::State;
use connectors::{About, Setting};
use kernel::{Caller, Error, Result};
use serde::{Deserialize, Serialize};

use crate::Integrations;
use crate::custom::{Known, Source};

/// A connector, as the catalogue shows it. `id` is the slug by which integrations name it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MarketplaceEntry)]
pub struct Entry {
    /// What it is and can.
    #[serde(flatten)]
    pub about: About,
    /// Where it comes from.
    pub source: Source,
    /// The members of an integration's `config`.
    pub settings: Vec<Setting>,
    /// Whether it has objects that can be synchronised.
    pub syncable: bool,
}

/// The catalogue.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Marketplace)]
pub struct Listing {
    /// By slug.
    pub data: Vec<Entry>,
}

impl From<Known> for Entry {
    fn from(known: Known) -> Self {
        let settings = known.connector.as_ref().map(|connector| connector.settings().to_vec()).unwrap_or_default();
        Self { syncable: known.connector.is_some() && !known.about.objects.is_empty(), about: known.about, source: known.source, settings }
    }
}

impl Integrations {
    /// The catalogue, as the caller's tenant sees it; any valid credential may.
    pub async fn marketplace(&self, caller: &Caller) -> Result<Listing> {
        let known = self.all_known(caller.tenant()).await?;
        Ok(Listing { data: known.into_iter().map(Entry::from).collect() })
    }

    /// One entry. Error: 404.
    pub async fn marketplace_entry(&self, caller: &Caller, slug: &str) -> Result<Entry> {
        let known = self.all_known(caller.tenant()).await?;
        known.into_iter().find(|known| known.about.id == slug).map(Entry::from).ok_or_else(|| Error::not_found("connector"))
    }
}

pub(crate) async fn list(State(integrations): State<Arc<Integrations>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<Listing>> {
    Ok(web::Json(integrations.marketplace(&caller).await?))
}

pub(crate) async fn get(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(slug): web::Path<String>,
) -> web::Result<web::Json<Entry>> {
    Ok(web::Json(integrations.marketplace_entry(&caller, &slug).await?))
}
