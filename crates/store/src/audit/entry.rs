//! A row, and what its hash covers.

use kernel::Result;

use crate::Row;

/// The columns that [`read`] wants.
pub(super) const COLUMNS: &str = "chain, seq, id, tenant_id, at, actor, action, target, detail, request_id, ip, user_agent, hash";

pub(super) struct Entry {
    pub(super) chain: String,
    pub(super) seq: i64,
    pub(super) id: String,
    pub(super) tenant: String,
    pub(super) at: i64,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) target: String,
    pub(super) detail: String,
    pub(super) request_id: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) user_agent: Option<String>,
}

impl Entry {
    /// Every field with its length before it, so that no two entries read the same; an absent one is told from an empty one.
    pub(super) fn hash(&self, before: &[u8]) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new();
        let (seq, at) = (self.seq.to_be_bytes(), self.at.to_be_bytes());
        let texts = [&self.chain, &self.id, &self.tenant, &self.actor, &self.action, &self.target, &self.detail];
        let optional = [&self.request_id, &self.ip, &self.user_agent];
        let present = optional.map(|text| u8::from(text.is_some()));
        let fields = texts.iter().map(|t| t.as_bytes()).chain(optional.iter().map(|t| t.as_deref().unwrap_or_default().as_bytes()));
        for field in [before, &seq, &at, &present].into_iter().chain(fields) {
            hasher.update(&(field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().as_bytes().to_vec()
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<(Entry, Vec<u8>)> {
    let entry = Entry {
        chain: row.get(0)?,
        seq: row.get(1)?,
        id: row.get(2)?,
        tenant: row.get(3)?,
        at: row.get(4)?,
        actor: row.get(5)?,
        action: row.get(6)?,
        target: row.get(7)?,
        detail: row.get(8)?,
        request_id: row.get(9)?,
        ip: row.get(10)?,
        user_agent: row.get(11)?,
    };
    Ok((entry, row.get(12)?))
}
