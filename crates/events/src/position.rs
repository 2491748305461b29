//! A reader's place in a tenant's events.

use kernel::{Cursor, Error, EventId, Result, Timestamp};

/// What tells these cursors from those of lists. Filters are not part of it: a reader may change them and go on.
const BOUND: u32 = 0x00e7_e275;

/// Everything before it was read. On the wire it is a cursor, opaque like every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The group.
    pub(crate) seq: i64,
    /// How far in it.
    pub(crate) within: Within,
}

/// How far in a group. Its own events come first, then those that it announces again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Within {
    /// At its beginning.
    Start,
    /// After this event of its own.
    Event(Timestamp, EventId),
    /// After all of its own.
    Own,
    /// After this one that it announces again.
    Again(EventId),
}

impl PartialOrd for Position {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Position {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.seq, &self.within).cmp(&(other.seq, &other.within))
    }
}

impl Position {
    /// Before everything that is kept.
    pub(crate) const EARLIEST: Self = Self { seq: 0, within: Within::Start };

    /// Before the group `seq`.
    pub(crate) fn before(seq: i64) -> Self {
        Self { seq, within: Within::Start }
    }

    /// The text of the place inside the group.
    pub(crate) fn place(&self) -> String {
        match &self.within {
            Within::Start => String::new(),
            Within::Event(at, id) => format!("e.{}.{id}", at.millis()),
            Within::Own => "o".to_owned(),
            Within::Again(id) => format!("r.{id}"),
        }
    }

    /// The least id of an entry that may follow in the group: '' for its own events. (No id has a character below `-`.)
    pub(crate) fn least_entry(&self) -> String {
        match &self.within {
            Within::Start | Within::Event(..) => String::new(),
            Within::Own => "!".to_owned(),
            Within::Again(id) => format!("{id}!"),
        }
    }

    /// Reads what [`Position::place`] wrote. Error: 400 `malformed_cursor`.
    pub(crate) fn read(seq: i64, place: &str) -> Result<Self> {
        let fault = || Error::malformed("malformed_cursor", "Send the cursor exactly as the last answer gave it, or none.");
        let within = match place.split_once('.') {
            None if place.is_empty() => Within::Start,
            None if place == "o" => Within::Own,
            Some(("e", rest)) => {
                let (at, id) = rest.split_once('.').ok_or_else(fault)?;
                let at = at.parse().map_err(|_| fault())?;
                Within::Event(Timestamp::from_millis(at), id.parse().map_err(|_| fault())?)
            }
            Some(("r", id)) => Within::Again(id.parse().map_err(|_| fault())?),
            _ => return Err(fault()),
        };
        if seq < 0 { Err(fault()) } else { Ok(Self { seq, within }) }
    }

    /// As it goes over the wire.
    pub(crate) fn encode(&self) -> String {
        Cursor { key: self.seq, id: self.place() }.encode(BOUND)
    }

    /// Reads what [`Position::encode`] wrote. Errors: 400 `malformed_cursor`, 400 `invalid_cursor` for a list's cursor.
    pub(crate) fn decode(text: &str) -> Result<Self> {
        let cursor = Cursor::decode_for(text, BOUND)?;
        Self::read(cursor.key, &cursor.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_over_the_wire_and_back() {
        let id: EventId = "evt:1_x-y".parse().unwrap();
        let mut all = vec![
            Position::EARLIEST,
            Position::before(7),
            Position { seq: 7, within: Within::Event(Timestamp::from_millis(-5), id.clone()) },
            Position { seq: 7, within: Within::Event(Timestamp::from_millis(5), id.clone()) },
            Position { seq: 7, within: Within::Own },
            Position { seq: 7, within: Within::Again(id) },
            Position::before(8),
        ];
        for position in &all {
            assert_eq!(Position::decode(&position.encode()).unwrap(), *position);
        }
        let sorted = all.clone();
        all.reverse();
        all.sort();
        assert_eq!(all, sorted, "the order of reading");
    }

    #[test]
    fn refuses_other_cursors() {
        let of_a_list = Cursor { key: 5, id: "evt_1".into() };
        assert_eq!(Position::decode(&of_a_list.encode(1)).unwrap_err().code(), "invalid_cursor");
        let negative = Cursor { key: -1, id: String::new() }.encode(BOUND);
        let bad_event = Cursor { key: 1, id: "e.x.evt".into() }.encode(BOUND);
        for bad in ["", "x", &of_a_list.encode(BOUND), &negative, &bad_event] {
            assert_eq!(Position::decode(bad).unwrap_err().code(), "malformed_cursor", "{bad}");
        }
    }
}
