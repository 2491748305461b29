//! Times, as people read them.

use kernel::Timestamp;

use super::Lang;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// "3 minutes ago", "in 2 days"; what is nearer than a minute is now.
pub(super) fn relative(lang: Lang, at: Timestamp, now: Timestamp) -> String {
    let (past, seconds) = if at <= now { (true, now.since(at).as_secs()) } else { (false, at.since(now).as_secs()) };
    let (unit, count) = match seconds {
        0..MINUTE => return lang.text("time.now").to_owned(),
        MINUTE..HOUR => ("minutes", seconds / MINUTE),
        HOUR..DAY => ("hours", seconds / HOUR),
        _ => ("days", seconds / DAY),
    };
    let amount = lang.count(&format!("time.{unit}"), count);
    lang.with(if past { "time.ago" } else { "time.in" }, &[("amount", &amount)])
}

/// "22 November 2026, 14:05 UTC".
pub(super) fn exact(lang: Lang, at: Timestamp) -> String {
    let Ok(time) = jiff::Timestamp::from_millisecond(at.millis()) else { return at.to_string() };
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
    let month = lang.text(&format!("time.month.{}", zoned.month()));
    let clock = format!("{:02}:{:02}", zoned.hour(), zoned.minute());
    lang.with("time.exact", &[("day", &zoned.day()), ("month", &month), ("year", &zoned.year()), ("clock", &clock)])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_told_from_now() {
        let now = Timestamp::parse("2026-11-22T14:05:09Z").unwrap();
        let ago = |seconds| relative(Lang::English, now.minus(Duration::from_secs(seconds)), now);
        assert_eq!((ago(59), ago(60), ago(7200)), ("just now".into(), "1 minute ago".into(), "2 hours ago".into()));
        assert_eq!(relative(Lang::English, now.plus(Duration::from_secs(3 * DAY)), now), "in 3 days");
        assert_eq!(relative(Lang::Hebrew, now.minus(Duration::from_secs(2 * DAY)), now), "לפני יומיים");
        assert_eq!(exact(Lang::English, now), "22 November 2026, 14:05 UTC");
    }
}
