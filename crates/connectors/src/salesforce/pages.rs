//! Reading many.
//!
//! A scan reads newest first, by `SystemModstamp DESC, Id DESC`. What changes while it is under way moves to the front, which has been
//! read, and is found by the next incremental scan; what has not been read keeps its place. So a scan ends however busy the org is, its
//! cursor is known with its first page (no row that was changed before it is missing behind it), and a result that Salesforce has forgotten
//! (locators last two days) is gone on with by a new query from the last row's place, whatever number of rows share one second.
//!
//! The cursor is a time: the newest row's or, if later, when the vendor answered, by its clock. An incremental scan looks back a little
//! further ([`Settings::overlap`]): a row shows when its transaction ends, with the time at which it was written.

use std::collections::HashMap;
use std::time::Duration;

use kernel::Timestamp;

use super::kinds::{self, Kind};
use super::queries::{self, Found, Which};
use super::settings::Settings;
use super::soql::{self, Query};
use super::tokens::{self, PageToken, Place};
use super::{bulk, filters, names, rows};
use crate::{Fault, Page, PageAsk, Session, Span};

/// The order of a scan.
const ORDER: &str = "SystemModstamp DESC, Id DESC";

/// A `Date` that is further away from our clock is not believed.
const BELIEVED: Duration = Duration::from_mins(5);

/// What a scan reads.
pub(super) struct Scan<'a> {
    pub(super) session: &'a Session,
    pub(super) settings: Settings,
    pub(super) fields: &'a [String],
    pub(super) query: Query,
    /// What tells the query from another, for tokens.
    pub(super) mark: String,
    /// Where an incremental scan began.
    since: Option<Timestamp>,
}

/// A part of the records.
///
/// Errors: [`Fault::Stale`] for a cursor or token that cannot be gone on with; as the vendor says.
pub(super) async fn page(session: &Session, ask: PageAsk<'_>) -> Result<Page, Fault> {
    let scan = Scan::of(session, &ask).await?;
    let token = ask.token.map(PageToken::read).transpose()?;
    if let Some(PageToken::Rest { of, .. } | PageToken::Job { of, .. }) = &token
        && *of != scan.mark
    {
        return Err(Fault::Stale { message: "the fields or the filter are others than when the scan began".to_owned() });
    }
    match token {
        None => scan.first(true).await,
        Some(PageToken::Plain) => scan.first(false).await,
        Some(PageToken::Rest { next, last, cursor, total, .. }) => scan.rest(next, last, cursor, total).await,
        Some(PageToken::Job { job, version, kinds, locator, cursor, total, .. }) => {
            let job = bulk::Read { job, version, kinds, locator, cursor, total };
            bulk::part(&scan, job).await
        }
    }
}

impl<'a> Scan<'a> {
    async fn of(session: &'a Session, ask: &PageAsk<'a>) -> Result<Self, Fault> {
        let settings = Settings::of(session)?;
        let object = names::object(ask.object)?;
        for field in ask.fields {
            names::field(field)?;
        }
        let known: HashMap<String, Kind> = match ask.filter {
            Some(filter) if filters::needs_kinds(filter) => kinds::kinds(session, &settings, object).await?,
            _ => HashMap::new(),
        };
        let since = match &ask.span {
            Span::Full => None,
            Span::Since(text) => Some(tokens::cursor(text)?),
        };
        let mut conditions = filters::conditions(ask.filter, &known)?;
        if let Some(since) = since {
            conditions.insert(0, format!("SystemModstamp >= {}", soql::time(since.minus(settings.overlap))));
        }
        let fields = rows::selected(ask.fields, &rows::SYSTEM);
        let query = Query { fields, object: object.to_owned(), conditions, order: ORDER, limit: None };
        let mark = tokens::mark(&query.text());
        Ok(Self { session, settings, fields: ask.fields, query, mark, since })
    }

    /// The first page, or the beginning of a bulk job where there are many rows and that is allowed.
    async fn first(&self, may_be_bulk: bool) -> Result<Page, Fault> {
        let found = queries::run(self.session, &self.settings, Which::There, &self.query).await?;
        let newest = found.rows.first().and_then(|row| super::times::parse(row["SystemModstamp"].as_str()?));
        let cursor = [newest, self.believed(found.at), self.since].into_iter().flatten().max();
        // An empty object whose answer has no date: any time before now is right, as there is nothing before it.
        let cursor = cursor.unwrap_or_else(|| self.session.ambient.now().minus(self.settings.overlap));
        let total = found.total;
        let is_many = self.since.is_none() && found.next.is_some() && self.settings.bulk_from.is_some_and(|from| total >= from);
        if may_be_bulk && is_many {
            match bulk::begin(self, cursor, total).await {
                Ok(token) => return Ok(Page { next: Some(token.write()), total: Some(total), ..Page::default() }),
                // What a bulk job cannot read (compound fields, a missing right), pages can.
                Err(Fault::Refused { .. } | Fault::Forbidden { .. } | Fault::NotFound { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        self.read(found, None, cursor, total).await
    }

    /// When the vendor answered, unless that is far from our clock: then one of the two is wrong, and the rows alone say how far we are.
    fn believed(&self, at: Option<Timestamp>) -> Option<Timestamp> {
        let now = self.session.ambient.now();
        at.filter(|at| at.since(now).max(now.since(*at)) <= BELIEVED)
    }

    /// A following page; where Salesforce has forgotten the result, from the last row's place on.
    async fn rest(&self, next: String, last: Place, cursor: Timestamp, total: u64) -> Result<Page, Fault> {
        let found = match queries::more(self.session, &self.settings, next).await {
            Err(Fault::Stale { .. }) => {
                let mut query = self.query.clone();
                let at = soql::time(last.at);
                // The first comparison lets the index be used; a time alone would lose or repeat rows of one second.
                query.conditions.push(format!("SystemModstamp <= {at}"));
                query.conditions.push(format!("(SystemModstamp < {at} OR Id < {})", soql::text(&last.id)));
                queries::run(self.session, &self.settings, Which::There, &query).await?
            }
            other => other?,
        };
        self.read(found, Some(&last), cursor, total).await
    }

    async fn read(&self, found: Found, last: Option<&Place>, cursor: Timestamp, total: u64) -> Result<Page, Fault> {
        let records = found.rows.into_iter().filter_map(|row| rows::record(row, self.fields));
        // A page may begin with the row that ended the one before.
        let records: Vec<_> = records.skip_while(|record| last.is_some_and(|last| last.id == record.id)).collect();
        let end = records.last().and_then(rows::place).or_else(|| last.cloned());
        let next = match (found.next, end) {
            (Some(next), Some(last)) => Some(PageToken::Rest { next, last, cursor, total, of: self.mark.clone() }.write()),
            (Some(_), None) => return Err(Fault::Unavailable { message: "a page came without rows and with a next one".to_owned() }),
            (None, _) => None,
        };
        let cursor = next.is_none().then(|| cursor.to_string());
        Ok(Page { records, next, cursor, total: Some(total) })
    }
}
