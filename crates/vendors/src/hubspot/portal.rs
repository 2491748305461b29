//! What an account keeps, and the routes that need a token.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::failure::Failure;
use super::subscriptions::Webhooks;
use super::{Options, associations, batch, objects, properties, search};
use crate::limits::{Day, Window};
use crate::oauth::Grants;
use crate::outbox::Message;
use crate::stand::{Answer, Call, Stand};
use crate::tables::{Change, How, Row, Table};

/// One property.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) label: String,
    /// `string`, `number`, `bool`, `enumeration`, `date`, `datetime`.
    pub(super) kind: String,
    pub(super) is_unique: bool,
    pub(super) is_read_only: bool,
    pub(super) is_own: bool,
    pub(super) options: Vec<String>,
}

/// One kind of object.
#[derive(Clone, Debug)]
pub(super) struct Type {
    /// The plural, as in paths.
    pub(super) name: String,
    /// As in `0-1`.
    pub(super) number: String,
    /// The singular, as in names of events.
    pub(super) singular: String,
    pub(super) properties: Vec<Property>,
    /// What is shown where nothing is asked for.
    pub(super) shown: Vec<&'static str>,
    pub(super) rows: Table<String>,
}

/// Who changes something, as events say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) kind: &'static str,
    pub(super) id: String,
}

impl Source {
    pub(super) fn app(app_id: u64) -> Self {
        Self { kind: "INTEGRATION", id: app_id.to_string() }
    }

    pub(super) fn person() -> Self {
        Self { kind: "CRM_UI", id: "userId:2".to_owned() }
    }
}

/// One association: between (type, row) and (type, row) with a label.
pub(super) type Link = (String, u64, String, u64, u32);

#[derive(Debug)]
pub(super) struct Portal {
    pub(super) grants: Grants,
    pub(super) portal_id: u64,
    pub(super) app_id: u64,
    pub(super) client_secret: String,
    pub(super) types: Vec<Type>,
    pub(super) links: BTreeSet<Link>,
    pub(super) webhooks: Webhooks,
    pub(super) calls: Window,
    pub(super) searches: Window,
    pub(super) day: Day,
    pub(super) next_event: u64,
    /// Webhooks of the call that is at work: they leave when it has done what it should.
    pub(super) pending: Vec<Message>,
}

/// One call and what its work needs to know.
pub(super) struct Scene<'c> {
    pub(super) stand: &'c Stand,
    pub(super) call: &'c Call,
    pub(super) at: i64,
    pub(super) user: u64,
    pub(super) source: Source,
}

impl Scene<'_> {
    pub(super) fn change(&self) -> Change {
        Change { at: self.at, by: self.user, lag_ms: self.stand.faults.index_lag_ms() }
    }

    pub(super) fn body(&self) -> Result<Value, Failure> {
        self.call.json().ok_or_else(|| Failure::invalid("Invalid input JSON on line 1, column 1: unable to parse value"))
    }
}

