//! Making lines of what hours that are over have beyond the lines that tell of them.

use kernel::{Result, Scope, Timestamp};
use store::{Row, Tx, Value};

use super::{GRACE_MS, LineKind};
use crate::Usage;
use crate::rollups::{Grain, HOUR_MS};

/// Meters in one step.
const STEP: usize = 500;
const SAME: &str = "tenant_id = ?1 AND hour = ?2 AND client_id = ?3 AND key_id = ?4 AND method = ?5 AND endpoint = ?6";

/// Requests, succeeded, units, bytes in, bytes out.
type Sums = [u64; 5];

/// A meter with what each server counted for it.
struct Meter {
    /// Tenant, hour, client, key, method, endpoint.
    name: Vec<Value>,
    nodes: Vec<(String, Sums)>,
}

impl Meter {
    fn counted(&self) -> Sums {
        self.nodes.iter().fold([0; 5], |sum, (_, more)| std::array::from_fn(|at| sum[at] + more[at]))
    }
}

impl Usage {
    /// Tells of every hour that has been over for five minutes; answers how many lines were made. Can be repeated, and run by several
    /// servers at once: a line is made once.
    pub async fn close_hours(&self) -> Result<u64> {
        let until = closed_until(self.ambient.now());
        let mut lines = 0;
        loop {
            let meters = self.logs.read(scope(), move |tx| open_meters(tx, until)).await?;
            let is_last = meters.len() < STEP;
            if meters.is_empty() {
                return Ok(lines);
            }
            let (made, meters) = self.store.write(scope(), move |tx| tell(tx, &meters).map(|made| (made, meters))).await?;
            lines += made;
            self.logs.write(scope(), move |tx| mark(tx, &meters)).await?;
            if is_last {
                return Ok(lines);
            }
        }
    }
}

fn scope() -> Scope {
    Scope::system("usage")
}

/// Hours that begin before this are told.
pub(super) fn closed_until(now: Timestamp) -> Timestamp {
    Grain::Hour.floor(Timestamp::from_millis(now.millis() - GRACE_MS))
}

fn open_meters(tx: &mut Tx<'_>, until: Timestamp) -> Result<Vec<Meter>> {
    let names = tx.query(
        "SELECT DISTINCT tenant_id, hour, client_id, key_id, method, endpoint FROM usage_meters WHERE is_open = 1 AND hour <= ?1 \
         ORDER BY hour, tenant_id, client_id, key_id, method, endpoint LIMIT ?2",
        &[(until.millis() - HOUR_MS).into(), (STEP as u64).into()],
        |row| {
            let text = |at| row.get::<String>(at).map(Value::from);
            Ok(vec![text(0)?, row.get::<i64>(1)?.into(), text(2)?, text(3)?, text(4)?, text(5)?])
        },
    )?;
    let nodes = format!("SELECT node, requests, succeeded, units, request_bytes, response_bytes FROM usage_meters WHERE {SAME}");
    names
        .into_iter()
        .map(|name| {
            let nodes = tx.query(&nodes, &name, |row| Ok((row.get(0)?, sums(row, 1)?)))?;
            Ok(Meter { name, nodes })
        })
        .collect()
}

fn sums(row: &Row<'_>, first: usize) -> Result<Sums> {
    let mut out = [0; 5];
    for (at, sum) in out.iter_mut().enumerate() {
        *sum = row.get(first + at)?;
    }
    Ok(out)
}

/// Makes the lines. The row of the sequence is locked first: who else makes lines waits, and then sees these.
fn tell(tx: &mut Tx<'_>, meters: &[Meter]) -> Result<u64> {
    let now = tx.now();
    let begin =
        "INSERT INTO usage_sequence (id, value) VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET value = usage_sequence.value RETURNING value";
    let first: i64 = tx.query_one(begin, &[], |row| row.get(0))?;
    let mut values: Vec<Value> = Vec::new();
    let mut last = first;
    let told = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(requests), 0) AS BIGINT), CAST(COALESCE(SUM(succeeded), 0) AS BIGINT), \
         CAST(COALESCE(SUM(units), 0) AS BIGINT), CAST(COALESCE(SUM(request_bytes), 0) AS BIGINT), \
         CAST(COALESCE(SUM(response_bytes), 0) AS BIGINT) FROM usage_lines WHERE {SAME}"
    );
    for meter in meters {
        let (lines, before) = tx.query_one(&told, &meter.name, |row| Ok((row.get::<u64>(0)?, sums(row, 1)?)))?;
        let counted = meter.counted();
        if counted[0] <= before[0] {
            continue;
        }
        last += 1;
        let kind = if lines == 0 { LineKind::Count } else { LineKind::Correction };
        values.extend([last.into(), kind.as_str().into()]);
        values.extend(meter.name.iter().cloned());
        values.extend((0..5).map(|at| Value::from(counted[at].saturating_sub(before[at]))));
        values.push(now.into());
    }
    let into = "INSERT INTO usage_lines (sequence, kind, tenant_id, hour, client_id, key_id, method, endpoint, requests, succeeded, units, \
                request_bytes, response_bytes, created_at) VALUES";
    let made = tx.insert_rows(into, 14, &values, "")?;
    tx.exec("UPDATE usage_sequence SET value = ?1 WHERE id = 1", &[last.into()])?;
    Ok(made)
}

/// What has been told is not open any more, unless more has come since.
fn mark(tx: &mut Tx<'_>, meters: &[Meter]) -> Result<()> {
    let sql = format!("UPDATE usage_meters SET is_open = 0 WHERE {SAME} AND node = ?7 AND requests = ?8");
    for meter in meters {
        for (node, counted) in &meter.nodes {
            let mut params = meter.name.clone();
            params.extend([node.into(), counted[0].into()]);
            tx.exec(&sql, &params)?;
        }
    }
    Ok(())
}
