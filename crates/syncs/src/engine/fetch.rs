//! The vendor's pages, mapped: several at a time, so that a transaction is worth it.

use connectors::{Connector, Fault, PageAsk, RemoteRecord, Session, Span};
use mappings::Mapped;
use serde_json::{Map, Value};

use super::Context;

/// Records of one transaction, about.
const TARGET: usize = 1000;

/// A vendor's record, and what it is here.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) remote: RemoteRecord,
    pub(crate) here: Mapped,
}

/// Some pages.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The token of the first.
    pub(crate) token: Option<String>,
    pub(crate) incoming: Vec<Incoming>,
    pub(crate) pages: u64,
    /// Where the next begins; none: these were the last.
    pub(crate) next: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) total: Option<u64>,
}

/// Reads pages from `token` on until there are enough records, or the last was read. A fault after the first page is met again by the next call.
pub(crate) async fn pages(
    context: &Context,
    connector: &dyn Connector,
    session: &Session,
    since: Option<&str>,
    token: Option<String>,
) -> Result<Batch, Fault> {
    let mut batch = Batch { next: token.clone(), token, incoming: Vec::new(), pages: 0, cursor: None, total: None };
    let mut records = Vec::new();
    loop {
        let ask = PageAsk {
            object: &context.object.name,
            span: since.map_or(Span::Full, |since| Span::Since(since.to_owned())),
            fields: &context.plan.remote_fields,
            filter: context.settings().remote_filter.as_ref(),
            token: batch.next.as_deref(),
        };
        let page = match connector.page(session, ask).await {
            Ok(page) => page,
            Err(_) if batch.pages > 0 => break,
            Err(fault) => return Err(fault),
        };
        batch.pages += 1;
        batch.next = page.next;
        batch.cursor = page.cursor.or(batch.cursor);
        batch.total = page.total.or(batch.total);
        records.extend(page.records);
        if batch.next.is_none() || records.len() >= TARGET {
            break;
        }
    }
    batch.incoming = mapped(context, records).await;
    Ok(batch)
}

/// The vendor's records as ours.
pub(crate) async fn mapped(context: &Context, mut records: Vec<RemoteRecord>) -> Vec<Incoming> {
    // The fields are lent to the mapping and put back: no record is copied.
    let fields: Vec<Map<String, Value>> = records.iter_mut().map(|record| std::mem::take(&mut record.fields)).collect();
    let here = context.plan.mapping.to_local(&context.scripts, &fields).await;
    let whole = records.into_iter().zip(fields).zip(here);
    whole.map(|((record, fields), here)| Incoming { remote: RemoteRecord { fields, ..record }, here }).collect()
}
