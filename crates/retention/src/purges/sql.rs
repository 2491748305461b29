//! Every statement on `purges`.

use kernel::id::TypedId as _;
use kernel::{ClientId, DeliveryId, Result, TenantId, Timestamp};
use store::Tx;

/// A purge that is to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) tenant: TenantId,
    /// None: all of the tenant.
    pub(super) client: Option<ClientId>,
    pub(super) pass: i64,
    pub(super) place: DeliveryId,
}

impl Open {
    fn client(&self) -> String {
        self.client.map(|client| client.to_string()).unwrap_or_default()
    }
}

pub(super) fn ask(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>) -> Result<()> {
    let (now, first) = (tx.now(), DeliveryId::first_at(Timestamp::default()));
    let client = client.map(|client| client.to_string()).unwrap_or_default();
    if client.is_empty() {
        // The whole has the parts in it.
        tx.exec("DELETE FROM purges WHERE tenant_id = ?1", &[tenant.into()])?;
    }
    let sql = "INSERT INTO purges (tenant_id, client_id, asked_at, pass, place) VALUES (?1, ?2, ?3, 0, ?4) ON CONFLICT DO NOTHING";
    tx.exec(sql, &[tenant.into(), client.into(), now.into(), first.into()]).map(drop)
}

/// The one that was asked for first.
pub(super) fn next(tx: &mut Tx<'_>) -> Result<Option<Open>> {
    let sql = "SELECT tenant_id, client_id, pass, place FROM purges ORDER BY asked_at, tenant_id, client_id LIMIT 1";
    tx.query_opt(sql, &[], |row| {
        let client: String = row.get(1)?;
        let client = if client.is_empty() { None } else { Some(client.parse()?) };
        Ok(Open { tenant: row.get(0)?, client, pass: row.get(2)?, place: row.get(3)? })
    })
}

pub(super) fn advance(tx: &mut Tx<'_>, purge: &Open, pass: i64, place: DeliveryId) -> Result<()> {
    let sql = "UPDATE purges SET pass = ?3, place = ?4 WHERE tenant_id = ?1 AND client_id = ?2";
    tx.exec(sql, &[purge.tenant.into(), purge.client().into(), pass.into(), place.into()]).map(drop)
}

pub(super) fn finish(tx: &mut Tx<'_>, purge: &Open) -> Result<()> {
    tx.exec("DELETE FROM purges WHERE tenant_id = ?1 AND client_id = ?2", &[purge.tenant.into(), purge.client().into()]).map(drop)
}
