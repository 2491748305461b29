//! The tasks that run as long as the feature does.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use crate::Access;

/// How often collected uses of keys are written.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// How often keys are looked for that someone must be told of.
const REMIND_EVERY: Duration = Duration::from_secs(60);

/// Tells of keys that end or are to be rotated.
pub(crate) async fn remind_regularly(access: Weak<Access>) {
    let Some(holder) = access.upgrade().map(|access| access.ambient.id()) else { return };
    loop {
        tokio::time::sleep(REMIND_EVERY).await;
        let Some(access) = access.upgrade() else { return };
        if let Err(error) = access.remind(holder).await {
            tracing::warn!(?error, "tenants could not be told of keys that end; it is tried again in a minute");
        }
    }
}

/// Writes the collected uses of keys.
pub(crate) async fn flush_regularly(access: Weak<Access>) {
    loop {
        tokio::time::sleep(FLUSH_EVERY).await;
        let Some(access) = access.upgrade() else { return };
        if let Err(error) = access.flush().await {
            tracing::warn!(?error, "the uses of keys could not be written; they are kept");
        }
    }
}

/// Reads the allowed origins again whenever a client changed.
pub(crate) async fn follow_origins(access: Weak<Access>, changed: Arc<Notify>) {
    loop {
        changed.notified().await;
        let Some(access) = access.upgrade() else { return };
        if let Err(error) = access.reload_origins().await {
            tracing::warn!(?error, "the allowed origins could not be read again");
            changed.notify_one();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Reads the tiers again whenever a notice says that one changed.
pub(crate) async fn follow_tiers(access: Weak<Access>, changed: Arc<Notify>) {
    loop {
        changed.notified().await;
        let Some(access) = access.upgrade() else { return };
        if let Err(error) = access.reload().await {
            tracing::warn!(?error, "the tiers could not be read again");
            changed.notify_one();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
