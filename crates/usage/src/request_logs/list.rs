//! `GET /api/v1/request-logs`.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use kernel::id::TypedId;
use kernel::{Caller, ClientId, Cursor, Error, KeyId, Page, PageRequest, Permission, RequestId, Result, TenantId, Timestamp};
use serde::Deserialize;
use store::Tx;
use uuid::Uuid;
use web::{Auth, Json, Paging, Query};

use super::RequestLog;
use crate::blocks::{Call, Marks, Packed, of_class, of_id, of_status, of_text};
use crate::{Usage, days};

/// How many calls may be passed over by a page's number: all of them are read.
const FARTHEST: u64 = 10_000;
/// Blocks that are read at first, and then at a time.
const FIRST: u64 = 4;
const MORE: u64 = 32;

/// A status, or all of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StatusFilter {
    /// The lowest that fits.
    first: u16,
    /// The highest that fits.
    last: u16,
}

impl FromStr for StatusFilter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fault = || Error::field("/status", "must be a status such as 404, or a class such as 4xx");
        if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class)).ok_or_else(fault)?;
            return Ok(Self { first: class * 100, last: class * 100 + 99 });
        }
        let status = text.parse().ok().filter(|status| (100..=599).contains(status)).ok_or_else(fault)?;
        Ok(Self { first: status, last: status })
    }
}

impl TryFrom<String> for StatusFilter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// Which calls are wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this key's.
    pub api_key_id: Option<KeyId>,
    /// Only of this route template.
    pub endpoint: Option<String>,
    /// Only of this method.
    pub method: Option<String>,
    /// Only with this status.
    pub status: Option<StatusFilter>,
    /// Only those that failed with this code.
    pub error_code: Option<String>,
    /// Only those of keys of this environment.
    pub environment: Option<String>,
    /// Only from this address.
    pub ip: Option<IpAddr>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

impl Usage {
    /// The calls of the caller's tenant, newest first. Those that were made in the last moments may be missing: they are on their way.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `validation_failed`.
    pub async fn request_logs(&self, caller: &Caller, filter: Filter, page: PageRequest) -> Result<Page<RequestLog>> {
        let scope = caller.allow(Permission::UsageRead)?;
        let tenant = scope.tenant();
        self.logs.read(scope, move |tx| list(tx, tenant, &filter, &page)).await
    }
}

pub(super) async fn handle(
    State(usage): State<Arc<Usage>>,
    Auth(caller): Auth,
    Query(filter): Query<Filter>,
    Paging(page): Paging,
) -> web::Result<Json<Page<RequestLog>>> {
    Ok(Json(usage.request_logs(&caller, filter, page).await?))
}

/// Reads blocks, the newest first, until there are enough calls that no later block can have a newer one.
fn list(tx: &mut Tx<'_>, tenant: TenantId, filter: &Filter, page: &PageRequest) -> Result<Page<RequestLog>> {
    if page.offset() > FARTHEST {
        return Err(Error::field("/page", "goes no further than 10,000 calls: go on with cursor, or name a time in to"));
    }
    let wanted = usize::try_from(page.offset()).unwrap_or(usize::MAX).saturating_add(page.limit as usize + 1);
    let mut found = Found { rows: Vec::new(), wanted };
    let to = [filter.to, page.cursor.as_ref().map(|cursor| Timestamp::from_millis(cursor.key))].into_iter().flatten().min();
    for table in days::tables(tx, filter.from, to)? {
        read_table(tx, &table, tenant, filter, page.cursor.as_ref(), &mut found)?;
    }
    let skipped = found.rows.len().min(wanted - page.limit as usize - 1);
    let rows = found.rows.into_iter().skip(skipped).collect();
    Ok(Page::from_rows(rows, page, None, |row| Cursor { key: row.at.millis(), id: row.id.to_string() }))
}

/// The newest calls that were found, in order.
struct Found {
    rows: Vec<RequestLog>,
    wanted: usize,
}

impl Found {
    /// Whether calls up to `at` are too old.
    fn is_past(&self, at: i64) -> bool {
        self.rows.len() >= self.wanted && self.rows.last().is_some_and(|last| last.at.millis() > at)
    }

    fn add(&mut self, rows: impl Iterator<Item = RequestLog>) {
        self.rows.extend(rows);
        self.rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.at, row.id)));
        self.rows.truncate(self.wanted);
    }
}

fn read_table(tx: &mut Tx<'_>, table: &str, tenant: TenantId, filter: &Filter, cursor: Option<&Cursor>, found: &mut Found) -> Result<()> {
    let marks = filter.marks();
    let to = [filter.to.map(Timestamp::millis), cursor.map(|cursor| cursor.key + 1)].into_iter().flatten().min().unwrap_or(i64::MAX);
    let from = filter.from.map_or(i64::MIN, Timestamp::millis);
    let sql = format!(
        "SELECT at, id, packed FROM {table} WHERE tenant_id = ?1 AND at >= ?2 AND since < ?3 AND (at, id) < (?4, ?5) \
         AND (subjects & ?6) = ?6 AND (kinds & ?7) = ?7 ORDER BY at DESC, id DESC LIMIT ?8"
    );
    let mut after = (i64::MAX, String::new());
    let mut count = FIRST;
    loop {
        let params = [
            tenant.into(),
            from.into(),
            to.into(),
            after.0.into(),
            (&after.1).into(),
            marks.subjects.into(),
            marks.kinds.into(),
            count.into(),
        ];
        let blocks = tx.query(&sql, &params, |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<Vec<u8>>(2)?)))?;
        let is_last = (blocks.len() as u64) < count;
        for (at, id, packed) in blocks {
            if found.is_past(at) {
                return Ok(());
            }
            unpack(&Packed::read(&packed)?, filter, cursor, found);
            after = (at, id);
        }
        if is_last {
            return Ok(());
        }
        count = MORE;
    }
}

