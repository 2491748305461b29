//! Zoho's connector against Zoho's double, without a connection and by a clock that the test moves, except where the wire matters.

mod deletions;
mod faults;
mod hooks;
mod reading;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use connectors::{Connector as _, Fault, Outcome, Page, PageAsk, RemoteRecord, Session, Span, Write, WriteAct, Zoho};
use kernel::time::ManualClock;
use serde_json::{Value, json};
use vendors::faults::Fault as Planned;
use vendors::stand::Vendor as _;
use vendors::zoho::{Options, Zoho as Org};

use crate::bed::{StandCarrier, clock, session};

pub(super) struct Scene {
    pub(super) clock: Arc<ManualClock>,
    pub(super) org: Arc<Org>,
    pub(super) carrier: Arc<StandCarrier<Org>>,
    pub(super) session: Session,
    pub(super) connector: Zoho,
}

pub(super) fn scene() -> Scene {
    scene_with(json!({}), Options::unlimited())
}

pub(super) fn scene_with(config: Value, options: Options) -> Scene {
    let (clock, ambient) = clock();
    let org = Arc::new(Org::new(Options { ambient: ambient.clone(), ..options }));
    let carrier = StandCarrier::to(&org, &clock, "Zoho-oauthtoken");
    let session = session(carrier.clone(), config, &ambient);
    Scene { clock, org, carrier, session, connector: Zoho::new() }
}

pub(super) fn fields(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn map(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// A new record, unique by its e-mail address if it has one.
pub(super) fn create(fields: &Value) -> Write {
    let unique = fields.get("Email").map(|email| ("Email".to_owned(), email.clone()));
    Write { act: WriteAct::Create { unique }, fields: map(fields) }
}

pub(super) fn update(id: &str, fields: &Value) -> Write {
    Write { act: WriteAct::Update { id: id.to_owned() }, fields: map(fields) }
}

pub(super) fn delete(id: &str) -> Write {
    Write { act: WriteAct::Delete { id: id.to_owned() }, fields: serde_json::Map::new() }
}

/// A whole run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) records: Vec<RemoteRecord>,
    pub(super) pages: usize,
    pub(super) cursor: String,
    pub(super) total: Option<u64>,
}

impl Run {
    /// The ids, each once, in order.
    pub(super) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.records.iter().map(|record| record.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Scene {
    pub(super) fn fault(&self, text: &str) {
        self.org.stand().faults.add(Planned::parse(text).unwrap());
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A person makes a lead.
    pub(super) fn lead(&self, name: &str) -> String {
        self.org.add("Leads", &json!({"Last_Name": name, "Email": format!("{}@example.com", name.to_lowercase())})).unwrap()
    }

    pub(super) async fn page(&self, span: Span, names: &[&str], token: Option<&str>) -> Result<Page, Fault> {
        let fields = fields(names);
        self.connector.page(&self.session, PageAsk { object: "Leads", span, fields: &fields, filter: None, token }).await
    }

    pub(super) async fn run(&self, span: Span, names: &[&str]) -> Run {
        self.run_of("Leads", span, names, None).await
    }

    pub(super) async fn run_of(&self, object: &str, span: Span, names: &[&str], filter: Option<&Value>) -> Run {
        let fields = fields(names);
        let (mut records, mut pages, mut token) = (Vec::new(), 0, None);
        loop {
            let ask = PageAsk { object, span: span.clone(), fields: &fields, filter, token: token.as_deref() };
            let page = self.connector.page(&self.session, ask).await.unwrap();
            pages += 1;
            records.extend(page.records);
            token = page.next;
            if token.is_none() {
                return Run { records, pages, cursor: page.cursor.expect("the last page has a cursor"), total: page.total };
            }
        }
    }

    pub(super) async fn write(&self, object: &str, writes: &[Write]) -> Vec<Outcome> {
        let outcomes = self.connector.write(&self.session, object, writes).await.unwrap();
        assert_eq!(outcomes.len(), writes.len());
        outcomes
    }

    /// One record as the organisation has it.
    pub(super) fn kept(&self, module: &str, id: &str) -> Value {
        self.org.rows(module).into_iter().find(|row| row["id"] == id).unwrap_or_default()
    }
}
