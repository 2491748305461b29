//! HubSpot's connector against HubSpot's double, without a connection and by a clock that the test moves, except where the wire matters.

mod deletions;
mod faults;
mod hooks;
mod load;
mod reading;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use connectors::{Carrier, Connector as _, Fault, HubSpot, Outcome, Page, PageAsk, RemoteRecord, Session, Span, Write, WriteAct};
use kernel::time::ManualClock;
use serde_json::{Value, json};
use vendors::faults::Fault as Planned;
use vendors::hubspot::{HubSpot as Portal, Options};
use vendors::stand::Vendor as _;

use crate::bed::{StandCarrier, clock, session};

pub(super) struct Scene {
    pub(super) clock: Arc<ManualClock>,
    pub(super) portal: Arc<Portal>,
    pub(super) carrier: Arc<StandCarrier<Portal>>,
    pub(super) session: Session,
    pub(super) connector: HubSpot,
}

pub(super) fn scene() -> Scene {
    scene_with(json!({}), Options::unlimited())
}

pub(super) fn scene_with(config: Value, options: Options) -> Scene {
    let (clock, ambient) = clock();
    let portal = Arc::new(Portal::new(Options { ambient: ambient.clone(), ..options }));
    let carrier = StandCarrier::to(&portal, &clock, "Bearer");
    let session = session(carrier.clone(), config, &ambient);
    Scene { clock, portal, carrier, session, connector: HubSpot::new() }
}

pub(super) fn fields(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn map(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap()
}

pub(super) fn create(fields: &Value) -> Write {
    let unique = fields.get("email").map(|email| ("email".to_owned(), email.clone()));
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
    pub(super) fn ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.records.iter().map(|record| record.id.parse().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Scene {
    pub(super) fn fault(&self, text: &str) {
        self.portal.stand().faults.add(Planned::parse(text).unwrap());
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A person makes a contact.
    pub(super) fn contact(&self, email: &str) -> String {
        self.portal.add("contacts", &json!({"email": email})).unwrap()
    }

    pub(super) async fn page(&self, span: Span, names: &[&str], token: Option<&str>) -> Result<Page, Fault> {
        let fields = fields(names);
        self.connector.page(&self.session, PageAsk { object: "contacts", span, fields: &fields, filter: None, token }).await
    }

    pub(super) async fn run(&self, span: Span, names: &[&str]) -> Run {
        self.run_of("contacts", span, names, None).await
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

    /// The session over another carrier.
    pub(super) fn over(&self, carrier: Arc<dyn Carrier>) -> Session {
        Session { carrier, ..self.session.clone() }
    }
}
