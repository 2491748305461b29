//! Reading the counts. All to be run on `store.logs()`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kernel::histogram::BUCKETS;
use kernel::{Histogram, Result, TenantId, Timestamp};
use store::{FromColumn, Row, Tx, Value};

use super::{Counted, Grain, Kind, Period, Subject};

/// Which parts of a division are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// An endpoint's, of every method.
    Endpoint(String),
    /// A status's, with every error code.
    Status(u16),
}

impl Part {
    /// The division it belongs to.
    fn kind(&self) -> Kind {
        match self {
            Self::Endpoint(_) => Kind::Endpoint,
            Self::Status(_) => Kind::Status,
        }
    }

    /// The first text, and the first after the last.
    fn range(&self) -> (String, String) {
        match self {
            // The method follows after a space; `!` is the next character after it.
            Self::Endpoint(endpoint) => (format!("{endpoint} "), format!("{endpoint}!")),
            Self::Status(status) => (status.to_string(), (status + 1).to_string()),
        }
    }
}

/// A subject's calls by hour or day, the oldest first; times without calls are left out. `only`: those of one part.
pub fn by_time(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    subject: &Subject,
    only: Option<&Part>,
    grain: Grain,
    period: Period,
) -> Result<Vec<(Timestamp, Counted)>> {
    let kind = only.map_or(Kind::Total, Part::kind);
    let mut all: BTreeMap<Timestamp, Counted> = BTreeMap::new();
    let pieces = if grain == Grain::Hour { vec![(Grain::Hour, period)] } else { period.split() };
    for (from_grain, piece) in pieces {
        for (at, counted) in select::<Timestamp>(tx, "at", from_grain, tenant, subject, kind, only, piece)? {
            all.entry(grain.floor(at)).or_default().merge(&counted);
        }
    }
    Ok(all.into_iter().collect())
}

/// A subject's calls by part, in the order of their names. `only`: those of one part of that kind.
pub fn by_part(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    subject: &Subject,
    kind: Kind,
    only: Option<&Part>,
    period: Period,
) -> Result<Vec<(String, Counted)>> {
    let mut all: BTreeMap<String, Counted> = BTreeMap::new();
    for (grain, piece) in period.split() {
        for (part, counted) in select::<String>(tx, "part", grain, tenant, subject, kind, only, piece)? {
            all.entry(part).or_default().merge(&counted);
        }
    }
    Ok(all.into_iter().collect())
}

#[allow(clippy::too_many_arguments, reason = "one statement, private to this file")]
fn select<T: FromColumn>(
    tx: &mut Tx<'_>,
    by: &str,
    grain: Grain,
    tenant: TenantId,
    subject: &Subject,
    kind: Kind,
    only: Option<&Part>,
    period: Period,
) -> Result<Vec<(T, Counted)>> {
    let mut sql = format!("SELECT {by}, MAX(slowest_us)");
    let sums = ["requests", "succeeded", "units", "duration_us", "request_bytes", "response_bytes"].map(str::to_owned);
    for column in sums.into_iter().chain((0..BUCKETS).map(|bucket| format!("h{bucket:02}"))) {
        // Writing to a String cannot fail.
        let _ = write!(sql, ", CAST(SUM({column}) AS BIGINT)");
    }
    let _ = write!(sql, " FROM {} WHERE tenant_id = ?1 AND subject = ?2 AND kind = ?3 AND at >= ?4 AND at < ?5", grain.table());
    let range = only.map(Part::range);
    if range.is_some() {
        sql.push_str(" AND part >= ?6 AND part < ?7");
    }
    let _ = write!(sql, " GROUP BY {by}");
    let mut out = Vec::new();
    for id in subject.ids() {
        let mut params: Vec<Value> = vec![tenant.into(), id.into(), kind.as_str().into(), period.from.into(), period.to.into()];
        if let Some((first, end)) = &range {
            params.extend([first.into(), end.into()]);
        }
        out.extend(tx.query(&sql, &params, |row| Ok((row.get::<T>(0)?, read(row)?)))?);
    }
    Ok(out)
}

fn read(row: &Row<'_>) -> Result<Counted> {
    let mut counts = [0; BUCKETS];
    for (bucket, count) in counts.iter_mut().enumerate() {
        *count = row.get(8 + bucket)?;
    }
    Ok(Counted {
        requests: row.get(2)?,
        succeeded: row.get(3)?,
        units: row.get(4)?,
        duration_us: row.get(5)?,
        request_bytes: row.get(6)?,
        response_bytes: row.get(7)?,
        durations: Histogram::of(counts, row.get(1)?),
    })
}
