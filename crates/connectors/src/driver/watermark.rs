//! Since when the next incremental run has to ask.
//!
//! Not since the newest record that was seen: one that was changed while the pages were read, after its page and before the newest one's,
//! would never be read. But since the run began, by the vendor's own clock, which its answers tell (`Date`, RFC 9110 §6.6.1).

use std::time::Duration;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::Answer;

/// A `Date` that is further away from our clock is not believed: it is a cache's, or the clock of either side is wrong.
const BELIEVED: Duration = Duration::from_mins(5);

/// What a run has seen of time; travels inside of page tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// When the first page was asked for, in ms.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    started: Option<i64>,
    /// That is by the vendor's clock.
    #[serde(rename = "v", default, skip_serializing_if = "std::ops::Not::not")]
    by_vendor: bool,
    /// The newest change that was seen, in ms.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    newest: Option<i64>,
}

impl Watermark {
    /// Notes the run's first answer; later ones change nothing. `asked`: our clock before it was asked for.
    pub fn began(&mut self, answer: &Answer, asked: Timestamp) {
        if self.started.is_some() {
            return;
        }
        let date = answer.header("date").and_then(|text| web::http_date(text.trim()));
        // The answer is later than the question, and the field has whole seconds.
        let date = date.map(|date| date.minus(answer.at.since(asked) + Duration::from_secs(1)));
        let believed = date.filter(|date| date.since(asked).max(asked.since(*date)) <= BELIEVED);
        (self.started, self.by_vendor) = (Some(believed.unwrap_or(asked).millis()), believed.is_some());
    }

    /// Notes a record's last change.
    pub fn saw(&mut self, modified_at: Option<Timestamp>) {
        self.newest = self.newest.max(modified_at.map(Timestamp::millis));
    }

    /// The next run's cursor; `before` is the one that this run asked with.
    pub fn cursor(&self, before: Option<Timestamp>) -> Timestamp {
        let started = self.started.unwrap_or(0);
        if self.by_vendor {
            return Timestamp::from_millis(started);
        }
        let seen = self.newest.or(before.map(Timestamp::millis)).unwrap_or(0);
        Timestamp::from_millis(seen.min(started))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::Reply;

    const NOW: i64 = 784_111_777_000;

    fn answer(date: Option<&'static str>) -> Answer {
        let headers = date.map(|date| (http::header::DATE, HeaderValue::from_static(date))).into_iter().collect::<HeaderMap>();
        Answer::new(Reply { status: StatusCode::OK, headers, body: "{}".into(), generation: 1 }, Timestamp::from_millis(NOW), true)
    }

    fn cursor(date: Option<&'static str>, newest: Option<i64>, before: Option<i64>) -> i64 {
        let mut mark = Watermark::default();
        mark.began(&answer(date), Timestamp::from_millis(NOW));
        mark.began(&answer(Some("Sun, 06 Nov 1994 09:00:00 GMT")), Timestamp::from_millis(NOW + 600_000));
        mark.saw(newest.map(Timestamp::from_millis));
        mark.saw(None);
        mark.cursor(before.map(Timestamp::from_millis)).millis() - NOW
    }

    #[test]
    fn the_vendors_clock_decides_where_it_is_believed() {
        let vendors = Some("Sun, 06 Nov 1994 08:50:37 GMT");
        assert_eq!(cursor(vendors, Some(NOW + 90_000), None), 59_000);
        assert_eq!(cursor(vendors, None, Some(NOW - 500)), 59_000);
        for unbelieved in [None, Some("Sun, 06 Nov 1994 10:00:00 GMT"), Some("soon")] {
            assert_eq!(cursor(unbelieved, Some(NOW - 70), None), -70, "the newest record");
            assert_eq!(cursor(unbelieved, Some(NOW + 70), None), 0, "but not what was changed while it was read");
            assert_eq!(cursor(unbelieved, None, Some(NOW - 500)), -500, "or the cursor before");
            assert_eq!(cursor(unbelieved, None, None), -NOW, "or all");
        }
    }

    #[test]
    fn it_travels_as_text() {
        let mut mark = Watermark::default();
        mark.began(&answer(None), Timestamp::from_millis(NOW));
        let text = serde_json::to_string(&mark).unwrap();
        assert_eq!((text.as_str(), serde_json::from_str(&text).ok()), (r#"{"s":784111777000}"#, Some(mark)));
    }
}
