//! What an integration's configuration says: `apiVersion`, `pageSize`, `bulkThreshold`, `overlapSeconds`, `allowDuplicates`.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value};

use crate::{Call, Fault, Session, Target, driver};

/// What is spoken where the configuration says nothing: three releases a year, each supported for years.
const VERSION: u32 = 62;
/// The first version with Bulk 2.0 queries and collections as they are used here.
const FIRST: u32 = 48;
/// Rows from which on a full load is a bulk job: below, pages take fewer calls and no waiting.
const BULK_FROM: u64 = 50_000;
/// How far an incremental read looks back behind its cursor. A row shows when its transaction ends, with the time at which it was written:
/// transactions last minutes at the most.
const OVERLAP: Duration = Duration::from_mins(5);
/// What our calls are known by to the org (`changeOrigin` of its change events).
const CLIENT: &str = "client=Tradewind";

/// An integration's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// `v62.0`.
    pub(super) version: String,
    /// Rows of a page, 200 to 2,000; `None`: as many as Salesforce likes.
    pub(super) page_size: Option<u64>,
    /// Rows from which on a full load is a bulk job; `None`: never.
    pub(super) bulk_from: Option<u64>,
    /// How far to look back.
    pub(super) overlap: Duration,
    /// Whether duplicate rules of the org may be overridden.
    pub(super) allows_duplicates: bool,
}

impl Settings {
    /// Reads them.
    ///
    /// Errors: [`Fault::Refused`] `INVALID_CONFIG` with the setting.
    pub(super) fn of(session: &Session) -> Result<Self, Fault> {
        Self::read(&session.config)
    }

    /// The same of a configuration.
    pub(super) fn read(config: &Map<String, Value>) -> Result<Self, Fault> {
        let number = |name: &str, least: u64, most: u64| match config.get(name) {
            None | Some(Value::Null) => Ok(None),
            // Forms give texts.
            Some(value) => match whole(value).filter(|number| (least..=most).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => Err(refused(name, &format!("is a whole number from {least} to {most}"))),
            },
        };
        let flag = |name: &str| match config.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(refused(name, "is true or false")),
        };
        Ok(Self {
            version: version(config.get("apiVersion"))?,
            page_size: number("pageSize", 200, 2000)?,
            bulk_from: Some(number("bulkThreshold", 0, u64::MAX)?.unwrap_or(BULK_FROM)).filter(|rows| *rows > 0),
            overlap: number("overlapSeconds", 0, 86_400)?.map_or(OVERLAP, Duration::from_secs),
            allows_duplicates: flag("allowDuplicates")?,
        })
    }

    /// A call of a resource below the version.
    ///
    /// Errors: [`Fault::Refused`] for a part that cannot stand in a path.
    pub(super) fn call(&self, method: Method, parts: &[&str]) -> Result<Call, Fault> {
        Ok(Call::new(method, self.target(parts)?).header("sforce-call-options", CLIENT))
    }

    /// A resource below the version.
    ///
    /// Errors: [`Fault::Refused`] for a part that cannot stand in a path.
    pub(super) fn target(&self, parts: &[&str]) -> Result<Target, Fault> {
        let whole: Vec<_> = ["services", "data", self.version.as_str()].into_iter().chain(parts.iter().copied()).collect();
        driver::path(&whole)
    }
}

fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `62`, `"62"`, `"62.0"` and `"v62.0"` all mean `v62.0`.
fn version(value: Option<&Value>) -> Result<String, Fault> {
    let number = match value {
        None | Some(Value::Null) => Some(VERSION),
        Some(Value::String(text)) => {
            let text = text.trim();
            let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
            text.strip_suffix(".0").unwrap_or(text).parse().ok()
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number from 0 to 999, as was asked just before"
        )]
        Some(value) => value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1000.0).contains(number)).map(|number| number as u32),
    };
    match number.filter(|number| (FIRST..1000).contains(number)) {
        Some(number) => Ok(format!("v{number}.0")),
        None => Err(refused("apiVersion", &format!("is a version of the REST API from v{FIRST}.0 on, for example \"v{VERSION}.0\""))),
    }
}

fn refused(name: &str, why: &str) -> Fault {
    Fault::Refused { code: "INVALID_CONFIG".to_owned(), message: format!("`{name}` {why}"), field: Some(name.to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_are_written_in_many_ways() {
        for value in [json!(63), json!(63.0), json!("63"), json!("63.0"), json!("v63.0"), json!(" V63.0")] {
            assert_eq!(version(Some(&value)).unwrap(), "v63.0", "{value}");
        }
        assert_eq!(version(None).unwrap(), "v62.0");
        for value in [json!(63.5), json!("latest"), json!("v63.1"), json!(20), json!(-1), json!(true), json!("../v63.0"), json!(1e9)] {
            assert!(version(Some(&value)).is_err(), "{value}");
        }
    }
}
