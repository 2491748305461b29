//! Periods and buckets: from what a caller asks for to milliseconds.

use blueprint::model::{Bucket, Metric, Span, SpanUnit};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use kernel::{Error, Result, Timestamp};

use super::MetricQuery;

/// Most buckets of a series.
pub(crate) const MAX_BUCKETS: usize = 1000;
const DAY_MS: i64 = 86_400_000;

/// From when on and until when (not included), and in whose calendar.
#[derive(Clone, Debug)]
pub(crate) struct Period {
    pub(crate) name: Option<String>,
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// What is told of its end: now, where what was made in this very millisecond counts too.
    pub(crate) told_until: Timestamp,
    pub(crate) zone: TimeZone,
    pub(crate) zone_name: String,
}

/// One bucket of a series: where it lies in the calendar, and the part of it that lies in the period.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) begins: Timestamp,
    pub(crate) ends: Timestamp,
    pub(crate) days: (Date, Date),
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Period {
    /// The period that is asked for.
    ///
    /// Error: 422 `validation_failed`, at the parameter.
    pub(crate) fn asked(metric: &Metric, query: &MetricQuery, now: Timestamp) -> Result<Self> {
        let zone_name = query.timezone.clone().unwrap_or_else(|| metric.timezone.clone());
        let known = Some(&zone_name).filter(|name| name.len() <= 64).and_then(|name| TimeZone::get(name).ok());
        let zone = known.ok_or_else(|| Error::field("/timezone", "is not an IANA time zone, such as UTC or Europe/Berlin"))?;
        let bounds = [("/from", &query.from), ("/to", &query.to)];
        if let Some((pointer, _)) = bounds.iter().find(|(_, bound)| query.period.is_some() && bound.is_some()) {
            return Err(Error::field(*pointer, "cannot be given together with period"));
        }
        let span = match &query.period {
            Some(text) => named(metric, text)?,
            None => metric.default_period,
        };
        let until = match &query.to {
            Some(text) => moment("/to", text, &zone, true)?,
            None => now,
        };
        let from = match &query.from {
            Some(text) => moment("/from", text, &zone, false)?.millis(),
            None => before(until, span, &zone)?,
        };
        let period = Self {
            name: (query.from.is_none() && query.to.is_none()).then(|| span.to_string()),
            from,
            until: if query.to.is_none() { until.millis() + 1 } else { until.millis() },
            told_until: until,
            zone,
            zone_name,
        };
        period.check(metric)?;
        Ok(period)
    }

    fn check(&self, metric: &Metric) -> Result<()> {
        if self.from >= self.until {
            return Err(Error::field("/to", "must be later than from"));
        }
        // Two hours more, for a clock that was put back.
        if self.until - self.from > i64::from(metric.max_days) * DAY_MS + DAY_MS / 12 {
            return Err(Error::field("/from", format!("makes the period longer than {} days", metric.max_days)));
        }
        Ok(())
    }

    /// The buckets that the period touches, oldest first.
    ///
    /// Error: 422 `validation_failed`, when there are too many.
    pub(crate) fn slots(&self, bucket: Bucket) -> Result<Vec<Slot>> {
        let many =
            || Error::field("/bucket", format!("makes more than {MAX_BUCKETS} buckets of this period; shorten it, or take larger ones"));
        let shortest = if bucket == Bucket::Hour { DAY_MS / 24 } else { DAY_MS - DAY_MS / 12 };
        if (self.until - self.from) / shortest > 2 * MAX_BUCKETS as i64 && matches!(bucket, Bucket::Hour | Bucket::Day) {
            return Err(many());
        }
        let mut out = Vec::new();
        let mut begins = start_of(bucket, &self.zoned(self.from)?)?;
        while begins.timestamp().as_millisecond() < self.until {
            let ends = after(bucket, &begins)?;
            let (first, last) = (begins.timestamp().as_millisecond(), ends.timestamp().as_millisecond());
            let last_day = ends.date().yesterday().unwrap_or(ends.date()).max(begins.date());
            out.push(Slot {
                begins: Timestamp::from_millis(first),
                ends: Timestamp::from_millis(last),
                days: (begins.date(), last_day),
                from: first.max(self.from),
                until: last.min(self.until),
            });
            if out.len() > MAX_BUCKETS {
                return Err(many());
            }
            begins = ends;
        }
        Ok(out)
    }

    fn zoned(&self, ms: i64) -> Result<Zoned> {
        Ok(jiff::Timestamp::from_millisecond(ms).map_err(out_of_range)?.to_zoned(self.zone.clone()))
    }
}

