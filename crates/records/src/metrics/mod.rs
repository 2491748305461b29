//! Declared metrics: figures over the records of a period.
//!
//! When a record is written, each metric of its resource type gets a row in `record_points` with what its figures need (`points.rs`). A figure
//! is a pass over the rows of its period (`scan.rs`), which the primary key has together: those of one tenant, one metric and, where it has
//! one, one subject. The cost is that of the rows in the period (filters take none away), for each member that is grouped by once more; more
//! than [`MAX_RECORDS`] are refused.
//!
//! Numbers are whole ones of a fixed scale from the document to the last division, so sums of money do not drift (`decimal.rs`).

mod decimal;
mod figures;
mod period;
pub(crate) mod points;
mod prepare;
mod scan;

use blueprint::model::{Aggregate, Bucket, Figure, Metric};
use jiff::civil::Date;
use kernel::{Error, Result, TenantId, TenantScope, Timestamp};
use serde_json::{Map, Value};
use store::Tx;

use crate::records::RecordRef;
use crate::{Records, ResourceType, fields};
use period::{Period, Slot};
use points::Measured;
use scan::{Found, Pass, Rows, Sum};

/// Most records of a period that one call looks at.
pub const MAX_RECORDS: u32 = 1_000_000;

/// What a metric is asked for. Texts are as they came; what is wrong with them is told.
#[derive(Clone, Debug, Default)]
pub struct MetricQuery {
    /// Whose figures, where the metric has a subject.
    pub subject: Option<String>,
    /// A length of time up to now: `30d`.
    pub period: Option<String>,
    /// Or: since when, a time or a day of the zone.
    pub from: Option<String>,
    /// Until when, a time (not included) or a day (included). Default: now.
    pub to: Option<String>,
    /// The bucket of the series.
    pub bucket: Option<String>,
    /// The IANA time zone of days and buckets.
    pub timezone: Option<String>,
    /// Most buckets that are told, the newest ones.
    pub limit: Option<String>,
    /// Declared filters, by member and value.
    pub filters: Vec<(String, String)>,
    /// Most records that are looked at; none: [`MAX_RECORDS`].
    pub most: Option<u32>,
}

/// What a metric says.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// When it was computed.
    pub now: Timestamp,
    /// The period's name, if it has one: `30d`.
    pub period: Option<String>,
    /// Since when.
    pub from: Timestamp,
    /// Until when, not included.
    pub until: Timestamp,
    /// In whose calendar.
    pub timezone: String,
    /// The bucket of the series, if there is one.
    pub bucket: Option<Bucket>,
    /// A member for each figure.
    pub totals: Map<String, Value>,
    /// For each bucket its times (or its label) and its figures.
    pub series: Option<Vec<Value>>,
}

impl Records {
    /// Computes a declared metric.
    ///
    /// Errors: 404 for an unknown metric and for a subject that does not exist; 422 `validation_failed` at the parameter, 422
    /// `too_many_records`.
    pub async fn measure(&self, scope: &TenantScope, metric: &str, query: MetricQuery) -> Result<Measurement> {
        let kind = self.types().find(|kind| kind.measured().iter().any(|one| one.metric.name == metric));
        let kind = kind.ok_or_else(|| Error::not_found("metric"))?.clone();
        let now = self.now();
        let plan = Plan::new(&kind, metric, &query, now)?;
        let owner = match plan.metric(&kind)?.subject.as_ref().and_then(|subject| subject.resource.as_deref()) {
            Some(resource) => Some(self.resource_type(resource)?.clone()),
            None => None,
        };
        let tenant = scope.tenant();
        self.store().patient().read(scope, move |tx| plan.read(tx, tenant, &kind, owner.as_deref(), &query, now)).await
    }
}

/// What is to be read, once the parameters have been understood.
struct Plan {
    place: usize,
    period: Period,
    /// The buckets, if there is a series.
    slots: Option<(Bucket, Vec<Slot>)>,
    /// Most of them that are told.
    told: Option<usize>,
    filters: Vec<(String, Vec<String>)>,
}

