//! What carries a connector's calls to the vendor.

mod address;
mod masking;
mod send;
mod signing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connectors::{BudgetNews, Call, Carrier, Fault, Renewal, Reply};
use futures_util::future::BoxFuture;
use kernel::{IntegrationId, Secret, TenantScope};

pub(crate) use masking::mask;
pub(crate) use signing::Signing;

use crate::Integrations;
use crate::budgets::Account;
use crate::integrations::{Exchange, Status, sql};

/// For connecting, sending, waiting and reading together: a vendor that drips its answer keeps nobody longer. A runner's lease is no shorter, so that
/// whoever takes a sync over from one that died meets no call of it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// Carries the calls of one integration, for whoever the scope says.
pub(crate) struct AccountCarrier {
    pub(crate) integrations: Arc<Integrations>,
    pub(crate) scope: TenantScope,
    pub(crate) id: IntegrationId,
    pub(crate) signing: Signing,
    /// The override of the configuration: before what the token says.
    pub(crate) base_override: Option<String>,
    /// The connector's own: when the token says nothing.
    pub(crate) base_default: Option<String>,
    pub(crate) budget: Arc<Account>,
    pub(crate) actor: String,
    /// What is taken out of what people are shown, beside the header of the call.
    pub(crate) masked: Vec<Secret<String>>,
    /// What the row says, as far as this session knows.
    pub(crate) status: Mutex<Status>,
    /// The last exchange, where somebody wants to see it.
    pub(crate) seen: Option<Arc<Mutex<Option<Exchange>>>>,
}

impl Carrier for AccountCarrier {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Fault>> {
        Box::pin(self.exchange(call))
    }

    fn renew(&self, generation: u64) -> BoxFuture<'_, Result<Renewal, Fault>> {
        Box::pin(async move {
            let renewed = self.signing.renew(&self.integrations, &self.scope, generation).await;
            match &renewed {
                Ok(Renewal::Refused) => self.turn(Status::Error, Some("the vendor does not take the credential")).await,
                Err(Fault::Unauthorized { message }) => self.turn(Status::Error, Some(message)).await,
                _ => {}
            }
            renewed
        })
    }

    fn told(&self, budget: BudgetNews) {
        self.budget.told(&budget, self.integrations.parts.ambient.now());
    }
}

impl AccountCarrier {
    /// Writes a status that is new. Not being able to is no reason to fail a call.
    pub(crate) async fn turn(&self, status: Status, reason: Option<&str>) {
        let before = std::mem::replace(&mut *self.status.lock().unwrap_or_else(PoisonError::into_inner), status);
        if before == status {
            return;
        }
        let (id, tenant, reason) = (self.id, self.scope.tenant(), reason.map(|text| text.chars().take(300).collect::<String>()));
        let written = self.integrations.parts.store.write(TenantScope::system("integrations", tenant), move |tx| {
            let now = tx.now();
            sql::set_status(tx, tenant, id, status, reason.as_deref(), now)
        });
        if let Err(error) = written.await {
            tracing::warn!(?error, "an integration's status could not be written");
        }
    }
}
