//! The numbers of HubSpot's own associations.

/// From, to, number, number of the primary one (0 if there is none).
const KNOWN: &[(&str, &str, u32, u32)] = &[
    ("contacts", "contacts", 449, 0),
    ("contacts", "companies", 279, 1),
    ("contacts", "deals", 4, 0),
    ("contacts", "tickets", 15, 0),
    ("companies", "contacts", 280, 2),
    ("companies", "deals", 342, 6),
    ("companies", "tickets", 340, 25),
    ("deals", "contacts", 3, 0),
    ("deals", "companies", 341, 5),
    ("deals", "tickets", 27, 0),
    ("tickets", "contacts", 16, 0),
    ("tickets", "companies", 339, 26),
    ("tickets", "deals", 28, 0),
    ("leads", "contacts", 608, 578),
    ("leads", "companies", 610, 0),
    ("contacts", "leads", 607, 579),
    ("companies", "leads", 609, 0),
];

/// The number of the plain association between two types.
pub(super) fn plain(from: &str, to: &str) -> u32 {
    KNOWN.iter().find(|(one, other, ..)| *one == from && *other == to).map_or(1, |known| known.2)
}

/// The number of the same association seen from the other side.
pub(super) fn inverse(from: &str, to: &str, label: u32) -> u32 {
    let own = KNOWN.iter().find(|(one, other, ..)| *one == from && *other == to);
    let is_primary = own.is_some_and(|known| known.3 == label && label != 0);
    KNOWN.iter().find(|(one, other, ..)| *one == to && *other == from).map_or(1, |known| if is_primary { known.3 } else { known.2 })
}

/// Whether it is the primary one.
pub(super) fn is_primary(from: &str, to: &str, label: u32) -> bool {
    KNOWN.iter().any(|known| (known.0, known.1, known.3) == (from, to, label))
}
