//! Limits of a key's own, in place of its tier's.

use blueprint::model::Windows;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

/// Most requests in any window.
const MAX_REQUESTS: u32 = 1_000_000_000;
/// Longest window of the third form in milliseconds: a day.
const MAX_WINDOW_MS: u64 = 86_400_000;

/// Limits of a key's own, in one of three forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LimitOverride {
    /// `120`: requests in any minute; hour and day stay the tier's. All of the minute's requests may come at once.
    PerMinute(u32),
    /// `{"requests": 5, "window": 1000}`: requests in any window of so many milliseconds; it takes the place of all the tier's windows.
    Window {
        /// Requests.
        requests: u32,
        /// Length of the window in milliseconds, at most a day.
        window: u64,
    },
    /// `{"perMinute", "perHour", "perDay", "burst"}`: each that is given takes the place of the tier's.
    #[serde(rename_all = "camelCase")]
    Windows {
        /// Requests in any minute.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        per_minute: Option<u32>,
        /// Requests in any hour.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        per_hour: Option<u32>,
        /// Requests in any day.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        per_day: Option<u32>,
        /// How many of the minute's requests may come at once.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        burst: Option<u32>,
    },
}

impl LimitOverride {
    /// Reads one of the three forms from a body. Errors: 422 `validation_failed` with the place.
    pub fn parse(pointer: &str, value: &Value) -> Result<Self> {
        let Some(object) = value.as_object() else {
            return Ok(Self::PerMinute(requests(pointer, value)?));
        };
        let window = object.contains_key("requests") || object.contains_key("window");
        let allowed: &[&str] = if window { &["requests", "window"] } else { &["perMinute", "perHour", "perDay", "burst"] };
        if let Some(unknown) = object.keys().find(|name| !allowed.contains(&name.as_str())) {
            return Err(Error::field(format!("{pointer}/{unknown}"), format!("is not known here; known are {}", allowed.join(", "))));
        }
        if window {
            let member = |name: &str| {
                let place = format!("{pointer}/{name}");
                object.get(name).map(|value| (place.clone(), value)).ok_or_else(|| Error::field(place, "is missing"))
            };
            let ((place, value), (window_place, length)) = (member("requests")?, member("window")?);
            let fits = length.as_u64().filter(|ms| (1..=MAX_WINDOW_MS).contains(ms));
            let window = fits.ok_or_else(|| Error::field(window_place, "must be 1 to 86400000 milliseconds"))?;
            return Ok(Self::Window { requests: requests(&place, value)?, window });
        }
        let member = |name: &str| object.get(name).map(|value| requests(&format!("{pointer}/{name}"), value)).transpose();
        if object.is_empty() {
            return Err(Error::field(pointer, "must name at least one limit; null removes the override"));
        }
        Ok(Self::Windows {
            per_minute: member("perMinute")?,
            per_hour: member("perHour")?,
            per_day: member("perDay")?,
            burst: member("burst")?,
        })
    }

    /// Whether it admits no more than what binds without it: the tier's windows, or what takes their place for its whole client.
    pub fn is_within(&self, tier: Windows, client: Option<&Self>) -> bool {
        match client {
            None => self.is_within_windows(tier),
            Some(Self::PerMinute(count)) => self.is_within_windows(Windows { per_minute: Some(*count), burst: None, ..tier }),
            Some(Self::Windows { per_minute, per_hour, per_day, burst }) => {
                let own = Windows { per_minute: *per_minute, per_hour: *per_hour, per_day: *per_day, burst: *burst };
                self.is_within_windows(own.over(tier))
            }
            // Any other form would bring the tier's windows back in its place.
            Some(Self::Window { requests: most, window: length }) => match self {
                Self::Window { requests, window } => is_within_window(*requests, *window, *most, *length),
                _ => false,
            },
        }
    }