impl Plan {
    fn new(kind: &ResourceType, metric: &str, query: &MetricQuery, now: Timestamp) -> Result<Self> {
        let place = kind.measured().iter().position(|one| one.metric.name == metric).ok_or_else(|| Error::not_found("metric"))?;
        let measured = &kind.measured()[place];
        let period = Period::asked(&measured.metric, query, now)?;
        let slots = match (&measured.metric.series, query.bucket.as_deref()) {
            (None, Some(_)) => return Err(Error::field("/bucket", "is no parameter here: this metric has no series")),
            (None, None) => None,
            (Some(series), asked) => {
                let names = || series.buckets.iter().map(|bucket| bucket.name()).collect::<Vec<_>>().join(", ");
                let bucket = match asked {
                    None => Some(series.bucket),
                    Some(name) => series.buckets.iter().copied().find(|bucket| bucket.name() == name),
                };
                let bucket = bucket.ok_or_else(|| Error::field("/bucket", format!("must be one of {}", names())))?;
                Some((bucket, period.slots(bucket)?))
            }
        };
        let told = told(&measured.metric, query)?;
        let filters = query.filters.iter().map(|(member, text)| filter(kind, measured, member, text)).collect::<Result<_>>()?;
        Ok(Self { place, period, slots, told, filters })
    }

    fn metric<'a>(&self, kind: &'a ResourceType) -> Result<&'a Metric> {
        Ok(&self.measured(kind)?.metric)
    }

    fn measured<'a>(&self, kind: &'a ResourceType) -> Result<&'a Measured> {
        kind.measured().get(self.place).ok_or_else(|| Error::internal("a metric has gone while it was read"))
    }

    fn read(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        kind: &ResourceType,
        owner: Option<&ResourceType>,
        query: &MetricQuery,
        now: Timestamp,
    ) -> Result<Measurement> {
        let measured = self.measured(kind)?;
        let subjects = subjects(tx, tenant, kind, measured, owner, query.subject.as_deref())?;
        let most = query.most.unwrap_or(MAX_RECORDS).min(MAX_RECORDS);
        let rows = Rows { tenant, subjects, filters: self.filters.clone(), most };
        let buckets = match &self.slots {
            Some((_, slots)) => slots.iter().map(|slot| (slot.from, slot.until)).collect(),
            None => vec![(self.period.from, self.period.until)],
        };
        let mut table = Table::new(measured, buckets.len());
        table.fill_single(tx, &rows, &buckets)?;
        table.fill_groups(tx, &rows, &buckets)?;
        let totals = table.totals()?;
        let series = match &self.slots {
            Some((_, slots)) => Some(self.series(&table, slots)?),
            None => None,
        };
        Ok(Measurement {
            now,
            period: self.period.name.clone(),
            from: Timestamp::from_millis(self.period.from),
            until: self.period.told_until,
            timezone: self.period.zone_name.clone(),
            bucket: self.slots.as_ref().map(|(bucket, _)| *bucket),
            totals,
            series,
        })
    }

    fn series(&self, table: &Table<'_>, slots: &[Slot]) -> Result<Vec<Value>> {
        let Some(series) = &table.measured.metric.series else { return Ok(Vec::new()) };
        let wanted = slots.iter().enumerate().filter(|(n, _)| series.empty || table.counts[*n] > 0).rev();
        let newest = wanted.take(self.told.unwrap_or(usize::MAX));
        let mut out = newest.map(|(n, slot)| bucket(series.label.as_deref(), slot, table.bucket(n)?)).collect::<Result<Vec<_>>>()?;
        if !series.newest_first {
            out.reverse();
        }
        Ok(out)
    }
}