impl Portal {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            grants: Grants::new(options.policy(), options.app.clone(), 1),
            portal_id: options.portal_id,
            app_id: options.app_id,
            client_secret: options.app.client_secret.clone(),
            types: properties::types(),
            links: BTreeSet::new(),
            webhooks: Webhooks::default(),
            calls: Window::new(options.calls_per_ten_seconds, 10_000),
            searches: Window::new(options.searches_per_second, 1000),
            day: Day::new(options.daily_calls),
            next_event: 1,
            pending: Vec::new(),
        }
    }

    /// The user behind the call.
    pub(super) fn authorized(&self, call: &Call, now: i64) -> Result<u64, Failure> {
        let token = call.authorization("Bearer").ok_or_else(Failure::unauthorized)?;
        self.grants.check(token, now).map(|grant| grant.user).ok_or_else(Failure::expired)
    }

    /// Whether the token may do this with that type.
    fn permitted(&self, scene: &Scene<'_>, kind: &str, right: &str) -> Result<(), Failure> {
        let kind = self.kind(kind).map(|found| found.name.clone()).unwrap_or_default();
        let kind = if ["contacts", "companies", "deals", "leads", "tickets"].contains(&kind.as_str()) { kind } else { "custom".to_owned() };
        let needed = format!("crm.objects.{kind}.{right}");
        let token = scene.call.authorization("Bearer").unwrap_or_default();
        let grant = self.grants.check(token, scene.at).ok_or_else(Failure::expired)?;
        if grant.scopes.contains(&needed) { Ok(()) } else { Err(Failure::scopes(&needed)) }
    }

    /// A type by its plural, its singular or its number.
    pub(super) fn kind(&self, name: &str) -> Result<&Type, Failure> {
        let found = self.types.iter().find(|one| one.name == name || one.singular == name || one.number == name);
        found.ok_or_else(|| Failure::invalid(format!("Unable to infer object type from: {name}")))
    }

    pub(super) fn kind_mut(&mut self, name: &str) -> Result<&mut Type, Failure> {
        let found = self.types.iter_mut().find(|one| one.name == name || one.singular == name || one.number == name);
        found.ok_or_else(|| Failure::invalid(format!("Unable to infer object type from: {name}")))
    }

    /// The routes that need a token.
    pub(super) fn route(&mut self, scene: &Scene<'_>, path: &[&str]) -> Result<Answer, Failure> {
        match path {
            ["crm", "v3", "objects", rest @ ..] | ["crm", "v4", "objects", rest @ ..] | ["crm", "objects", _, rest @ ..] => {
                self.objects(scene, rest)
            }
            ["crm", "v3" | "v4", "associations", rest @ ..] | ["crm", "associations", _, rest @ ..] => {
                associations::between(self, scene, rest, path[1] == "v3")
            }
            ["crm", "v3", "properties", rest @ ..] | ["crm", "properties", _, rest @ ..] => properties::answer(self, scene, rest),
            ["crm", "v3", "owners"] | ["crm", "owners", _] => Ok(Answer::json(200, &owners())),
            ["crm", "v3", "schemas"] => Ok(Answer::json(200, &json!({"results": []}))),
            ["account-info", "v3", "details"] => Ok(Answer::json(200, &self.details())),
            ["integrations", "v1", "me"] => Ok(Answer::json(
                200,
                &json!({"portalId": self.portal_id, "timeZone": "UTC", "currency": "EUR", "utcOffsetMilliseconds": 0,
                    "utcOffset": "+00:00"}),
            )),
            _ => Err(Failure::not_found()),
        }
    }

    fn objects(&mut self, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
        let kind = rest.first().copied().unwrap_or_default();
        self.kind(kind)?;
        let reads = scene.call.method == http::Method::GET || matches!(rest, [_, "search"] | [_, "batch", "read"]);
        self.permitted(scene, kind, if reads { "read" } else { "write" })?;
        match (scene.call.method.as_str(), &rest[1..]) {
            ("POST", ["search"]) => search::search(self, scene, kind),
            ("POST", ["batch", what]) => batch::answer(self, scene, kind, what),
            (_, [id, "associations", rest @ ..]) => associations::of(self, scene, (kind, id), rest),
            (_, rest) => objects::answer(self, scene, kind, rest),
        }
    }

    fn details(&self) -> Value {
        json!({
            "portalId": self.portal_id, "accountType": "DEVELOPER_TEST", "timeZone": "UTC", "companyCurrency": "EUR",
                "additionalCurrencies": [],
            "utcOffset": "+00:00", "utcOffsetMilliseconds": 0, "uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
        })
    }
}

fn owners() -> Value {
    let owner = json!({"id": "1", "email": "ada@double.invalid", "firstName": "Ada", "lastName": "Double", "userId": 1, "type": "PERSON",
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z", "archived": false});
    json!({"results": [owner]})
}

impl Type {
    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// What the time of the last change is called.
    pub(super) fn modified(&self) -> &'static str {
        if self.name == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" }
    }

    /// The row that an id names; for a row that was merged, the one into which it went.
    pub(super) fn number(&self, id: &str, by: Option<&str>) -> Result<u64, Failure> {
        let Some(by) = by.filter(|by| !matches!(*by, "hs_object_id" | "id")) else {
            let mut number = id.parse().map_err(|_| Failure::not_found())?;
            while let Some(How::Merged(into)) = self.rows.any(number).and_then(|row| row.gone).map(|gone| gone.how) {
                number = into;
            }
            return Ok(number);
        };
        let known = self.property(by).filter(|property| property.is_unique);
        known.ok_or_else(|| Failure::invalid(format!("{by} is not a unique property for {}", self.name)))?;
        self.rows.find(by, &id.to_owned()).ok_or_else(Failure::not_found)
    }

    /// The same, and the row must be there.
    pub(super) fn present(&self, id: &str, by: Option<&str>) -> Result<&Row<String>, Failure> {
        self.rows.get(self.number(id, by)?).ok_or_else(Failure::not_found)
    }
}
