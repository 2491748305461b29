//! A blueprint may declare other metrics than the last time the server ran: then their rows are made anew of the records that are there.

use std::collections::HashSet;

use kernel::{RecordId, Result, Scope, TenantId};
use store::Tx;

use super::points;
use crate::records::rows_after;
use crate::{Records, ResourceType};

/// Records in one transaction.
const BATCH: u32 = 200;

impl Records {
    /// Brings the rows of every metric to its declaration; answers how many records were looked at.
    pub(crate) async fn prepare_metrics(&self) -> Result<u64> {
        let sql = "SELECT metric, declaration FROM metric_declarations";
        let read = move |tx: &mut Tx<'_>| tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)));
        let known = self.store().read(Scope::system("records"), read).await?;
        let mut done = 0;
        let mut declared = HashSet::new();
        for kind in self.types() {
            for (place, measured) in kind.measured().iter().enumerate() {
                let (name, declaration) = (measured.metric.name.clone(), measured.declaration());
                declared.insert(name.clone());
                if known.iter().any(|(metric, was)| *metric == name && *was == declaration) {
                    continue;
                }
                self.clear_metric(name.clone()).await?;
                done += self.measure_all(kind, place).await?;
                let sql = "INSERT INTO metric_declarations (metric, declaration) VALUES (?1, ?2) \
                           ON CONFLICT (metric) DO UPDATE SET declaration = excluded.declaration";
                self.store().write(Scope::system("records"), move |tx| tx.exec(sql, &[name.into(), declaration.into()])).await?;
            }
        }
        for (gone, _) in known.into_iter().filter(|(name, _)| !declared.contains(name)) {
            self.clear_metric(gone).await?;
        }
        Ok(done)
    }

    /// Removes a metric's rows, tenant by tenant, and forgets its declaration first: an interrupted start begins again.
    async fn clear_metric(&self, metric: String) -> Result<()> {
        let name = metric.clone();
        let forget = move |tx: &mut Tx<'_>| tx.exec("DELETE FROM metric_declarations WHERE metric = ?1", &[name.into()]);
        self.store().write(Scope::system("records"), forget).await?;
        let mut after = String::new();
        loop {
            let (name, from) = (metric.clone(), after);
            let next = move |tx: &mut Tx<'_>| {
                let sql = "SELECT tenant_id FROM record_points WHERE tenant_id > ?1 ORDER BY tenant_id LIMIT 1";
                let tenant = tx.query_opt(sql, &[from.into()], |row| row.get::<String>(0))?;
                if let Some(tenant) = &tenant {
                    let sql = "DELETE FROM record_points WHERE tenant_id = ?1 AND metric = ?2";
                    tx.exec(sql, &[tenant.as_str().into(), name.into()])?;
                }
                Ok(tenant)
            };
            match self.store().write(Scope::system("records"), next).await? {
                Some(tenant) => after = tenant,
                None => return Ok(()),
            }
        }
    }

    async fn measure_all(&self, kind: &std::sync::Arc<ResourceType>, place: usize) -> Result<u64> {
        let (mut done, mut last) = (0, None);
        loop {
            let (kind, from) = (std::sync::Arc::clone(kind), last);
            let (count, next) = self.store().write(Scope::system("records"), move |tx| batch(tx, &kind, place, from)).await?;
            done += count;
            if next.is_none() {
                return Ok(done);
            }
            last = next;
        }
    }
}

/// Looks at the records after `last`; answers how many, and the last of them if there may be more.
fn batch(
    tx: &mut Tx<'_>,
    kind: &ResourceType,
    place: usize,
    last: Option<(TenantId, RecordId)>,
) -> Result<(u64, Option<(TenantId, RecordId)>)> {
    let rows = rows_after(tx, kind.name(), last, BATCH)?;
    for (tenant, record) in &rows {
        points::write(tx, *tenant, &kind.measured()[place..=place], None, record)?;
    }
    let full = rows.len() == BATCH as usize;
    let next = rows.last().filter(|_| full).map(|(tenant, record)| (*tenant, record.id));
    Ok((rows.len() as u64, next))
}