/// One bucket as it is told.
fn bucket(label: Option<&str>, slot: &Slot, figures: Map<String, Value>) -> Result<Value> {
    let day = |date: Date| date.to_string();
    let mut out = Map::new();
    match label {
        Some(label) => {
            let text = label.replace("{from}", &day(slot.days.0)).replace("{to}", &day(slot.days.1));
            out.insert("period".into(), text.into());
        }
        None => {
            out.insert("from".into(), slot.begins.to_string().into());
            out.insert("to".into(), slot.ends.to_string().into());
        }
    }
    out.extend(figures);
    Ok(Value::Object(out))
}

fn told(metric: &Metric, query: &MetricQuery) -> Result<Option<usize>> {
    let Some(series) = &metric.series else {
        return if query.limit.is_none() {
            Ok(None)
        } else {
            Err(Error::field("/limit", "is no parameter here: this metric has no series"))
        };
    };
    let own = series.limit.map_or(period::MAX_BUCKETS, |limit| limit as usize);
    let Some(text) = &query.limit else { return Ok(Some(own)) };
    let asked = text.parse::<usize>().ok().filter(|limit| (1..=own).contains(limit));
    asked.map(Some).ok_or_else(|| Error::field("/limit", format!("must be 1 to {own}")))
}

/// A filter's column and the forms that its text may stand for.
fn filter(kind: &ResourceType, measured: &Measured, member: &str, text: &str) -> Result<(String, Vec<String>)> {
    let pointer = crate::document::pointer(member);
    if !measured.metric.filters.iter().any(|name| name == member) {
        return Err(Error::field(pointer, "is not a filter of this metric"));
    }
    if text.contains('\0') {
        return Err(Error::field(pointer, "must not contain NUL"));
    }
    Ok((measured.label(member)?, fields::candidates(kind, member, text)))
}

/// The values that the subject may be written with: its id and, if it has one, the host's id.
fn subjects(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: &ResourceType,
    measured: &Measured,
    owner: Option<&ResourceType>,
    asked: Option<&str>,
) -> Result<Vec<String>> {
    let Some(subject) = &measured.metric.subject else { return Ok(vec![String::new()]) };
    let asked = asked.ok_or_else(|| Error::internal("a metric with a subject is asked for without one"))?;
    let Some(owner) = owner else {
        return if asked.contains('\0') { Ok(Vec::new()) } else { Ok(fields::candidates(kind, &subject.field, asked)) };
    };
    let missing = || Error::not_found(owner.name());
    let reference: RecordRef = asked.parse().map_err(|_| missing())?;
    let record = crate::records::find(tx, tenant, owner.name(), &reference)?.ok_or_else(missing)?;
    let names = [Some(owner.id_text(&record)), Some(record.id.to_string()), record.external_id];
    let mut out: Vec<String> = names.into_iter().flatten().flat_map(|name| fields::candidates(kind, &subject.field, &name)).collect();
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// What was found, by bucket.
struct Table<'a> {
    measured: &'a Measured,
    /// The single figures that are looked for (no ratios), and their sums for each bucket.
    single: Vec<&'a Figure>,
    sums: Vec<Vec<Sum>>,
    /// Records in each bucket.
    counts: Vec<i64>,
    groups: Vec<Group<'a>>,
}

/// A figure that is grouped: its groups in each bucket (or in the one that is the whole period).
struct Group<'a> {
    figure: &'a Figure,
    by_bucket: bool,
    found: Vec<Vec<(String, Sum)>>,
}

/// The records themselves, which tell whether a bucket is empty.
static RECORDS: Figure = Figure {
    name: String::new(),
    of: Aggregate::Count,
    only: Vec::new(),
    by: None,
    decimals: 0,
    empty: Value::Null,
    in_totals: false,
    in_series: false,
};

impl<'a> Table<'a> {
    fn new(measured: &'a Measured, buckets: usize) -> Self {
        let figures = &measured.metric.figures;
        let single: Vec<&Figure> = figures.iter().filter(|one| one.by.is_none() && !matches!(one.of, Aggregate::Ratio(..))).collect();
        Self { sums: vec![vec![Sum::default(); single.len()]; buckets], measured, single, counts: vec![0; buckets], groups: Vec::new() }
    }

