//! `[[upstreams]]`, and the operation of an endpoint that one of them answers.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) http: Protocol,
    pub(crate) connect_timeout_ms: Option<u64>,
    pub(crate) first_byte_timeout_ms: Option<u64>,
    pub(crate) idle_timeout_ms: Option<u64>,
    pub(crate) total_timeout_ms: Option<u64>,
    pub(crate) websocket_idle_seconds: Option<u64>,
    pub(crate) retries: Option<u32>,
    pub(crate) max_in_flight: Option<u32>,
    pub(crate) max_idle: Option<u32>,
    pub(crate) idle_connection_seconds: Option<u64>,
    pub(crate) max_request_bytes: Option<u64>,
    pub(crate) max_response_bytes: Option<u64>,
    pub(crate) eject_after: Option<u32>,
    pub(crate) eject_seconds: Option<u64>,
    pub(crate) health: Option<Health>,
    #[serde(default)]
    pub(crate) forward: Vec<String>,
    #[serde(default)]
    pub(crate) headers: Map<String, Value>,
    #[serde(default)]
    pub(crate) preserve_host: bool,
    pub(crate) ca_file: Option<String>,
}

/// A URL, or a table with a URL and a weight.
#[derive(Debug, Default)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) weight: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    url: String,
    weight: Option<u32>,
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Target;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, or a table with url and weight")
            }

            fn visit_str<E>(self, url: &str) -> Result<Target, E> {
                Ok(Target { url: url.to_owned(), weight: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Target, A::Error> {
                let TargetTable { url, weight } = TargetTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Target { url, weight })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) enum Protocol {
    #[default]
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "1")]
    One,
    #[serde(rename = "2")]
    Two,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Health {
    pub(crate) path: String,
    pub(crate) interval_seconds: Option<u64>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) healthy_after: Option<u32>,
    pub(crate) unhealthy_after: Option<u32>,
}

/// `{ type = "upstream", upstream = "orders", path = "/v2/{id}" }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpstreamCall {
    #[serde(rename = "type")]
    pub(crate) _kind: String,
    pub(crate) upstream: String,
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) websocket: bool,
    pub(crate) schema: Option<Value>,
    pub(crate) max_request_bytes: Option<u64>,
}
