//! Reading rows.

use kernel::{AuditId, Cursor, Error, PageRequest, RequestId, Result, TenantId, Timestamp};
use serde_json::Value as Json;

use crate::{Row, Tx, Value};

/// Which rows are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only those of a tenant's chain; for the operator none means all chains, the operator's own among them.
    pub tenant: Option<TenantId>,
    /// Only those of the operator's own chain.
    pub is_operators: bool,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Only what this one did (`key_…`, `svc_…`, `usr_…`, `system:…`).
    pub actor: Option<String>,
    /// Only this act (`client.update`), or every act on a kind of object (`client.*`).
    pub action: Option<String>,
    /// Only what was done to this object.
    pub object: Option<String>,
    /// Only what this request did.
    pub request: Option<RequestId>,
}

/// One act.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// The chain it stands in.
    pub chain: String,
    /// Its number there.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// What is said about it, without secrets.
    pub detail: Json,
    /// The request that did it.
    pub request_id: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
    /// What the next row's hash covers.
    pub hash: Vec<u8>,
}

impl AuditRow {
    /// The place after this row.
    pub fn cursor(&self) -> Cursor {
        Cursor { key: self.at.millis(), id: format!("{}.{}", self.seq, self.id) }
    }
}

/// Rows, the newest first: one more than the page asks for, if there are. Error: 400 `malformed_cursor`.
pub fn list(tx: &mut Tx<'_>, filter: &AuditFilter, page: &PageRequest) -> Result<Vec<AuditRow>> {
    let mut sql = String::from("1 = 1");
    let mut params: Vec<Value> = Vec::new();
    let mut and = |condition: &str, value: Value| {
        params.push(value);
        sql.push_str(&format!(" AND {}", condition.replace("?", &format!("?{}", params.len()))));
    };
    let tenant = filter.tenant.map(Value::from).or_else(|| filter.is_operators.then(|| "".into()));
    let kind = filter.action.as_deref().and_then(|action| action.strip_suffix('*'));
    let conditions: [(&str, Option<Value>); 8] = [
        ("tenant_id = ?", tenant),
        ("at >= ?", filter.from.map(Value::from)),
        ("at < ?", filter.to.map(Value::from)),
        ("actor = ?", filter.actor.as_ref().map(Value::from)),
        ("action = ?", filter.action.as_ref().filter(|_| kind.is_none()).map(Value::from)),
        // No sign comes after this one in the names of acts.
        ("action >= ?", kind.map(Value::from)),
        ("action < ?", kind.map(|kind| format!("{kind}\u{7f}").into())),
        ("target = ?", filter.object.as_ref().map(Value::from)),
    ];
    for (condition, value) in conditions {
        if let Some(value) = value {
            and(condition, value);
        }
    }
    if let Some(request) = filter.request {
        and("request_id = ?", request.into());
    }
    if let Some(cursor) = &page.cursor {
        let malformed = || Error::malformed("malformed_cursor", "Send the cursor exactly as nextCursor gave it, or none to begin again.");
        let (seq, id) = cursor.id.split_once('.').ok_or_else(malformed)?;
        let n = params.len();
        params.extend([cursor.key.into(), seq.parse::<i64>().map_err(|_| malformed())?.into(), id.into()]);
        sql.push_str(&format!(" AND (at, seq, id) < (?{}, ?{}, ?{})", n + 1, n + 2, n + 3));
    }
    params.extend([(u64::from(page.limit) + 1).into(), page.offset().into()]);
    let n = params.len();
    let sql = format!(
        "SELECT id, chain, seq, at, actor, action, target, detail, request_id, ip, user_agent, hash FROM audit_log WHERE {sql} \
         ORDER BY at DESC, seq DESC, id DESC LIMIT ?{} OFFSET ?{n}",
        n - 1
    );
    tx.query(&sql, &params, read)
}

fn read(row: &Row<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        id: row.get(0)?,
        chain: row.get(1)?,
        seq: row.get(2)?,
        at: row.get(3)?,
        actor: row.get(4)?,
        action: row.get(5)?,
        target: row.get(6)?,
        detail: row.get(7)?,
        request_id: row.get(8)?,
        ip: row.get(9)?,
        user_agent: row.get(10)?,
        hash: row.get(11)?,
    })
}