    fn fill_single(&mut self, tx: &mut Tx<'_>, rows: &Rows, buckets: &[(i64, i64)]) -> Result<()> {
        let figures = self.single.iter().copied().chain([&RECORDS]).collect();
        let pass = Pass { measured: self.measured, figures, by: None, top: None };
        for (n, _, mut sums) in pass.run(tx, rows, buckets)? {
            let records = sums.pop().unwrap_or_default();
            if let (Some(place), Some(count)) = (self.sums.get_mut(n), self.counts.get_mut(n)) {
                (*place, *count) = (sums, records.count);
            }
        }
        Ok(())
    }

    /// One pass for each member that is grouped by.
    fn fill_groups(&mut self, tx: &mut Tx<'_>, rows: &Rows, buckets: &[(i64, i64)]) -> Result<()> {
        let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Ok(()) };
        let whole = [(first.0, last.1)];
        let grouped: Vec<&Figure> = self.measured.metric.figures.iter().filter(|figure| figure.by.is_some()).collect();
        for figure in grouped {
            let Some(by) = figure.by.as_ref() else { continue };
            let top = by.always.is_empty().then_some(by.top);
            let pass = Pass { measured: self.measured, figures: vec![figure], by: Some((by.field.as_str(), by.list)), top };
            let spans: &[(i64, i64)] = if figure.in_series { buckets } else { &whole };
            let found = pass.run(tx, rows, spans)?;
            self.groups.push(Group { figure, by_bucket: figure.in_series, found: by_bucket(found, spans.len()) });
        }
        Ok(())
    }

    fn totals(&self) -> Result<Map<String, Value>> {
        let mut all = vec![Sum::default(); self.single.len()];
        for sums in &self.sums {
            all.iter_mut().zip(sums).for_each(|(whole, part)| whole.add(part));
        }
        self.members(
            &all,
            |figure| figure.in_totals,
            |group| {
                let mut whole: Vec<(String, Sum)> = Vec::new();
                for (name, sum) in group.found.iter().flatten() {
                    match whole.iter_mut().find(|(known, _)| known == name) {
                        Some((_, place)) => place.add(sum),
                        None => whole.push((name.clone(), *sum)),
                    }
                }
                whole
            },
        )
    }

    fn bucket(&self, n: usize) -> Result<Map<String, Value>> {
        self.members(&self.sums[n], |figure| figure.in_series, |group| if group.by_bucket { group.found[n].clone() } else { Vec::new() })
    }

    /// The figures that are wanted, in the order of the declaration.
    fn members(
        &self,
        sums: &[Sum],
        is_wanted: impl Fn(&Figure) -> bool,
        groups: impl Fn(&Group<'_>) -> Vec<(String, Sum)>,
    ) -> Result<Map<String, Value>> {
        let single = |name: &str| -> Result<Option<decimal::Fraction>> {
            let Some(at) = self.single.iter().position(|figure| figure.name == name) else { return Ok(None) };
            figures::exact(self.measured, self.single[at], &sums[at])
        };
        let mut out = Map::new();
        for figure in self.measured.metric.figures.iter().filter(|figure| is_wanted(figure)) {
            let value = match (&figure.of, self.groups.iter().find(|group| group.figure.name == figure.name)) {
                (_, Some(group)) => figures::grouped(self.measured, figure, &groups(group))?,
                (Aggregate::Ratio(over, under), _) => {
                    let ratio = single(over)?.zip(single(under)?).and_then(|(over, under)| over.by(under));
                    figures::shown(figure, ratio)
                }
                _ => figures::shown(figure, single(&figure.name)?),
            };
            out.insert(figure.name.clone(), value);
        }
        Ok(out)
    }
}

fn by_bucket(found: Found, buckets: usize) -> Vec<Vec<(String, Sum)>> {
    let mut out = vec![Vec::new(); buckets];
    for (n, group, sums) in found {
        if let (Some(place), Some(group), Some(sum)) = (out.get_mut(n), group, sums.first()) {
            place.push((group, *sum));
        }
    }
    out
}