    /// Whether it admits no more than `old`, in whose place it comes: what `old` names it must name too, since the tier's would bind again.
    pub fn lowers(&self, old: &Self) -> bool {
        let unnamed = Windows { per_minute: None, per_hour: None, per_day: None, burst: None };
        let named = |old: &Self| match old {
            Self::PerMinute(count) => Windows { per_minute: Some(*count), ..unnamed },
            Self::Windows { per_minute, per_hour, per_day, burst } => {
                Windows { per_minute: *per_minute, per_hour: *per_hour, per_day: *per_day, burst: *burst }
            }
            Self::Window { .. } => unnamed,
        };
        let kept = |old: Option<u32>, new: Option<u32>| old.is_none_or(|old| new.is_some_and(|new| new <= old));
        match (old, self) {
            (Self::Window { requests: most, window: length }, Self::Window { requests, window }) => {
                is_within_window(*requests, *window, *most, *length)
            }
            // Any other form would bring the tier's windows back in its place.
            (Self::Window { .. }, _) => false,
            (_, Self::Window { .. }) => self.is_within_windows(named(old)),
            // All of a minute's requests may come at once: no burst binds.
            (Self::Windows { burst: Some(burst), .. }, Self::PerMinute(count)) if count > burst => false,
            (_, new) => {
                let (old, new) = (named(old), named(new));
                let burst = kept(old.burst, new.burst.or(new.per_minute));
                burst && kept(old.per_minute, new.per_minute) && kept(old.per_hour, new.per_hour) && kept(old.per_day, new.per_day)
            }
        }
    }

    fn is_within_windows(&self, tier: Windows) -> bool {
        let fits = |own: Option<u32>, limit: Option<u32>| match (own, limit) {
            (Some(own), Some(limit)) => own <= limit,
            _ => true,
        };
        match self {
            Self::PerMinute(count) => fits(Some(*count), tier.per_minute) && fits(Some(*count), tier.burst),
            Self::Windows { per_minute, per_hour, per_day, burst } => {
                fits(*per_minute, tier.per_minute)
                    && fits(*per_hour, tier.per_hour)
                    && fits(*per_day, tier.per_day)
                    && fits(*burst, tier.burst.or(tier.per_minute))
            }
            // It takes the place of every window, so it must be at most as much in each, even if used up at a window's both ends.
            Self::Window { requests, window } => {
                let most = |length: u64| u64::from(*requests) * (length.div_ceil(*window) + 1);
                let within = |limit: Option<u32>, length: u64| limit.is_none_or(|limit| most(length) <= u64::from(limit));
                fits(Some(*requests), tier.burst)
                    && within(tier.per_minute, 60_000)
                    && within(tier.per_hour, 3_600_000)
                    && within(tier.per_day, 86_400_000)
            }
        }
    }
}

/// Whether so many requests in a window are at most so many in another, even if they come at the ends of two windows.
fn is_within_window(requests: u32, window: u64, most: u32, length: u64) -> bool {
    requests <= most && window >= length || u64::from(requests) * (length.div_ceil(window) + 1) <= u64::from(most)
}

fn requests(pointer: &str, value: &Value) -> Result<u32> {
    let fits = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=MAX_REQUESTS).contains(n));
    fits.ok_or_else(|| Error::field(pointer, format!("must be a whole number from 1 to {MAX_REQUESTS}")))
}

impl utoipa::PartialSchema for LimitOverride {
    fn schema() -> RefOr<Schema> {
        let number = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        // Closed, as what is read is: otherwise one form would be another's as well.
        let closed = || ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let windows =
            ["perMinute", "perHour", "perDay", "burst"].into_iter().fold(closed(), |object, name| object.property(name, number()));
        let window = closed().property("requests", number()).property("window", number()).required("requests").required("window");
        OneOfBuilder::new().item(number()).item(windows).item(window).into()
    }
}

impl utoipa::ToSchema for LimitOverride {
    fn name() -> std::borrow::Cow<'static, str> {
        "LimitOverride".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tier() -> Windows {
        Windows { per_minute: Some(60), per_hour: Some(1000), per_day: Some(10_000), burst: Some(10) }
    }

    #[test]
    fn three_forms_round_trip() {
        for form in [json!(120), json!({"perMinute": 5, "burst": 2}), json!({"requests": 5, "window": 1000})] {
            let parsed = LimitOverride::parse("/x", &form).unwrap();
            assert_eq!(serde_json::to_value(&parsed).unwrap(), form);
            assert_eq!(serde_json::from_value::<LimitOverride>(form).unwrap(), parsed);
        }
    }

