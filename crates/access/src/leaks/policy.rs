//! What is done about a leaked key.

use std::fmt;
use std::str::FromStr;

use kernel::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// The member of a tenant's settings that says what is done about its leaked keys.
const SETTING: &str = "leakPolicy";
/// Grace when none is named: a day.
const USUAL: u32 = 86_400;
/// Longest grace: 30 days.
const LONGEST: u32 = 30 * 86_400;

/// What is done about a leaked key. Written as `notify`, `shorten`, `shorten:3600`, `rotate`, `rotate:3600` (seconds of grace, a day when
/// none are named, at most 30 days) or `revoke`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeakPolicy {
    /// Its tenant is told.
    #[default]
    Notify,
    /// And it ends after so many seconds.
    Shorten(u32),
    /// And another key takes its place, whose secrets wait to be claimed; it ends after so many seconds.
    Rotate(u32),
    /// And it is revoked at once.
    Revoke,
}

impl LeakPolicy {
    /// Checks a tenant's setting. Error: 422 `validation_failed`.
    pub(crate) fn check_setting(settings: &Map<String, Value>) -> Result<()> {
        match settings.get(SETTING).filter(|value| !value.is_null()) {
            None => Ok(()),
            Some(Value::String(text)) if text.parse::<Self>().is_ok() => Ok(()),
            Some(_) => Err(Error::field(format!("/settings/{SETTING}"), FORMS)),
        }
    }

    /// A tenant's own; none if it says nothing (or what nobody checked).
    pub(super) fn of_settings(settings: &Value) -> Option<Self> {
        settings.get(SETTING)?.as_str()?.parse().ok()
    }
}

const FORMS: &str = "must be notify, shorten, rotate or revoke; shorten:3600 and rotate:3600 name the seconds of grace, at most 2592000";

impl FromStr for LeakPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fault = || Error::invalid("validation_failed", format!("A leak policy {FORMS}."));
        let (action, grace) = match text.split_once(':') {
            None => (text, USUAL),
            Some((action, seconds)) => (action, seconds.parse().ok().filter(|grace| (1..=LONGEST).contains(grace)).ok_or_else(fault)?),
        };
        match action {
            "shorten" => Ok(Self::Shorten(grace)),
            "rotate" => Ok(Self::Rotate(grace)),
            "notify" if text == action => Ok(Self::Notify),
            "revoke" if text == action => Ok(Self::Revoke),
            _ => Err(fault()),
        }
    }
}

impl fmt::Display for LeakPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Notify => f.write_str("notify"),
            Self::Shorten(grace) => write!(f, "shorten:{grace}"),
            Self::Rotate(grace) => write!(f, "rotate:{grace}"),
            Self::Revoke => f.write_str("revoke"),
        }
    }
}

impl Serialize for LeakPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LeakPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|_| serde::de::Error::custom(FORMS))
    }
}

impl utoipa::PartialSchema for LeakPolicy {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some("^(notify|revoke|(shorten|rotate)(:[0-9]{1,7})?)$")).into()
    }
}

impl utoipa::ToSchema for LeakPolicy {
    fn name() -> std::borrow::Cow<'static, str> {
        "LeakPolicy".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_round_trips_and_nothing_else_is_read() {
        for (text, policy) in [
            ("notify", LeakPolicy::Notify),
            ("revoke", LeakPolicy::Revoke),
            ("shorten", LeakPolicy::Shorten(86_400)),
            ("rotate:60", LeakPolicy::Rotate(60)),
        ] {
            assert_eq!(text.parse::<LeakPolicy>().unwrap(), policy);
            assert_eq!(policy.to_string().parse::<LeakPolicy>().unwrap(), policy);
        }
        for bad in ["", "Notify", "notify:5", "revoke:", "shorten:", "shorten:0", "rotate:2592001", "shorten:-1", "delete"] {
            assert!(bad.parse::<LeakPolicy>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<LeakPolicy>();
        }
    }
}