fn named(metric: &Metric, text: &str) -> Result<Span> {
    let choices = || metric.periods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let span = Span::parse(text);
    if metric.periods.is_empty() {
        let form = "must be a number and h, d, w, m or y, such as 12h, 7d, 4w, 6m, 1y";
        let span = span.ok_or_else(|| Error::field("/period", form))?;
        let fits = span.days() <= metric.max_days.max(metric.default_period.days());
        return if fits { Ok(span) } else { Err(Error::field("/period", format!("must be at most {} days", metric.max_days))) };
    }
    span.filter(|span| metric.periods.contains(span)).ok_or_else(|| Error::field("/period", format!("must be one of {}", choices())))
}

/// A time, or a day in the zone: its beginning, or its end.
fn moment(pointer: &str, text: &str, zone: &TimeZone, end: bool) -> Result<Timestamp> {
    let wrong = || Error::field(pointer, "must be a time with an offset, such as 2026-01-31T12:00:00Z, or a day, such as 2026-01-31");
    if text.len() > 40 {
        return Err(wrong());
    }
    if text.len() != 10 {
        return Timestamp::parse(text).map_err(|_| wrong());
    }
    let day: Date = text.parse().map_err(|_| wrong())?;
    let day = if end { day.tomorrow().map_err(|_| wrong())? } else { day };
    let start = day.to_zoned(zone.clone()).map_err(|_| wrong())?.start_of_day().map_err(|_| wrong())?;
    Ok(Timestamp::from_millis(start.timestamp().as_millisecond()))
}

/// The moment a span earlier, by the calendar.
fn before(until: Timestamp, span: Span, zone: &TimeZone) -> Result<i64> {
    let until = jiff::Timestamp::from_millisecond(until.millis()).map_err(out_of_range)?.to_zoned(zone.clone());
    let count = i64::from(span.count);
    let back = match span.unit {
        SpanUnit::Hour => count.hours(),
        SpanUnit::Day => count.days(),
        SpanUnit::Week => count.weeks(),
        SpanUnit::Month => count.months(),
        SpanUnit::Year => count.years(),
    };
    Ok(until.checked_sub(back).map_err(out_of_range)?.timestamp().as_millisecond())
}

fn start_of(bucket: Bucket, at: &Zoned) -> Result<Zoned> {
    let day = match bucket {
        Bucket::Hour => {
            // Zones are off by whole quarters of an hour: what is left of the clock's hour goes.
            let into = at.minute() as i64 * 60_000 + i64::from(at.second()) * 1000 + i64::from(at.millisecond());
            let start = at.timestamp().as_millisecond() - into;
            return Ok(jiff::Timestamp::from_millisecond(start).map_err(out_of_range)?.to_zoned(at.time_zone().clone()));
        }
        Bucket::Day => at.date(),
        Bucket::Week => at.date().checked_sub(i64::from(at.weekday().since(Weekday::Monday)).days()).map_err(out_of_range)?,
        Bucket::Month => at.date().first_of_month(),
        Bucket::Quarter => Date::new(at.year(), (at.month() - 1) / 3 * 3 + 1, 1).map_err(out_of_range)?,
        Bucket::Year => at.date().first_of_year(),
    };
    day.to_zoned(at.time_zone().clone()).and_then(|zoned| zoned.start_of_day()).map_err(out_of_range)
}

