//! Which connector a slug means: a built-in one, the tenant's own, the operator's, in this order.

use std::sync::Arc;

use connectors::{About, Connector};
use kernel::{Result, Scope, TenantId, TenantScope};

use super::{Source, sql};
use crate::Integrations;

/// A connector, found.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) about: About,
    pub(crate) source: Source,
    /// None: it has nothing to read or to write.
    pub(crate) connector: Option<Arc<dyn Connector>>,
}

impl Known {
    fn of(connector: Arc<dyn Connector>, source: Source) -> Self {
        Self { about: connector.about().clone(), source, connector: Some(connector) }
    }
}

impl Integrations {
    /// The connector of a slug, for a tenant.
    pub(crate) async fn known(&self, scope: &TenantScope, slug: &str) -> Result<Option<Known>> {
        if let Some(known) = self.built_in(slug) {
            return Ok(Some(known));
        }
        let tenant = scope.tenant();
        let wanted = slug.to_owned();
        let own = self.parts.store.read(scope.clone(), move |tx| sql::latest(tx, Some(tenant), &wanted)).await?;
        if let Some(row) = own {
            return Ok(self.compiled.of(Some(tenant), &row).map(|connector| Known::of(connector, Source::Tenant)));
        }
        let wanted = slug.to_owned();
        let row = self.parts.store.read(Scope::system("integrations"), move |tx| sql::latest(tx, None, &wanted)).await?;
        Ok(row.and_then(|row| self.compiled.of(None, &row)).map(|connector| Known::of(connector, Source::Operator)))
    }

    pub(crate) fn built_in(&self, slug: &str) -> Option<Known> {
        let connector = self.parts.connectors.iter().find(|connector| connector.about().id == slug);
        if let Some(connector) = connector {
            return Some(Known::of(Arc::clone(connector), Source::BuiltIn));
        }
        let about = self.parts.listed.iter().find(|about| about.id == slug)?;
        Some(Known { about: about.clone(), source: Source::BuiltIn, connector: None })
    }

    /// All of them, for a tenant or for the operator.
    pub(crate) async fn all_known(&self, tenant: Option<TenantId>) -> Result<Vec<Known>> {
        let built_in = self.parts.connectors.iter().map(|connector| Known::of(Arc::clone(connector), Source::BuiltIn));
        let listed = self.parts.listed.iter().map(|about| Known { about: about.clone(), source: Source::BuiltIn, connector: None });
        let mut all: Vec<Known> = built_in.chain(listed).collect();
        let own = match tenant {
            Some(tenant) => {
                let scope = TenantScope::system("integrations", tenant);
                self.parts.store.read(scope, move |tx| sql::all(tx, Some(tenant))).await?
            }
            None => Vec::new(),
        };
        let operators = self.parts.store.read(Scope::system("integrations"), |tx| sql::all(tx, None)).await?;
        for (whose, source, rows) in [(tenant, Source::Tenant, own), (None, Source::Operator, operators)] {
            for row in rows {
                if all.iter().all(|known| known.about.id != row.connector)
                    && let Some(connector) = self.compiled.of(whose, &row)
                {
                    all.push(Known::of(connector, source));
                }
            }
        }
        all.sort_by(|one, other| one.about.id.cmp(&other.about.id));
        Ok(all)
    }
}