    #[test]
    fn faults_are_placed() {
        for (form, place) in [
            (json!(0), "/x"),
            (json!(-1), "/x"),
            (json!("5"), "/x"),
            (json!(1.5), "/x"),
            (json!({}), "/x"),
            (json!({"perMinute": 0}), "/x/perMinute"),
            (json!({"perWeek": 1}), "/x/perWeek"),
            (json!({"requests": 1}), "/x/window"),
            (json!({"requests": 1, "window": 0}), "/x/window"),
            (json!({"requests": 1, "window": 1, "perDay": 2}), "/x/perDay"),
        ] {
            assert_eq!(LimitOverride::parse("/x", &form).unwrap_err().fields()[0].pointer, place, "{form}");
        }
    }

    #[test]
    fn knows_what_is_within_a_tier() {
        let within = |form: Value| LimitOverride::parse("/x", &form).unwrap().is_within(tier(), None);
        assert!(within(json!(10)) && !within(json!(61)));
        assert!(within(json!({"perHour": 1000})) && !within(json!({"perHour": 1001})));
        assert!(!within(json!({"burst": 11})));
        assert!(within(json!({"requests": 1, "window": 60_000})) && !within(json!({"requests": 60, "window": 1000})));
    }

    #[test]
    fn knows_what_lowers_what_is_there() {
        let parse = |form: &Value| LimitOverride::parse("/x", form).unwrap();
        let windows = json!({"perMinute": 10, "perHour": 100, "burst": 5});
        let window = json!({"requests": 10, "window": 1000});
        for (old, new) in [
            (&json!(10), json!(9)),
            (&json!(10), json!({"perMinute": 10, "perDay": 7})),
            (&json!(60), json!({"requests": 10, "window": 60_000})),
            (&windows, json!({"perMinute": 10, "perHour": 99, "burst": 5})),
            (&windows, json!({"perMinute": 4, "perHour": 50})),
            (&windows, json!({"perMinute": 1, "perHour": 1, "perDay": 1, "burst": 1})),
            (&json!({"perMinute": 10, "burst": 5}), json!(5)),
            (&windows, json!({"requests": 1, "window": 60_000})),
            (&window, json!({"requests": 9, "window": 1000})),
            (&window, json!({"requests": 10, "window": 2000})),
            (&window, window.clone()),
            (&windows, windows.clone()),
        ] {
            assert!(parse(&new).lowers(&parse(old)), "{old} → {new}");
        }
        for (old, new) in [
            (&json!(10), json!(11)),
            (&json!(10), json!({"perHour": 5})),
            (&windows, json!(1)),
            (&windows, json!({"perMinute": 10, "perHour": 101, "burst": 5})),
            (&windows, json!({"perMinute": 10, "burst": 5})),
            (&windows, json!({"perMinute": 10, "perHour": 100})),
            (&windows, json!({"perMinute": 10, "perHour": 100, "burst": 6})),
            (&json!({"perMinute": 10, "burst": 5}), json!(6)),
            (&windows, json!({"requests": 10, "window": 1000})),
            (&window, json!({"requests": 11, "window": 1000})),
            (&window, json!({"requests": 10, "window": 999})),
            (&window, json!(1)),
            (&window, json!({"perMinute": 1})),
        ] {
            assert!(!parse(&new).lowers(&parse(old)), "{old} → {new}");
        }
    }

    #[test]
    fn knows_what_is_within_a_clients_own() {
        let parse = |form: Value| LimitOverride::parse("/x", &form).unwrap();
        let within = |key: Value, client: Value| parse(key).is_within(tier(), Some(&parse(client)));
        assert!(within(json!(500), json!(500)) && !within(json!(501), json!(500)));
        assert!(within(json!({"perHour": 5000}), json!({"perHour": 5000})) && !within(json!({"perDay": 10_001}), json!({"perHour": 5000})));
        let custom = json!({"requests": 10, "window": 1000});
        assert!(
            within(json!({"requests": 10, "window": 2000}), custom.clone())
                && within(json!({"requests": 3, "window": 500}), custom.clone())
        );
        assert!(
            !within(json!({"requests": 11, "window": 2000}), custom.clone())
                && !within(json!({"requests": 9, "window": 500}), custom.clone())
        );
        assert!(!within(json!(1), custom), "the tier's hour and day would bind again, and the client's second would not");
    }
}