/// The beginning of the next bucket.
fn after(bucket: Bucket, begins: &Zoned) -> Result<Zoned> {
    let step = match bucket {
        // An hour of time, not of the clock: where the clock is put back, the same hour comes twice.
        Bucket::Hour => return begins.checked_add(1.hour()).map_err(out_of_range),
        Bucket::Day => 1.day(),
        Bucket::Week => 1.week(),
        Bucket::Month => 1.month(),
        Bucket::Quarter => 3.months(),
        Bucket::Year => 1.year(),
    };
    let day = begins.date().checked_add(step).map_err(out_of_range)?;
    day.to_zoned(begins.time_zone().clone()).and_then(|zoned| zoned.start_of_day()).map_err(out_of_range)
}

fn out_of_range(_: jiff::Error) -> Error {
    Error::field("/from", "lies outside of the years 0001 to 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, until: &str, zone: &str) -> Period {
        let ms = |text| Timestamp::parse(text).unwrap().millis();
        let zone_name = zone.to_owned();
        let told_until = Timestamp::parse(until).unwrap();
        Period { name: None, from: ms(from), until: ms(until), told_until, zone: TimeZone::get(zone).unwrap(), zone_name }
    }

    fn starts(period: &Period, bucket: Bucket) -> Vec<String> {
        period.slots(bucket).unwrap().iter().map(|slot| slot.begins.to_string()).collect()
    }

    #[test]
    fn days_follow_the_clock_of_the_zone() {
        // On 2026-03-29 Berlin has 23 hours.
        let march = period("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z", "Europe/Berlin");
        assert_eq!(starts(&march, Bucket::Day), ["2026-03-27T23:00:00.000Z", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"]);
        let slots = march.slots(Bucket::Day).unwrap();
        assert_eq!(slots[1].until - slots[1].from, 23 * 3_600_000);
        assert_eq!((slots[0].from, slots[2].until), (march.from, march.until), "the first and the last are cut to the period");
    }

    #[test]
    fn hours_are_hours_where_the_clock_is_put_back() {
        // On 2026-10-25 Berlin has the hour from two to three twice; Kathmandu is off by a quarter.
        let october = period("2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z", "Europe/Berlin");
        assert_eq!(starts(&october, Bucket::Hour), ["2026-10-25T00:00:00.000Z", "2026-10-25T01:00:00.000Z", "2026-10-25T02:00:00.000Z"]);
        let nepal = period("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "Asia/Kathmandu");
        assert_eq!(starts(&nepal, Bucket::Hour), ["2025-12-31T23:15:00.000Z", "2026-01-01T00:15:00.000Z"]);
    }

    #[test]
    fn weeks_months_quarters_and_years_begin_where_the_calendar_says() {
        let year = period("2025-12-31T00:00:00Z", "2026-04-02T00:00:00Z", "UTC");
        assert_eq!(starts(&year, Bucket::Week)[..2], ["2025-12-29T00:00:00.000Z", "2026-01-05T00:00:00.000Z"]);
        assert_eq!(starts(&year, Bucket::Month).len(), 5);
        let quarters = year.slots(Bucket::Quarter).unwrap();
        assert_eq!((quarters[1].days.0.to_string(), quarters[1].days.1.to_string()), ("2026-01-01".to_owned(), "2026-03-31".to_owned()));
        assert_eq!(starts(&year, Bucket::Year), ["2025-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"]);
    }

    #[test]
    fn a_day_without_a_midnight_begins_when_it_begins() {
        // Where the clock is put forward at midnight, the day begins at one.
        let beirut = period("2025-03-29T12:00:00Z", "2025-03-30T12:00:00Z", "Asia/Beirut");
        assert_eq!(starts(&beirut, Bucket::Day)[1], "2025-03-29T22:00:00.000Z");
    }

    #[test]
    fn too_many_buckets_are_refused_before_they_are_made() {
        let long = period("0100-01-01T00:00:00Z", "9000-01-01T00:00:00Z", "UTC");
        for bucket in [Bucket::Hour, Bucket::Day, Bucket::Week, Bucket::Month, Bucket::Quarter, Bucket::Year] {
            assert_eq!(long.slots(bucket).unwrap_err().fields()[0].pointer, "/bucket");
        }
        assert_eq!(period("2026-01-01T00:00:00Z", "2028-09-27T00:00:00Z", "UTC").slots(Bucket::Day).unwrap().len(), MAX_BUCKETS);
    }
}
