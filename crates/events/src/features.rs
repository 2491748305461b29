//! Event types that only some tenants have: those whose setting `features` names the type's flag.

use std::sync::Arc;

use kernel::{EventType, Result, Scope, TenantId};
use store::Tx;

use crate::Events;

/// The features that a tenant's settings name. Tenants belong to a feature above this one, which the binary wires in.
pub type TenantFeatures = Arc<dyn Fn(&mut Tx<'_>, TenantId) -> Result<Vec<String>> + Send + Sync>;

/// What somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Features {
    /// Everything: the operator, who acts for no tenant.
    Every,
    /// What everybody sees, and what these open.
    These(Vec<String>),
}

impl Features {
    /// What everybody sees.
    pub(crate) fn none() -> Self {
        Self::These(Vec::new())
    }

    /// Whether what asks for this flag is open.
    pub(crate) fn allow(&self, flag: Option<&str>) -> bool {
        match (self, flag) {
            (Self::Every, _) | (_, None) => true,
            (Self::These(own), Some(flag)) => own.iter().any(|one| one == flag),
        }
    }
}

impl Events {
    /// Sets who knows the features of a tenant. Once, at wiring; until then nobody has any. A second call changes nothing.
    pub fn set_features(&self, features: TenantFeatures) {
        if self.intake.features.set(features).is_err() {
            debug_assert!(false, "the features are set once");
        }
    }

    /// A tenant's features, for what it may see. Costs nothing where no type asks for one.
    pub(crate) async fn features_of(&self, tenant: Option<TenantId>) -> Result<Features> {
        let Some(tenant) = tenant else { return Ok(Features::Every) };
        let Some(features) = self.intake.features.get().cloned().filter(|_| self.catalogue.is_restricted()) else {
            return Ok(Features::none());
        };
        self.store.read(Scope::system("events"), move |tx| Ok(Features::These(features(tx, tenant)?))).await
    }

    /// The same for publishing these types: the tenant is asked only if one of them is not for everybody, or is not known.
    pub(crate) async fn features_for<'a>(&self, tenant: TenantId, mut types: impl Iterator<Item = &'a EventType>) -> Result<Features> {
        if self.catalogue.is_restricted() && types.any(|event_type| !self.catalogue.is_open(event_type.as_str())) {
            return self.features_of(Some(tenant)).await;
        }
        Ok(Features::none())
    }

    /// Whether a tenant has an event type, in a transaction.
    pub(crate) fn has_type(&self, tx: &mut Tx<'_>, tenant: TenantId, event_type: &EventType) -> Result<bool> {
        let Some(flag) = self.catalogue.feature_of(event_type.as_str()) else { return Ok(true) };
        let Some(features) = self.intake.features.get() else { return Ok(false) };
        Ok(features(tx, tenant)?.iter().any(|one| one == flag))
    }
}
