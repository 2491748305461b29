//! What these tests share: an org without a connection, by a clock that the test moves.

use std::sync::Arc;

use connectors::{Connector as _, Fault, Outcome, Page, PageAsk, RemoteRecord, Salesforce, Session, Span, Write, WriteAct};
use kernel::time::ManualClock;
use serde_json::{Value, json};
use vendors::salesforce::{Options, Salesforce as Org};
use vendors::stand::Vendor as _;

use crate::bed::{StandCarrier, clock, session};

pub(super) struct Stage {
    pub(super) org: Arc<Org>,
    pub(super) carrier: Arc<StandCarrier<Org>>,
    pub(super) session: Session,
    pub(super) clock: Arc<ManualClock>,
    pub(super) connector: Salesforce,
}

/// An org whose tokens do not end by themselves, and a session with this configuration.
pub(super) fn stage(config: Value) -> Stage {
    stage_with(config, |options| options)
}

pub(super) fn stage_with(config: Value, change: impl FnOnce(Options) -> Options) -> Stage {
    let (clock, ambient) = clock();
    let options = Options { ambient: ambient.clone(), access_life_ms: i64::MAX / 4, daily_calls: 1_000_000, ..Options::new() };
    let org = Arc::new(Org::new(change(options)));
    let carrier = StandCarrier::to(&org, &clock, "Bearer");
    let session = session(carrier.clone(), config, &ambient);
    Stage { org, carrier, session, clock, connector: Salesforce::new() }
}

/// Names of fields.
pub(super) fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// What a scan brought.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) records: Vec<RemoteRecord>,
    pub(super) cursor: String,
    pub(super) pages: usize,
    pub(super) total: Option<u64>,
}

impl Scanned {
    pub(super) fn ids(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.id.as_str()).collect()
    }
}

impl Stage {
    pub(super) fn fault(&self, text: &str) {
        self.org.stand().faults.add(vendors::faults::Fault::parse(text).unwrap());
    }

    pub(super) fn lead(&self, name: &str) -> String {
        self.org.add("Lead", &json!({"LastName": name, "Company": "C"})).unwrap()
    }

    pub(super) async fn page(&self, span: &Span, fields: &[String], token: Option<&str>) -> Result<Page, Fault> {
        self.filtered(span, fields, None, token).await
    }

    pub(super) async fn filtered(
        &self,
        span: &Span,
        fields: &[String],
        filter: Option<&Value>,
        token: Option<&str>,
    ) -> Result<Page, Fault> {
        let ask = PageAsk { object: "Lead", span: span.clone(), fields, filter, token };
        self.connector.page(&self.session, ask).await
    }

    /// All pages of a scan.
    pub(super) async fn scan(&self, span: &Span, fields: &[String]) -> Result<Scanned, Fault> {
        let mut scanned = Scanned::default();
        let mut token = None;
        loop {
            let page = self.page(span, fields, token.as_deref()).await?;
            scanned.pages += 1;
            scanned.total = scanned.total.or(page.total);
            scanned.records.extend(page.records);
            assert_eq!(page.next.is_none(), page.cursor.is_some(), "the last page has the cursor");
            match (page.next, page.cursor) {
                (Some(next), _) => token = Some(next),
                (None, cursor) => {
                    scanned.cursor = cursor.unwrap();
                    return Ok(scanned);
                }
            }
        }
    }

    pub(super) async fn write(&self, writes: &[Write]) -> Result<Vec<Outcome>, Fault> {
        self.connector.write(&self.session, "Lead", writes).await
    }

    pub(super) async fn get(&self, object: &str, ids: &[&str], fields: &[String]) -> Vec<RemoteRecord> {
        let ids: Vec<_> = ids.iter().map(|id| (*id).to_owned()).collect();
        let mut found = self.connector.get(&self.session, object, &ids, fields).await.unwrap();
        found.sort_by(|one, other| one.id.cmp(&other.id));
        found
    }
}

fn write(act: WriteAct, fields: &Value) -> Write {
    Write { act, fields: fields.as_object().unwrap().clone() }
}

pub(super) fn create(fields: &Value) -> Write {
    write(WriteAct::Create { unique: None }, fields)
}

/// A new lead with an external id.
pub(super) fn create_by(value: &str, fields: &Value) -> Write {
    let mut fields = fields.clone();
    fields["External_Id__c"] = json!(value);
    write(WriteAct::Create { unique: Some(("External_Id__c".into(), json!(value))) }, &fields)
}

pub(super) fn update(id: &str, fields: &Value) -> Write {
    write(WriteAct::Update { id: id.to_owned() }, fields)
}

pub(super) fn delete(id: &str) -> Write {
    write(WriteAct::Delete { id: id.to_owned() }, &json!({}))
}

/// The id of what was made.
pub(super) fn made(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Created(record) => record.id.clone(),
        other => panic!("{other:?}"),
    }
}
