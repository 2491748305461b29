//! The audit log: one hash chain per tenant and one for the operator, appended in the transaction of the act itself. Each row's hash covers
//! the row and the hash before it, so that a changed, missing or inserted row is found by [`verify_chain`].

use kernel::{Authority, Result};
use serde_json::Value as Json;

use crate::{Row, Tx};

/// The operator's chain; a tenant's chain is named by its id.
const OPERATOR: &str = "operator";

struct Entry {
    chain: String,
    seq: i64,
    id: String,
    at: i64,
    actor: String,
    action: String,
    target: String,
    detail: String,
    request_id: Option<String>,
    ip: Option<String>,
}

impl Entry {
    /// Every field with its length before it, so that no two entries read the same.
    fn hash(&self, before: &[u8]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new();
        let (seq, at) = (self.seq.to_be_bytes(), self.at.to_be_bytes());
        let absent = "";
        let texts = [&self.chain, &self.id, &self.actor, &self.action, &self.target, &self.detail];
        let optional = [self.request_id.as_deref().unwrap_or(absent), self.ip.as_deref().unwrap_or(absent)];
        let fields = texts.iter().map(|t| t.as_bytes()).chain(optional.iter().map(|t| t.as_bytes()));
        for field in [before, &seq, &at].into_iter().chain(fields) {
            hasher.update(&(field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().as_bytes().to_vec()
    }
}

pub(crate) fn append(tx: &mut Tx<'_>, action: &str, target: &str, detail: &Json) -> Result<()> {
    let (chain, tenant) = match tx.scope().authority() {
        Authority::Tenant(tenant) => (tenant.to_string(), tenant.to_string()),
        Authority::Operator | Authority::System => (OPERATOR.to_owned(), String::new()),
    };
    // Taking the head first makes writers of one chain wait for each other, so that it never forks.
    tx.exec(
        "INSERT INTO audit_heads (chain, tenant_id, seq, hash) VALUES (?1, ?2, 0, ?3) ON CONFLICT (chain) DO UPDATE SET seq = audit_heads.seq",
        &[chain.as_str().into(), tenant.as_str().into(), Vec::new().into()],
    )?;
    let (last, before) = tx.query_one("SELECT seq, hash FROM audit_heads WHERE chain = ?1", &[chain.as_str().into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
    })?;
    let request = tx.scope().request();
    let entry = Entry {
        seq: last + 1,
        id: tx.ambient().id::<kernel::AuditId>().to_string(),
        at: tx.now().millis(),
        actor: tx.scope().actor().to_string(),
        action: action.to_owned(),
        target: target.to_owned(),
        detail: detail.to_string(),
        request_id: request.map(|r| r.id.to_string()),
        ip: request.and_then(|r| r.ip).map(|ip| ip.to_string()),
        chain,
    };
    let hash = entry.hash(&before);
    tx.exec(
        "INSERT INTO audit_log (chain, seq, id, tenant_id, at, actor, action, target, detail, request_id, ip, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        &[
            entry.chain.as_str().into(),
            entry.seq.into(),
            entry.id.into(),
            tenant.into(),
            entry.at.into(),
            entry.actor.into(),
            entry.action.into(),
            entry.target.into(),
            entry.detail.into(),
            entry.request_id.into(),
            entry.ip.into(),
            hash.clone().into(),
        ],
    )?;
    tx.exec("UPDATE audit_heads SET seq = ?2, hash = ?3 WHERE chain = ?1", &[entry.chain.into(), entry.seq.into(), hash.into()])?;
    Ok(())
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// The chain: a tenant's id, or `operator`.
    pub chain: String,
    /// The first row that is missing or altered.
    pub seq: i64,
}

/// Checks a whole chain (a tenant's id, or `operator`) against its head. Nothing: it is whole.
pub fn verify_chain(tx: &mut Tx<'_>, chain: &str) -> Result<Option<AuditFault>> {
    let rows = tx.query(
        "SELECT chain, seq, id, at, actor, action, target, detail, request_id, ip, hash FROM audit_log WHERE chain = ?1 ORDER BY seq",
        &[chain.into()],
        read,
    )?;
    let head = tx.query_opt("SELECT seq, hash FROM audit_heads WHERE chain = ?1", &[chain.into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
    })?;
    let mut before = Vec::new();
    let mut expected = 1;
    for (entry, hash) in rows {
        if entry.seq != expected || entry.hash(&before) != hash {
            return Ok(Some(AuditFault { chain: chain.to_owned(), seq: expected }));
        }
        before = hash;
        expected += 1;
    }
    let whole = head.unwrap_or((0, Vec::new())) == (expected - 1, before);
    Ok(if whole { None } else { Some(AuditFault { chain: chain.to_owned(), seq: expected }) })
}

fn read(row: &Row<'_>) -> Result<(Entry, Vec<u8>)> {
    let entry = Entry {
        chain: row.get(0)?,
        seq: row.get(1)?,
        id: row.get(2)?,
        at: row.get(3)?,
        actor: row.get(4)?,
        action: row.get(5)?,
        target: row.get(6)?,
        detail: row.get(7)?,
        request_id: row.get(8)?,
        ip: row.get(9)?,
    };
    Ok((entry, row.get(10)?))
}
