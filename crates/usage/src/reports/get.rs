//! `GET /api/v1/usage`, `…/api-clients/{id}/usage`, `…/api-keys/{id}/usage`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, KeyId, Permission, Result, TenantId, Timestamp};
use serde::Deserialize;
use store::Tx;
use web::{Auth, Json, Path, Query};

use super::period::{self, Asked};
use super::view::{ByChild, ByEndpoint, ByTime, ErrorCount, StatusClasses, UsageReport, average, percentile, share};
use crate::Usage;
use crate::rollups::{self, Counted, Grain, Kind, Part, Period, Subject};

/// Most endpoints, clients and keys in an answer.
const MOST_PARTS: usize = 200;
/// Most ways to fail in an answer.
const MOST_ERRORS: usize = 20;

/// Of which time, and how divided.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsageQuery {
    /// A day or a time.
    pub date_from: Option<String>,
    /// A day or a time.
    pub date_to: Option<String>,
    /// `7d`, in place of `date_from`.
    pub period: Option<String>,
    /// How it is divided.
    pub group_by: Option<Grain>,
    /// Only calls of this route template.
    pub endpoint: Option<String>,
    /// Only calls with this status.
    pub status: Option<u16>,
    /// Only this client's calls; of a whole tenant only.
    pub client_id: Option<ClientId>,
    /// Only this key's calls; of a whole tenant only.
    pub api_key_id: Option<KeyId>,
}

/// Whose usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All of the tenant's.
    Tenant,
    /// A client's.
    Client(IdRef<ClientId>),
    /// A key's, with its predecessors.
    Key(KeyId),
}

impl Usage {
    /// How calls went. Reads counts only, so that it does not depend on how many calls there were.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 422 `validation_failed`.
    pub async fn usage(&self, caller: &Caller, whose: Whose, query: UsageQuery) -> Result<UsageReport> {
        let scope = caller.allow(Permission::UsageRead)?;
        let tenant = scope.tenant();
        let asked = Asked {
            from: query.date_from.as_deref(),
            to: query.date_to.as_deref(),
            period: query.period.as_deref(),
            grain: query.group_by,
        };
        let (period, grain) = period::resolve(&asked, self.ambient.now())?;
        let only = part(&query)?;
        let whose = match (whose, query.client_id, query.api_key_id) {
            (Whose::Tenant, Some(client), None) => Whose::Client(IdRef::Id(client)),
            (Whose::Tenant, None, Some(key)) => Whose::Key(key),
            (Whose::Tenant, Some(_), Some(_)) => return Err(Error::field("/apiKeyId", "send clientId or apiKeyId, not both")),
            (whose, ..) => whose,
        };
        let subject = match whose {
            Whose::Tenant => Subject::Tenant,
            Whose::Client(reference) => {
                let subjects = self.subjects("client")?;
                self.store.read(scope.clone(), move |tx| subjects.client(tx, tenant, &reference).map(Subject::Client)).await?
            }
            Whose::Key(key) => {
                let subjects = self.subjects("key")?;
                self.store.read(scope.clone(), move |tx| subjects.key(tx, tenant, key).map(|found| Subject::Keys(found.line))).await?
            }
        };
        self.logs.read(scope, move |tx| report(tx, tenant, &subject, only.as_ref(), period, grain)).await
    }
}

fn part(query: &UsageQuery) -> Result<Option<Part>> {
    match (&query.endpoint, query.status) {
        (Some(_), Some(_)) => Err(Error::field("/status", "send endpoint or status, not both; the request log filters by both")),
        (Some(endpoint), None) => Ok(Some(Part::Endpoint(endpoint.clone()))),
        (None, Some(status)) if !(100..=599).contains(&status) => Err(Error::field("/status", "must be a status such as 404")),
        (None, status) => Ok(status.map(Part::Status)),
    }
}

