//! Finding what is wrong with the chains.

use std::fmt;

use kernel::Result;

use super::append::{chains, head_context, head_text};
use super::entry;
use crate::Tx;

/// Rows read at once.
const PAGE: u32 = 1000;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFaultKind {
    /// A row is missing where one must be: it was removed, or its number was changed.
    Missing,
    /// A row is not as it was written, or does not follow the one before it.
    Altered,
    /// Rows are missing at the end, or were added there: the head tells of another last row.
    End,
    /// The head is missing or was not written by us.
    Head,
    /// Whole chains are missing, or were added.
    Chains,
    /// The root, which every installation has, is missing or was not written by us: the log may have been removed as a whole.
    Root,
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFault {
    /// The chain: a tenant's id, or `operator`; empty if it is about all of them.
    pub chain: String,
    /// The first row that is missing or altered.
    pub seq: i64,
    /// What is wrong.
    pub kind: AuditFaultKind,
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chain, seq) = (&self.chain, self.seq);
        match self.kind {
            AuditFaultKind::Missing => write!(f, "{chain}: row {seq} is missing"),
            AuditFaultKind::Altered => write!(f, "{chain}: row {seq} was altered, or is not the one that was written there"),
            AuditFaultKind::End => write!(f, "{chain}: from row {seq} on, rows were removed or added at the end"),
            AuditFaultKind::Head => write!(f, "{chain}: its head is missing, or was not written by this installation"),
            AuditFaultKind::Chains => write!(f, "there should be {seq} chains: whole chains were removed or added"),
            AuditFaultKind::Root => {
                f.write_str("the log's root is missing, or was not written by this installation: the log may have been removed as a whole")
            }
        }
    }
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Chains that were looked at.
    pub chains: u64,
    /// Rows of chains that are whole.
    pub rows: u64,
    /// The first fault of each chain that is not.
    pub faults: Vec<AuditFault>,
}

/// Checks every chain, one after the other, and that none is missing. For the operator's or the system's scope.
pub fn verify_chains(tx: &mut Tx<'_>) -> Result<Verified> {
    let mut verified = Verified::default();
    let mut after = String::new();
    let next = "SELECT MIN(chain) FROM (SELECT MIN(chain) AS chain FROM audit_heads WHERE chain > ?1 \
                UNION ALL SELECT MIN(chain) AS chain FROM audit_log WHERE chain > ?1) AS both_of_them";
    while let Some(chain) = tx.query_one(next, &[after.as_str().into()], |row| row.get::<Option<String>>(0))? {
        verified.chains += 1;
        match check(tx, &chain)? {
            Ok(rows) => verified.rows += rows,
            Err(fault) => verified.faults.push(fault),
        }
        after = chain;
    }
    // What does not open was not written by us.
    match chains(tx).unwrap_or_default() {
        None => verified.faults.push(AuditFault { chain: String::new(), seq: 0, kind: AuditFaultKind::Root }),
        Some(expected) if expected != verified.chains => {
            let seq = i64::try_from(expected).unwrap_or(i64::MAX);
            verified.faults.push(AuditFault { chain: String::new(), seq, kind: AuditFaultKind::Chains });
        }
        Some(_) => {}
    }
    Ok(verified)
}

/// Checks a whole chain (a tenant's id, or `operator`) against its head. Nothing: it is whole.
pub fn verify_chain(tx: &mut Tx<'_>, chain: &str) -> Result<Option<AuditFault>> {
    Ok(check(tx, chain)?.err())
}

/// How many rows it has, or what is wrong with it.
fn check(tx: &mut Tx<'_>, chain: &str) -> Result<std::result::Result<u64, AuditFault>> {
    let fault = |seq, kind| Ok(Err(AuditFault { chain: chain.to_owned(), seq, kind }));
    let sql = format!("SELECT {} FROM audit_log WHERE chain = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3", entry::COLUMNS);
    // Rows before the first one would never be read otherwise.
    let (mut last, mut before, mut from) = (0_i64, Vec::new(), i64::MIN);
    loop {
        let rows = tx.query(&sql, &[chain.into(), from.into(), PAGE.into()], entry::read)?;
        let Some((end, _)) = rows.last() else { break };
        from = end.seq;
        for (entry, hash) in rows {
            if entry.seq != last + 1 {
                return fault(last + 1, AuditFaultKind::Missing);
            }
            if entry.hash(&before) != hash {
                return fault(entry.seq, AuditFaultKind::Altered);
            }
            (last, before) = (entry.seq, hash);
        }
    }
    let head = tx.query_opt("SELECT seq, hash, seal FROM audit_heads WHERE chain = ?1", &[chain.into()], |row| {
        Ok((row.get::<i64>(0)?, row.get::<Vec<u8>>(1)?, row.get::<Option<Vec<u8>>>(2)?))
    })?;
    let Some((seq, hash, seal)) = head else {
        return if last == 0 { Ok(Ok(0)) } else { fault(last, AuditFaultKind::Head) };
    };
    let sealed = seal.and_then(|seal| tx.sealer().open(&head_context(chain), &seal).ok());
    if sealed.as_deref() != Some(&head_text(seq, &hash)) {
        return fault(last, AuditFaultKind::Head);
    }
    if (seq, hash) != (last, before) {
        return fault(last.min(seq) + 1, AuditFaultKind::End);
    }
    Ok(Ok(last.unsigned_abs()))
}
