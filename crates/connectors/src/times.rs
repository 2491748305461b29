//! Vendors' times.

use kernel::Timestamp;

/// Reads RFC 3339. The common form (`2026-01-31T12:00:00.000Z`) is read by hand: a load reads millions.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    plain(text.as_bytes()).or_else(|| Timestamp::parse(text).ok())
}

fn plain(text: &[u8]) -> Option<Timestamp> {
    let ms = match text {
        [.., b'.', a, b, c, b'Z'] if text.len() == 24 => digits(&[*a, *b, *c])?,
        [.., b'Z'] if text.len() == 20 => 0,
        _ => return None,
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
    // What is not surely a time is left to the one who knows calendars: the 29th to 31st, leap seconds, the years before 1.
    let sure = year > 0 && (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60;
    sure.then(|| Timestamp::from_millis((((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000 + ms))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

/// Days from the epoch to a day of the Gregorian calendar: Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_in_every_form() {
        for text in ["1994-11-06T08:49:37Z", "1994-11-06T08:49:37.000Z", "1994-11-06T10:49:37+02:00", "1994-11-06T08:49:37.000+00:00"] {
            assert_eq!(parse(text), Some(Timestamp::from_millis(784_111_777_000)), "{text}");
        }
        for text in ["", "1994-11-06", "1994-02-30T00:00:00Z", "1994-11-06T25:00:00Z", "1994-11-06 08:49:37", "199x-11-06T08:49:37Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_we_write_is_read_by_hand_as_by_the_library(ms in -62_135_596_800_000_i64..=253_402_300_799_999) {
            let text = Timestamp::from_millis(ms).to_string();
            prop_assert_eq!(parse(&text), Some(Timestamp::from_millis(ms)));
            if let Some(by_hand) = plain(text.as_bytes()) {
                prop_assert_eq!(by_hand.millis(), ms);
            }
        }

        #[test]
        fn any_text_is_a_time_or_none(text in "[0-9TZ:.+-]{0,30}") {
            if let Some(by_hand) = plain(text.as_bytes()) {
                prop_assert_eq!(Timestamp::parse(&text).ok(), Some(by_hand));
            }
        }
    }
}