fn report(tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject, only: Option<&Part>, period: Period, grain: Grain) -> Result<UsageReport> {
    // What was asked about one part is divided no further: the counts do not tell.
    let wanted = |kind: Kind| match only {
        None => true,
        Some(Part::Endpoint(_)) => kind == Kind::Endpoint,
        Some(Part::Status(_)) => kind == Kind::Status,
    };
    // Each statement may see more than the one before it: what is counted while they run. So the whole is read first, and no call that it tells
    // is missing from the parts.
    let times = rollups::by_time(tx, tenant, subject, only, grain, period)?;
    let mut parts = |kind: Kind| {
        if wanted(kind) { rollups::by_part(tx, tenant, subject, kind, only, period) } else { Ok(Vec::new()) }
    };
    let (endpoints, statuses, children) = (parts(Kind::Endpoint)?, parts(Kind::Status)?, parts(Kind::Child)?);
    let mut all = Counted::default();
    times.iter().for_each(|(_, counted)| all.merge(counted));
    let (classes, errors) = statuses_of(statuses);
    Ok(UsageReport {
        from: period.from,
        to: period.to,
        group_by: grain,
        total_requests: all.requests,
        successful_requests: all.succeeded,
        failed_requests: all.requests - all.succeeded,
        success_rate: share(all.succeeded, all.requests),
        average_response_time: average(&all),
        p50_response_time: percentile(&all, 50),
        p95_response_time: percentile(&all, 95),
        p99_response_time: percentile(&all, 99),
        slowest_response_time: percentile(&all, 100),
        units: all.units,
        request_bytes: all.request_bytes,
        response_bytes: all.response_bytes,
        requests_by_endpoint: busiest(endpoints).into_iter().map(endpoint_of).collect(),
        requests_by_time: series(&times, period, grain),
        requests_by_status: classes,
        top_error_codes: errors,
        requests_by_child: busiest(children).into_iter().map(child_of).collect(),
    })
}

fn busiest(mut parts: Vec<(String, Counted)>) -> Vec<(String, Counted)> {
    parts.sort_by(|a, b| b.1.requests.cmp(&a.1.requests).then_with(|| a.0.cmp(&b.0)));
    parts.truncate(MOST_PARTS);
    parts
}

fn endpoint_of((part, counted): (String, Counted)) -> ByEndpoint {
    let (endpoint, method) = part.rsplit_once(' ').unwrap_or((&part, ""));
    ByEndpoint {
        endpoint: endpoint.to_owned(),
        method: method.to_owned(),
        count: counted.requests,
        success_count: counted.succeeded,
        error_count: counted.requests - counted.succeeded,
        avg_response_time: average(&counted).unwrap_or_default(),
        p50_response_time: percentile(&counted, 50).unwrap_or_default(),
        p95_response_time: percentile(&counted, 95).unwrap_or_default(),
        p99_response_time: percentile(&counted, 99).unwrap_or_default(),
    }
}

fn child_of((id, counted): (String, Counted)) -> ByChild {
    ByChild {
        client_id: id.parse().ok(),
        api_key_id: id.parse().ok(),
        count: counted.requests,
        error_count: counted.requests - counted.succeeded,
        avg_response_time: average(&counted).unwrap_or_default(),
        p95_response_time: percentile(&counted, 95).unwrap_or_default(),
    }
}

fn statuses_of(parts: Vec<(String, Counted)>) -> (StatusClasses, Vec<ErrorCount>) {
    let mut classes = StatusClasses::default();
    let mut errors = Vec::new();
    for (part, counted) in parts {
        let (status, code) = part.split_once(' ').map_or((part.as_str(), None), |(status, code)| (status, Some(code.to_owned())));
        let status_code = status.parse().unwrap_or_default();
        classes.add(status_code, counted.requests);
        if status_code >= 400 {
            errors.push(ErrorCount { status_code, error_code: code, count: counted.requests });
        }
    }
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors.truncate(MOST_ERRORS);
    (classes, errors)
}

/// Every hour or day of the period, those without calls too.
fn series(times: &[(Timestamp, Counted)], period: Period, grain: Grain) -> Vec<ByTime> {
    let none = Counted::default();
    let mut times = times.iter().peekable();
    let mut out = Vec::new();
    let mut time = grain.floor(period.from);
    while time < period.to {
        let counted = times.next_if(|(at, _)| *at == time).map_or(&none, |(_, counted)| counted);
        out.push(ByTime {
            time,
            count: counted.requests,
            error_count: counted.requests - counted.succeeded,
            avg_response_time: average(counted),
            p95_response_time: percentile(counted, 95),
        });
        time = Timestamp::from_millis(time.millis() + grain.millis());
    }
    out
}

type Answer = web::Result<Json<UsageReport>>;

pub(super) async fn of_tenant(State(usage): State<Arc<Usage>>, Auth(caller): Auth, Query(query): Query<UsageQuery>) -> Answer {
    Ok(Json(usage.usage(&caller, Whose::Tenant, query).await?))
}

pub(super) async fn of_client(
    State(usage): State<Arc<Usage>>,
    Auth(caller): Auth,
    Path(reference): Path<IdRef<ClientId>>,
    Query(query): Query<UsageQuery>,
) -> Answer {
    Ok(Json(usage.usage(&caller, Whose::Client(reference), query).await?))
}

pub(super) async fn of_key(
    State(usage): State<Arc<Usage>>,
    Auth(caller): Auth,
    Path(id): Path<KeyId>,
    Query(query): Query<UsageQuery>,
) -> Answer {
    Ok(Json(usage.usage(&caller, Whose::Key(id), query).await?))
}
