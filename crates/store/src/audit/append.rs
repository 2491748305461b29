//! Adding a row.

use kernel::{Authority, Error, Result};
use serde_json::Value as Json;

use super::OPERATOR_CHAIN;
use super::entry::Entry;
use crate::Tx;

/// The row of `audit_roots` that says how many chains there are.
pub(super) const CHAINS: &str = "chains";

pub(crate) fn append(tx: &mut Tx<'_>, action: &str, target: &str, detail: &Json) -> Result<()> {
    let (chain, tenant) = match tx.scope().authority() {
        Authority::Tenant(tenant) => (tenant.to_string(), tenant.to_string()),
        Authority::Operator | Authority::System => (OPERATOR_CHAIN.to_owned(), String::new()),
    };
    // Taking the head first makes writers of one chain wait for each other, so that it never forks.
    tx.exec(
        "INSERT INTO audit_heads (chain, tenant_id, seq, hash) VALUES (?1, ?2, 0, ?3) ON CONFLICT (chain) DO UPDATE SET seq = audit_heads.seq",
        &[chain.as_str().into(), tenant.as_str().into(), Vec::new().into()],
    )?;
    let (last, before) = tx.query_one("SELECT seq, hash FROM audit_heads WHERE chain = ?1", &[chain.as_str().into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?))
    })?;
    if last == 0 {
        count_chain(tx)?;
    }
    let request = tx.scope().request();
    let text = |text: String| text.replace('\0', "");
    let entry = Entry {
        seq: last + 1,
        id: tx.ambient().id::<kernel::AuditId>().to_string(),
        tenant,
        at: tx.now().millis(),
        actor: tx.scope().actor().to_string(),
        action: action.to_owned(),
        target: text(target.to_owned()),
        detail: super::without_secrets(detail.clone()).to_string(),
        request_id: request.map(|r| r.id.to_string()),
        ip: request.and_then(|r| r.ip).map(|ip| ip.to_string()),
        user_agent: request.and_then(|r| r.user_agent.as_deref()).map(|agent| text(agent.to_owned())),
        chain,
    };
    write(tx, entry, &before)
}

fn write(tx: &mut Tx<'_>, entry: Entry, before: &[u8]) -> Result<()> {
    let hash = entry.hash(before);
    let seal = tx.sealer().seal(&head_context(&entry.chain), &head_text(entry.seq, &hash))?;
    tx.exec(
        "UPDATE audit_heads SET seq = ?2, hash = ?3, seal = ?4 WHERE chain = ?1",
        &[entry.chain.as_str().into(), entry.seq.into(), hash.clone().into(), seal.into()],
    )?;
    tx.exec(
        "INSERT INTO audit_log (chain, seq, id, tenant_id, at, actor, action, target, detail, request_id, ip, user_agent, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &[
            entry.chain.into(),
            entry.seq.into(),
            entry.id.into(),
            entry.tenant.into(),
            entry.at.into(),
            entry.actor.into(),
            entry.action.into(),
            entry.target.into(),
            entry.detail.into(),
            entry.request_id.into(),
            entry.ip.into(),
            entry.user_agent.into(),
            hash.into(),
        ],
    )?;
    Ok(())
}

/// A chain begins: there is one more. The root's row is locked last, after the head, so that no two writers wait for each other.
///
/// A root that is gone stays gone: verification is to find that, whatever is written meanwhile.
fn count_chain(tx: &mut Tx<'_>) -> Result<()> {
    if tx.exec("UPDATE audit_roots SET sealed = sealed WHERE name = ?1", &[CHAINS.into()])? == 0 {
        tracing::error!("the root of the audit log is missing: somebody removed it. tradewind verify-log says so too");
        return Ok(());
    }
    let count = chains(tx)?.unwrap_or(0) + 1;
    let sealed = tx.sealer().seal(CHAINS_CONTEXT, &count.to_be_bytes())?;
    tx.exec("UPDATE audit_roots SET sealed = ?2 WHERE name = ?1", &[CHAINS.into(), sealed.into()])?;
    Ok(())
}

/// Makes the root, unless there is one: of as many chains as have begun already.
pub(crate) fn plant(tx: &mut Tx<'_>) -> Result<()> {
    let count = super::anchor::sealed_heads(tx)?;
    let sealed = tx.sealer().seal(CHAINS_CONTEXT, &count.to_be_bytes())?;
    tx.exec("INSERT INTO audit_roots (name, sealed) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING", &[CHAINS.into(), sealed.into()])?;
    Ok(())
}

const CHAINS_CONTEXT: &str = "audit_roots.sealed:chains";

/// How many chains there must be; none if the root is gone. Error: internal, when what is stored is not ours.
pub(super) fn chains(tx: &mut Tx<'_>) -> Result<Option<u64>> {
    let sealed: Option<Vec<u8>> = tx.query_opt("SELECT sealed FROM audit_roots WHERE name = ?1", &[CHAINS.into()], |row| row.get(0))?;
    let Some(sealed) = sealed.filter(|sealed| !sealed.is_empty()) else { return Ok(None) };
    let plain = tx.sealer().open(CHAINS_CONTEXT, &sealed)?;
    let bytes = plain.try_into().map_err(|_| Error::internal("the number of audit chains has a wrong length"))?;
    Ok(Some(u64::from_be_bytes(bytes)))
}

pub(super) fn head_context(chain: &str) -> String {
    format!("audit_heads.seal:{chain}")
}

pub(super) fn head_text(seq: i64, hash: &[u8]) -> Vec<u8> {
    [seq.to_be_bytes().as_slice(), hash].concat()
}
