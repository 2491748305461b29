//! Entries of the audit log.

mod list;

use std::sync::Arc;

use kernel::{AuditId, Permission, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::audit::AuditRow;
use web::{Access, Api, Endpoint};

use crate::Audit;

pub use list::EntryFilter;

/// One act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// The tenant in which it was done; null for the operator's own acts.
    pub tenant_id: Option<String>,
    /// Who: a key, a service key, a person, or a part of the system (`system:…`).
    pub actor: String,
    /// What kind of actor: `key`, `client`, `service_key`, `user`, `system`.
    pub actor_type: String,
    /// What: `<kind of object>.<verb>`, such as `key.update`.
    pub action: String,
    /// The kind of object: `key`.
    pub object_type: String,
    /// The object's id, or its name.
    pub object: String,
    /// What was changed, as it was. Secrets read `[removed]`.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The same members, as they are since.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// What else is said about it.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<Value>,
    /// The request that did it, as in `X-Request-Id`.
    pub request_id: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// With which user agent.
    pub user_agent: Option<String>,
    /// Its number in the chain of its tenant, or of the operator.
    pub sequence: i64,
    /// Its hash, which the next entry's hash covers, in hexadecimal.
    pub hash: String,
}

impl Entry {
    fn of(row: AuditRow) -> Self {
        let mut detail = match row.detail {
            Value::Object(members) => members,
            Value::Null => Map::new(),
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        let (before, after) = (detail.shift_remove("before"), detail.shift_remove("after"));
        let is_operators = row.chain == store::audit::OPERATOR_CHAIN;
        Self {
            id: row.id,
            at: row.at,
            tenant_id: (!is_operators).then_some(row.chain),
            actor_type: actor_type(&row.actor).to_owned(),
            actor: row.actor,
            object_type: row.action.split('.').next().unwrap_or_default().to_owned(),
            action: row.action,
            object: row.target,
            before,
            after,
            detail: (!detail.is_empty()).then_some(Value::Object(detail)),
            request_id: row.request_id,
            ip: row.ip,
            user_agent: row.user_agent,
            sequence: row.seq,
            hash: row.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

fn actor_type(actor: &str) -> &'static str {
    match actor.split(['_', ':']).next() {
        Some("key") => "key",
        Some("cli") => "client",
        Some("svc") => "service_key",
        Some("usr") => "user",
        _ => "system",
    }
}

pub(crate) fn routes(audit: &Arc<Audit>) -> Api {
    let list = Endpoint::get("/api/v1/audit-log", "audit_log.list")
        .tag("Audit")
        .summary("List administrative acts, newest first")
        .needs(Access::Permission(Permission::AuditRead))
        .query(&[
            ("actor", "Only what this one did: key_…, svc_…, usr_…, system:…"),
            ("action", "Only this act (key.update), or all on one kind of object (key.*)"),
            ("object", "Only what was done to this id"),
            ("requestId", "Only what this request did"),
            ("from", "Not before this time (RFC 3339)"),
            ("to", "Before this time (RFC 3339)"),
        ])
        .paged()
        .answers_page::<Entry>();
    Api::new().route(list, list::handle, Arc::clone(audit))
}