impl Filter {
    /// The bits that a block must have.
    fn marks(&self) -> Marks {
        let ids = [self.client_id.map(bytes), self.api_key_id.map(bytes)];
        let method = self.method.as_ref().map(|method| method.to_ascii_uppercase());
        let texts = [self.endpoint.as_deref(), method.as_deref(), self.error_code.as_deref(), self.environment.as_deref()];
        let status =
            self.status.map_or(0, |status| if status.first == status.last { of_status(status.first) } else { of_class(status.first) });
        Marks {
            subjects: ids.into_iter().flatten().map(of_id).fold(0, |marks, bit| marks | bit),
            kinds: texts.into_iter().flatten().map(of_text).fold(status, |marks, bit| marks | bit),
        }
    }
}

fn bytes(id: impl TypedId) -> [u8; 16] {
    *id.uuid().as_bytes()
}

/// What a filter asks of a call, in the places of one block.
struct Asked {
    client: Option<u32>,
    key: Option<u32>,
    endpoint: Option<u32>,
    method: Option<u32>,
    error_code: Option<u32>,
    environment: Option<u32>,
    ip: Option<u32>,
}

impl Asked {
    /// None: the block has no such call.
    fn of(filter: &Filter, packed: &Packed) -> Option<Self> {
        // What is asked for and not in the block ends it; what is not asked for binds nothing.
        let id = |wanted: Option<[u8; 16]>| wanted.map_or(Some(None), |id| packed.place_of_id(id).map(Some));
        let text = |wanted: Option<&str>| wanted.map_or(Some(None), |text| packed.place_of_text(text).map(Some));
        let (method, ip) =
            (filter.method.as_ref().map(|method| method.to_ascii_uppercase()), filter.ip.map(|ip| ip.to_canonical().to_string()));
        Some(Self {
            client: id(filter.client_id.map(bytes))?,
            key: id(filter.api_key_id.map(bytes))?,
            endpoint: text(filter.endpoint.as_deref())?,
            method: text(method.as_deref())?,
            error_code: text(filter.error_code.as_deref())?,
            environment: text(filter.environment.as_deref())?,
            ip: text(ip.as_deref())?,
        })
    }

    fn fits(&self, call: &Call) -> bool {
        let is = |wanted: Option<u32>, place: u32| wanted.is_none_or(|wanted| wanted == place);
        is(self.client, call.client)
            && is(self.key, call.key)
            && is(self.endpoint, call.endpoint)
            && is(self.method, call.method)
            && is(self.error_code, call.error_code)
            && is(self.environment, call.environment)
            && is(self.ip, call.ip)
    }
}

fn unpack(packed: &Packed, filter: &Filter, cursor: Option<&Cursor>, found: &mut Found) {
    let Some(asked) = Asked::of(filter, packed) else { return };
    let (from, to) = (filter.from.map_or(i64::MIN, Timestamp::millis), filter.to.map_or(i64::MAX, Timestamp::millis));
    let after = cursor.map_or(i64::MAX, |cursor| cursor.key);
    let fits = |call: &&Call| {
        let at = packed.base + call.after;
        let status = filter.status.is_none_or(|status| (status.first..=status.last).contains(&call.status));
        at >= from && at < to && at <= after && status && asked.fits(call)
    };
    // Ids are ordered by their text as by their bytes; of the cursor's own millisecond only what comes after it.
    let is_after = |row: &RequestLog| cursor.is_none_or(|cursor| row.at.millis() < cursor.key || row.id.to_string() < cursor.id);
    let rows = packed.calls.iter().filter(fits).map(|call| view(packed, call)).filter(is_after);
    found.add(rows);
}

#[allow(clippy::cast_precision_loss, reason = "microseconds of a request are far below 2^52")]
fn view(packed: &Packed, call: &Call) -> RequestLog {
    let text = |place: u32| packed.text(place).map(str::to_owned);
    let tags = packed.text(call.tags).and_then(|tags| serde_json::from_str(tags).ok());
    RequestLog {
        id: RequestId::from_uuid(Uuid::from_bytes(call.id)),
        at: Timestamp::from_millis(packed.base + call.after),
        client_id: packed.id(call.client).map(|id| ClientId::from_uuid(Uuid::from_bytes(id))),
        api_key_id: packed.id(call.key).map(|id| KeyId::from_uuid(Uuid::from_bytes(id))),
        actor: text(call.actor),
        environment: text(call.environment),
        method: text(call.method).unwrap_or_default(),
        endpoint: text(call.endpoint).unwrap_or_default(),
        query: text(call.query),
        status: call.status,
        success: call.status < 400,
        response_time: call.duration_us as f64 / 1000.0,
        request_size: call.request_bytes,
        response_size: call.response_bytes,
        units: call.units,
        ip: text(call.ip),
        user_agent: text(call.user_agent),
        error_code: text(call.error_code),
        tags: tags.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_or_a_class() {
        assert_eq!("404".parse::<StatusFilter>().unwrap(), StatusFilter { first: 404, last: 404 });
        assert_eq!("4xx".parse::<StatusFilter>().unwrap(), StatusFilter { first: 400, last: 499 });
        for bad in ["", "4", "6xx", "x", "1000", "xx", "-1", "99"] {
            assert_eq!(bad.parse::<StatusFilter>().unwrap_err().code(), "validation_failed", "{bad}");
        }
    }
}
