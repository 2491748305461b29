//! When someone must be told of a key, and of what. Pure functions of the key and the time.

use std::time::Duration;

use kernel::Timestamp;

use crate::keys::{KeyStatus, Stored};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// How long before its end a key is said to be expiring, the first warning first.
const WARNINGS: [Duration; 3] = [Duration::from_hours(7 * 24), DAY, HOUR];
/// `expiry_told` of a key that waits for its last warning.
const LAST_WARNING: u8 = 2;
/// `expiry_told` of a key whose end itself was told.
const END_TOLD: u8 = 4;
/// How often a rotation that is overdue is told of again.
const REPEAT: Duration = Duration::from_hours(7 * 24);
/// A key that was used so lately is in use.
const IN_USE: Duration = DAY;

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reminder {
    /// It ends before long.
    Expiring,
    /// It has ended.
    Expired,
    /// It is older than its owner means it to get.
    RotationDue,
    /// It was replaced and would end within the hour, but is still used: it lives on until then.
    Extended(Timestamp),
}

/// How many warnings would have been given before `now`, when the end was set at `now`: those are not given at all.
pub(crate) fn passed(expires_at: Option<Timestamp>, now: Timestamp) -> u8 {
    let Some(end) = expires_at else { return 0 };
    let passed = WARNINGS.iter().filter(|before| end.minus(**before) <= now).count();
    u8::try_from(passed).unwrap_or(END_TOLD)
}

/// When its owner means it to be rotated; none for one that was rotated already.
pub(crate) fn rotation_due(key: &Stored) -> Option<Timestamp> {
    let days = key.rotation_frequency_days.filter(|_| key.rotated_to.is_none())?;
    Some(key.created_at.plus(DAY * days))
}

/// Whether it was used within the last day.
pub(crate) fn is_in_use(key: &Stored, now: Timestamp) -> bool {
    key.last_used_at.is_some_and(|last| last.plus(IN_USE) > now)
}

/// When to look at it next; none: there will be nothing to tell.
pub(crate) fn next(key: &Stored) -> Option<Timestamp> {
    if key.status != KeyStatus::Active || key.expiry_told >= END_TOLD {
        return None;
    }
    let warning = WARNINGS.get(usize::from(key.expiry_told));
    let expiry = key.expires_at.map(|end| warning.map_or(end, |before| end.minus(*before)));
    let rotation = rotation_due(key).map(|due| key.rotation_told.map_or(due, |told| told.plus(REPEAT)));
    [expiry, rotation].into_iter().flatten().min()
}

/// What is to be told at `now`, noted in the key as told. A server that was down for long tells the last of what it missed.
pub(crate) fn take(key: &mut Stored, now: Timestamp) -> Vec<Reminder> {
    let mut out = Vec::new();
    if key.status != KeyStatus::Active {
        return out;
    }
    if let Some(end) = key.expires_at {
        let stage = if end <= now { END_TOLD } else { passed(Some(end), now) };
        if stage > key.expiry_told {
            key.expiry_told = stage;
            out.push(if stage == END_TOLD { Reminder::Expired } else { extend(key, end, now).unwrap_or(Reminder::Expiring) });
        }
    }
    let due = rotation_due(key).map(|due| key.rotation_told.map_or(due, |told| told.plus(REPEAT)));
    if key.expiry_told < END_TOLD && due.is_some_and(|due| due <= now) {
        key.rotation_told = Some(now);
        out.push(Reminder::RotationDue);
    }
    out
}

/// A day more for a replaced key that is still used an hour before its end, where whoever rotated it asked for that.
fn extend(key: &mut Stored, end: Timestamp, now: Timestamp) -> Option<Reminder> {
    let last = key.extend_until.filter(|last| end < *last)?;
    if end.minus(HOUR) > now || !is_in_use(key, now) {
        return None;
    }
    let until = end.plus(DAY).min(last);
    key.expires_at = Some(until);
    // The next to be said is the last warning, when it is decided again.
    key.expiry_told = passed(Some(until), now).max(LAST_WARNING);
    Some(Reminder::Extended(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Environment;
    use kernel::Ambient;

    const START: i64 = 1_760_000_000_000;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(START + hours * 3_600_000)
    }

    fn key(expires: Option<i64>) -> Stored {
        let ambient = Ambient::system();
        let mut key = Stored::blank(ambient.id(), ambient.id(), ambient.id(), at(0));
        key.environment = Environment::Production;
        key.expires_at = expires.map(at);
        key.expiry_told = passed(key.expires_at, at(0));
        key
    }

    #[test]
    fn a_key_is_announced_three_times_and_at_its_end() {
        let mut key = key(Some(24 * 30));
        assert_eq!(next(&key), Some(at(24 * 23)));
        assert_eq!(take(&mut key, at(24 * 23)), [Reminder::Expiring]);
        assert_eq!(take(&mut key, at(24 * 23)), [], "once");
        assert_eq!(next(&key), Some(at(24 * 29)));
        assert_eq!(take(&mut key, at(24 * 30 - 1)), [Reminder::Expiring], "two at once are one");
        assert_eq!(next(&key), Some(at(24 * 30)));
        assert_eq!(take(&mut key, at(24 * 30)), [Reminder::Expired]);
        assert_eq!((next(&key), take(&mut key, at(24 * 90))), (None, vec![]));
    }

    #[test]
    fn a_short_life_is_not_announced_before_it_began() {
        let mut key = key(Some(12));
        assert_eq!((key.expiry_told, next(&key)), (2, Some(at(11))));
        assert_eq!(take(&mut key, at(11)), [Reminder::Expiring]);
        assert_eq!(take(&mut key, at(12)), [Reminder::Expired]);
    }

    #[test]
    fn an_overdue_rotation_is_repeated_until_it_is_done() {
        let mut key = key(None);
        key.rotation_frequency_days = Some(90);
        assert_eq!(next(&key), Some(at(24 * 90)));
        assert_eq!(take(&mut key, at(24 * 90)), [Reminder::RotationDue]);
        assert_eq!((take(&mut key, at(24 * 96)), next(&key)), (vec![], Some(at(24 * 97))));
        assert_eq!(take(&mut key, at(24 * 97)), [Reminder::RotationDue]);
        key.rotated_to = Some(Ambient::system().id());
        assert_eq!((next(&key), take(&mut key, at(24 * 200))), (None, vec![]));
    }

    #[test]
    fn a_replaced_key_lives_on_while_it_is_used_and_no_longer_than_was_said() {
        let mut key = key(Some(24));
        key.extend_until = Some(at(24 * 2 + 12));
        key.last_used_at = Some(at(20));
        assert_eq!(take(&mut key, at(23)), [Reminder::Extended(at(48))]);
        assert_eq!((key.expires_at, next(&key)), (Some(at(48)), Some(at(47))));
        key.last_used_at = Some(at(46));
        assert_eq!(take(&mut key, at(47)), [Reminder::Extended(at(60))], "the rest");
        key.last_used_at = Some(at(58));
        assert_eq!(take(&mut key, at(59)), [Reminder::Expiring], "no further");
        assert_eq!(take(&mut key, at(60)), [Reminder::Expired]);

        let mut unused = self::key(Some(24));
        unused.extend_until = Some(at(100));
        assert_eq!(take(&mut unused, at(23)), [Reminder::Expiring], "nobody uses it");
    }

    #[test]
    fn nobody_is_told_of_what_is_switched_off() {
        let mut key = key(Some(24 * 30));
        key.status = KeyStatus::Disabled;
        assert_eq!((next(&key), take(&mut key, at(24 * 40))), (None, vec![]));
    }
}
