//! What an integration's configuration says to this connector.
//!
//! | setting | default | what |
//! |---|---|---|
//! | `apiVersion` | `2026-03` | a dated version of the API, or `v3` for the older paths |
//! | `lookbackSeconds` | 120 | how far an incremental run looks back behind the one before, since searches know late of what was written; 0 to 86,400 |
//! | `timeZone` | none | the account's time zone (`Europe/Berlin`), in which the daily limit begins anew at midnight; without it a spent day is probed every hour |
//! | `uniqueProperties` | none | properties that this account keeps unique, by which records are looked up without the search's lag: `companies.vat, deals.number` |

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::objects;
use crate::driver;
use crate::{Fault, Session, Target};

const VERSION: &str = "2026-03";
const LOOKBACK: u64 = 120;

/// The settings of one session.
#[derive(Debug)]
pub(super) struct Settings<'s> {
    version: &'s str,
    /// How far searches may be behind.
    pub(super) lookback: Duration,
    /// Where the account's days begin.
    pub(super) zone: Option<TimeZone>,
    config: &'s Map<String, Value>,
}

impl<'s> Settings<'s> {
    /// Reads them. Errors: [`Fault::Refused`] with the setting as its field.
    pub(super) fn of(session: &'s Session) -> Result<Self, Fault> {
        Self::read(&session.config)
    }

    pub(super) fn read(config: &'s Map<String, Value>) -> Result<Self, Fault> {
        let version = text(config, "apiVersion")?.unwrap_or(VERSION);
        let dated =
            |text: &str| text.len() == 7 && text.bytes().enumerate().all(|(at, b)| if at == 4 { b == b'-' } else { b.is_ascii_digit() });
        if version != "v3" && !dated(version) {
            return Err(Fault::wrong_setting("apiVersion", "is `v3` or a date such as `2026-03`"));
        }
        let lookback = match config.get("lookbackSeconds") {
            None | Some(Value::Null) => LOOKBACK,
            Some(value) => {
                let seconds = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
                seconds
                    .filter(|seconds| *seconds <= 86_400)
                    .ok_or_else(|| Fault::wrong_setting("lookbackSeconds", "is a number from 0 to 86,400"))?
            }
        };
        let zone = text(config, "timeZone")?
            .map(|name| TimeZone::get(name).map_err(|_| Fault::wrong_setting("timeZone", "is a time zone such as `Europe/Berlin`")))
            .transpose()?;
        Ok(Self { version, lookback: Duration::from_secs(lookback), zone, config })
    }

    /// Whether the account keeps a property's values unique, as far as is known.
    pub(super) fn is_unique(&self, object: &str, property: &str) -> bool {
        let named = self.config.get("uniqueProperties").and_then(Value::as_str).unwrap_or_default();
        objects::known(object).is_some_and(|known| known.unique == Some(property))
            || named.split([',', ' ']).any(|one| one.split_once('.') == Some((object, property)))
    }

    /// `/crm/objects/2026-03/contacts/…`
    pub(super) fn objects(&self, object: &str, rest: &[&str]) -> Result<Target, Fault> {
        self.path("objects", object, rest)
    }

    /// `/crm/properties/2026-03/contacts`
    pub(super) fn properties(&self, object: &str) -> Result<Target, Fault> {
        self.path("properties", object, &[])
    }

    /// `/crm/associations/2026-03/leads/contacts/batch/…`
    pub(super) fn associations(&self, from: &str, to: &str, rest: &[&str]) -> Result<Target, Fault> {
        let version = if self.version == "v3" { ["crm", "v4", "associations"] } else { ["crm", "associations", self.version] };
        driver::path(&[&version, [from, to].as_slice(), rest].concat())
    }

    fn path(&self, what: &str, object: &str, rest: &[&str]) -> Result<Target, Fault> {
        let version = if self.version == "v3" { ["crm", "v3", what] } else { ["crm", what, self.version] };
        driver::path(&[&version, [object].as_slice(), rest].concat())
    }
}

fn text<'c>(config: &'c Map<String, Value>, name: &str) -> Result<Option<&'c str>, Fault> {
    match config.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| Fault::wrong_setting(name, "is a text")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_both_families() {
        let path = |config: Value| {
            let config = config.as_object().cloned().unwrap();
            let settings = Settings::read(&config).unwrap();
            let found =
                [settings.objects("contacts", &["batch", "read"]), settings.properties("deals"), settings.associations("a", "b", &["x"])];
            found.map(|target| if let Ok(Target::Path(path)) = target { path } else { panic!() })
        };
        assert_eq!(
            path(json!({})),
            ["/crm/objects/2026-03/contacts/batch/read", "/crm/properties/2026-03/deals", "/crm/associations/2026-03/a/b/x"]
        );
        assert_eq!(
            path(json!({"apiVersion": "v3"})),
            ["/crm/v3/objects/contacts/batch/read", "/crm/v3/properties/deals", "/crm/v4/associations/a/b/x"]
        );
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (config, name) in [
            (json!({"apiVersion": "v2"}), "apiVersion"),
            (json!({"apiVersion": "2026/03"}), "apiVersion"),
            (json!({"apiVersion": 3}), "apiVersion"),
            (json!({"lookbackSeconds": -1}), "lookbackSeconds"),
            (json!({"lookbackSeconds": 100_000}), "lookbackSeconds"),
            (json!({"timeZone": "Berlin"}), "timeZone"),
        ] {
            let fault = Settings::read(config.as_object().unwrap()).unwrap_err();
            assert!(matches!(&fault, Fault::Refused { field: Some(field), .. } if field == name), "{fault:?}");
        }
    }
}
