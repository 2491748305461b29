//! The way back of a transformer.

use super::{Named, Step};

/// What the way back of one step is.
enum Back {
    /// A step that undoes it.
    Step(Named),
    /// Nothing needs to be done: it only tidies, and what comes is tidy.
    Nothing,
    /// There is none.
    None,
}

/// The steps that undo these, in the other order. Tidying ones are left out; so are functions, of which nobody knows what undoes them (the
/// second part of the answer says whether there are any).
///
/// Errors: the name of a step that cannot be undone.
pub(crate) fn backwards(steps: &[Step]) -> Result<(Vec<Step>, bool), &'static str> {
    let mut back = Vec::new();
    let mut has_functions = false;
    for step in steps.iter().rev() {
        match step {
            Step::Script(_) => has_functions = true,
            Step::Named(named) => match named.back() {
                Back::Step(named) => back.push(Step::Named(named)),
                Back::Nothing => {}
                Back::None => return Err(named.name()),
            },
        }
    }
    Ok((back, has_functions))
}

impl Named {
    fn back(&self) -> Back {
        Back::Step(match self {
            Self::Trim | Self::Lower | Self::Upper | Self::Title | Self::Digits | Self::Truncate { .. } | Self::PhoneE164 { .. } => {
                return Back::Nothing;
            }
            Self::Replace { .. } | Self::Part { .. } | Self::Concat { .. } => return Back::None,
            Self::Prefix { text } => Self::StripPrefix { text: text.clone() },
            Self::StripPrefix { text } => Self::Prefix { text: text.clone() },
            Self::Suffix { text } => Self::StripSuffix { text: text.clone() },
            Self::StripSuffix { text } => Self::Suffix { text: text.clone() },
            Self::DateFormat { from, to, zone } => Self::DateFormat { from: to.clone(), to: from.clone(), zone: zone.clone() },
            Self::Split { separator } => Self::Join { separator: separator.clone() },
            Self::Join { separator } => Self::Split { separator: separator.clone() },
            Self::MinorUnits { digits } => Self::MajorUnits { digits: *digits },
            Self::MajorUnits { digits } => Self::MinorUnits { digits: *digits },
            Self::JsonText => Self::JsonValue,
            Self::JsonValue => Self::JsonText,
        })
    }
}
