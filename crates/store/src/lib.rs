//! Storage: the only crate that knows SQLite from PostgreSQL.
//!
//! # How to use it
//!
//! Data access is written once, as plain synchronous functions on [`Tx`]:
//!
//! ```text
//! fn rename(tx: &mut Tx<'_>, tenant: TenantId, id: ClientId, name: &str) -> Result<()> {
//!     let changed = tx.exec("UPDATE clients SET name = ?3 WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into(), name.into()])?;
//!     if changed == 0 { return Err(Error::not_found("API client")) }
//!     tx.audit("client.update", id)?;
//!     tx.notify("client", id);
//!     Ok(())
//! }
//! let scope = caller.allow(Permission::ClientsWrite)?;
//! store.answer(scope, move |tx| rename(tx, …)).await?;
//! ```
//!
//! * [`Store::read`] runs a function on a read-only connection, [`Store::write`] in a group-committed transaction: it answers only after
//!   the commit. [`Store::answer`] is `write` for operations that a front door calls: if the caller's request carries an idempotency key,
//!   the operation's answer is sealed and kept in the same savepoint, and a repeated request gets it back without running again.
//! * [`Store::logs`] is the same store for request and attempt logs: a second file on SQLite, the same database on PostgreSQL.
//! * What a caller of a tenant reads has a time limit ([`Config::read_limit`]), and is given up when the caller has gone.
//! * A function runs in its own savepoint. An error rolls back that function alone.
//! * [`Tx::audit`] appends to the audit log (one hash chain per tenant and one for the operator) in the same savepoint.
//! * [`Tx::notify`] tells every node after the commit that something changed; [`Store::on_change`] listens. On this node listeners run
//!   before the writer's caller gets its answer, so what follows a change sees it.
//! * [`Tx::after_commit`] runs a function on this node after the commit, and not at all on a rollback.
//! * [`cron`] says when a schedule is due next.
//! * [`Batcher`] gathers items of many callers into one function call: one multi-row statement per group.
//!
//! # SQL
//!
//! One text for both engines in the common subset: `?1 ?2` parameters, `RETURNING`, `ON CONFLICT`, CTEs, window functions. Types are
//! `TEXT`, `BIGINT` (times in ms, booleans as 0 and 1), `BYTEA`, `DOUBLE PRECISION`; JSON is `TEXT`. Spell `NULLS FIRST/LAST`; cast untyped parameters
//! (`CAST(?1 AS BIGINT)`); `SUM` of a BIGINT must be cast back. Where the engines must differ, a [`Dialect`] holds both texts.
//!
//! # Invariants
//!
//! * Every tenant's table has `tenant_id` and, on PostgreSQL, a forced row-level security policy; each function sets its tenant first.
//! * Nothing slow (network, password hashing) happens inside a function: it holds the writer.

pub mod audit;
mod batch;
mod change;
pub mod cron;
mod error;
mod leases;
mod lifecycle;
mod line;
mod lock;
mod migrate;
mod nodes;
mod old;
mod pg;
mod row;
mod seal;
mod slot;
mod sql;
mod sqlite;
mod stop;
mod store;
mod tx;
mod value;
mod work;

pub use audit::{AuditFault, verify_chain};
pub use batch::Batcher;
pub use change::{Change, Listener};
pub use error::is_unique_violation;
pub use leases::Lease;
pub use lifecycle::{Lifecycle, Subject};
pub use migrate::{Home, Migration, is_migrated};
pub use nodes::{HEARTBEAT_EVERY, NODE_DEAD_AFTER, Node};
pub use old::Partition;
pub use row::{FromColumn, Row};
pub use seal::{MasterKey, Sealer};
pub use slot::{KEPT_FOR, KeptAnswer};
pub use sql::{Dialect, Engine, Statement};
pub use store::{Config, Database, Store};
pub use tx::Tx;
pub use value::Value;
