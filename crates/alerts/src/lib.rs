//! Alerts: what needs a look, told once.
//!
//! Purpose: rules watch over traffic, credentials and deliveries. When a rule's condition holds for a subject (a key, an address, a webhook), an
//! alert opens; while it holds, the alert is updated; when it is over, the alert closes by itself.
//!
//! Tables: `alerts`, `alert_rules`. Events: `alert.opened`, `alert.updated`, `alert.closed`, to the alert's tenant and, where the
//! operator named a tenant of its own, to that one too; how they reach people (webhook, Slack, e-mail) is their webhooks' matter.
//!
//! What is looked at: counts of what went wrong (`signals`), calls by hour (`usage`), attempts by hour (`dispatch`), and what expires (`access`,
//! `dispatch`). None of it is scanned by tenant: a look costs what happened lately, not how many tenants there are.
//!
//! Invariants:
//! * A tenant, a rule and a subject have at most one alert that is open (a unique index says so), however many servers look.
//! * An alert closes only after its value was well on the good side for a while, so that it does not flap.
//! * What somebody resolved stays resolved until the condition was over once, or for a day.
//! * An alert and its event commit together. Updates are told when it gets worse, and at most hourly.

mod alerts;
mod authority;
mod evaluation;
mod lifecycle;
mod routes;
mod rules;
mod severity;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use events::Events;
use kernel::{Ambient, IdRef, NodeId, Scope, TenantId};
use store::{Home, Migration, Store};

pub use alerts::{Alert, AlertFilter, Mute, Status};
pub use evaluation::Evaluated;
pub use rules::{AlertRule, AlertRuleInput, Rule};
pub use severity::Severity;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "alerts", version: 1, home: Home::State, sql: include_str!("../migrations/0001_alerts.sql") },
    Migration { feature: "alerts", version: 2, home: Home::State, sql: include_str!("../migrations/0002_leases.sql") },
];

/// Alerts and the rules that open them.
pub struct Alerts {
    store: Store,
    ambient: Ambient,
    events: Arc<Events>,
    /// The operator's own tenant.
    operator: Option<IdRef<TenantId>>,
    /// This server, in the lease.
    holder: NodeId,
}

fn scope() -> Scope {
    Scope::system("alerts")
}

impl Alerts {
    /// Looks at nothing by itself before [`Alerts::start`]. `operator`: the tenant of the operator's own, which hears of every tenant's alerts
    /// and of those that are nobody's; it may be made later. `holder`: this server, in the lease.
    pub fn new(store: Store, ambient: Ambient, events: Arc<Events>, operator: Option<IdRef<TenantId>>, holder: NodeId) -> Arc<Self> {
        Arc::new(Self { store, ambient, events, operator, holder })
    }

    /// Looks that often (a minute is usual), for as long as anybody else holds it. Of several servers one looks. Must be called on a tokio
    /// runtime.
    pub fn start(self: &Arc<Self>, every: Duration) {
        let alerts = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(alerts) = alerts.upgrade() else { return };
                if let Err(error) = alerts.evaluate().await {
                    tracing::warn!(?error, "alerts could not be evaluated; it is tried again");
                }
            }
        });
    }

    /// Leaves the looking to other servers, before this one stops.
    pub async fn stop(&self) -> kernel::Result<()> {
        evaluation::release(self).await
    }
}
