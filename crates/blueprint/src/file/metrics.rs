//! `[[metrics]]`: figures computed from records.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metric {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) resource: String,
    pub(crate) time: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) subject: Option<Subject>,
    #[serde(default, rename = "where")]
    pub(crate) only: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) filters: Vec<String>,
    pub(crate) default_period: Option<String>,
    #[serde(default)]
    pub(crate) periods: Vec<String>,
    pub(crate) max_days: Option<u32>,
    #[serde(default)]
    pub(crate) answer: Answer,
    pub(crate) series: Option<Series>,
    pub(crate) figures: Vec<Figure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    pub(crate) field: String,
    pub(crate) resource: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    #[default]
    Totals,
    Series,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Series {
    pub(crate) bucket: Bucket,
    #[serde(default)]
    pub(crate) buckets: Vec<Bucket>,
    #[serde(default)]
    pub(crate) order: Order,
    pub(crate) empty: Option<bool>,
    pub(crate) limit: Option<u32>,
    pub(crate) label: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Bucket {
    Hour,
    #[default]
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    #[default]
    Oldest,
    Newest,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) of: Of,
    pub(crate) field: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) top: Option<u32>,
    #[serde(default, rename = "where")]
    pub(crate) only: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) figures: Vec<String>,
    pub(crate) decimals: Option<u8>,
    pub(crate) empty: Option<Value>,
    #[serde(default, rename = "in")]
    pub(crate) shown: Shown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    #[default]
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Ratio,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shown {
    #[default]
    Both,
    Totals,
    Series,
}
