//! Declared metrics: figures computed from the records of one resource type.

use serde_json::Value;

/// Figures over the records of one resource type that lie in a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name: `lead-analytics`. Endpoints refer to it.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The resource type whose records it looks at.
    pub resource: String,
    /// The member that says when a record counts, a time or a date; none: its creation time. A record without a time does not count.
    pub time: Option<String>,
    /// The IANA time zone of buckets and dates when the caller names none: `UTC`, `Europe/Berlin`.
    pub timezone: String,
    /// The member that an endpoint's path names a value of: only the records with it count.
    pub subject: Option<MetricSubject>,
    /// Only records with these values count.
    pub only: Vec<Condition>,
    /// Members that a caller may narrow the figures by: `?agentId=…`.
    pub filters: Vec<String>,
    /// The period when the caller names none.
    pub default_period: Span,
    /// The periods that a caller may name; empty: any.
    pub periods: Vec<Span>,
    /// The longest period, in days of 24 hours.
    pub max_days: u32,
    /// Whether the answer is the totals (with the series beside them, if there is one) or the series alone.
    pub answer: MetricAnswer,
    /// The figures by time bucket, if they are told.
    pub series: Option<Series>,
    /// What is computed; never empty.
    pub figures: Vec<Figure>,
}

/// Whose figures: a member, and the resource type that its values name a record of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSubject {
    /// A member of the metric's resource: `agentId`.
    pub field: String,
    /// If it is given, a path that names no record of it is 404: `agent`.
    pub resource: Option<String>,
}

/// "`field` is one of `values`."
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// A top-level member.
    pub field: String,
    /// Texts, numbers or truth values; never empty.
    pub values: Vec<Value>,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricAnswer {
    /// An object: a member for each figure, and `series`.
    Totals,
    /// A list: one object for each bucket.
    Series,
}

/// A length of time up to now, by the calendar: `30d`, `1y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: u16,
    /// Of what.
    pub unit: SpanUnit,
}

/// What a [`Span`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanUnit {
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `m`
    Month,
    /// `y`
    Year,
}

impl Span {
    /// Reads `12h`, `7d`, `4w`, `6m`, `1y`: 1 to 9999 of them. None: it is no period.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "h" => SpanUnit::Hour,
            "d" => SpanUnit::Day,
            "w" => SpanUnit::Week,
            "m" => SpanUnit::Month,
            "y" => SpanUnit::Year,
            _ => return None,
        };
        let plain = !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        Some(Self { count: digits.parse().ok().filter(|_| plain)?, unit })
    }

    /// At most this many days of 24 hours.
    pub fn days(self) -> u32 {
        let count = u32::from(self.count);
        match self.unit {
            SpanUnit::Hour => count.div_ceil(24),
            SpanUnit::Day => count,
            SpanUnit::Week => count * 7,
            SpanUnit::Month => count * 31,
            SpanUnit::Year => count * 366,
        }
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            SpanUnit::Hour => 'h',
            SpanUnit::Day => 'd',
            SpanUnit::Week => 'w',
            SpanUnit::Month => 'm',
            SpanUnit::Year => 'y',
        };
        write!(f, "{}{unit}", self.count)
    }
}

/// The figures by time bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The bucket when the caller names none.
    pub bucket: Bucket,
    /// The buckets that a caller may name; `bucket` is one of them.
    pub buckets: Vec<Bucket>,
    /// Whether the newest bucket comes first.
    pub newest_first: bool,
    /// Whether buckets without a record are told too.
    pub empty: bool,
    /// Most buckets that are told, the newest ones; none: all of the period.
    pub limit: Option<u32>,
    /// The text of the member `period` of a bucket, with `{from}` and `{to}` for its first and last day; none: members `from` and `to` with times.
    pub label: Option<String>,
}

/// A part of the calendar, in a time zone. Weeks begin on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bucket {
    /// An hour of the clock.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
    /// Three months, from January on.
    Quarter,
    /// A year.
    Year,
}

impl Bucket {
    /// Every one, the shortest first.
    pub const ALL: [Self; 6] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// `hour`, `day`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// One thing that is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The member of the answer: `total_leads`.
    pub name: String,
    /// How.
    pub of: Aggregate,
    /// Count, sum and so on: only records with these values.
    pub only: Vec<Condition>,
    /// One figure for each value of this member, as an object.
    pub by: Option<GroupBy>,
    /// Decimal places of the answer, 0 to 6: rounded half away from zero. A whole sum, minimum or maximum is shown without any.
    pub decimals: u8,
    /// What it is when no record has a value: null, or a number.
    pub empty: Value,
    /// Whether it is among the totals.
    pub in_totals: bool,
    /// Whether every bucket of the series has it.
    pub in_series: bool,
}

/// How a figure comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many records.
    Count,
    /// The sum of a member's numbers.
    Sum(String),
    /// Their mean.
    Avg(String),
    /// The smallest.
    Min(String),
    /// The largest.
    Max(String),
    /// One figure by another, both by name: a rate.
    Ratio(String, String),
}

/// One figure for each value of a member.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupBy {
    /// The member.
    pub field: String,
    /// Whether it is a list, each item of which counts (an item that occurs twice in a record counts once).
    pub list: bool,
    /// The values that are always told, though none has them: those of the schema's enum.
    pub always: Vec<String>,
    /// Most values that are told, the most frequent ones.
    pub top: u32,
}

impl Metric {
    /// The members by whose values records are told apart when figures are computed: filters, conditions and groups of figures, each once. At
    /// most [`Metric::MAX_LABELS`].
    pub fn labels(&self) -> Vec<&str> {
        let conditions = self.figures.iter().flat_map(|figure| &figure.only).map(|one| one.field.as_str());
        let groups = self.figures.iter().filter_map(|figure| figure.by.as_ref()).filter(|by| !by.list).map(|by| by.field.as_str());
        distinct(self.filters.iter().map(String::as_str).chain(conditions).chain(groups))
    }

    /// The members whose numbers are computed with, each once. At most [`Metric::MAX_MEASURES`].
    pub fn measures(&self) -> Vec<&str> {
        distinct(self.figures.iter().filter_map(|figure| figure.of.field()))
    }

    /// The lists whose items are counted, each once.
    pub fn lists(&self) -> Vec<&str> {
        distinct(self.figures.iter().filter_map(|figure| figure.by.as_ref()).filter(|by| by.list).map(|by| by.field.as_str()))
    }

    /// Most members of [`Metric::labels`].
    pub const MAX_LABELS: usize = 6;
    /// Most members of [`Metric::measures`].
    pub const MAX_MEASURES: usize = 8;
}

impl Aggregate {
    /// The member that it computes with.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Sum(field) | Self::Avg(field) | Self::Min(field) | Self::Max(field) => Some(field),
            Self::Count | Self::Ratio(..) => None,
        }
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out = Vec::new();
    for name in names {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_one_spelling() {
        for text in ["1h", "7d", "30d", "4w", "6m", "1y", "9999d"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "d", "0d", "07d", "-7d", "7", "7x", "7D", "1.5d", "10000d", "７d", "7д"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}
