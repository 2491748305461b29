//! The three-way merge of one field: what both sides have now, each against what it had when both agreed. Pure.
//!
//! Each side is judged against its own agreed value, in its own words: so neither a transform that loses something nor a vendor that writes
//! `+15550100` for `+1 555 0100` is taken for a change of the other side, and nothing goes back and forth.

use mappings::Policy;
use serde_json::Value;

/// Which way a pair of fields may go under the sync's own direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// To the vendor.
    pub to_remote: bool,
    /// To us.
    pub to_local: bool,
}

/// One field, as it is on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// Ours.
    pub local: &'a Value,
    /// The vendor's.
    pub remote: &'a Value,
    /// The vendor's, as we would store it; none where that is not known.
    pub remote_here: Option<&'a Value>,
    /// Ours, as the vendor would store it; none where that is not known.
    pub local_there: Option<&'a Value>,
    /// Ours when both agreed; none before that.
    pub agreed_local: Option<&'a Value>,
    /// The vendor's when both agreed; none before that.
    pub agreed_remote: Option<&'a Value>,
    /// The vendor's was changed after ours; none: unknown.
    pub remote_is_newer: Option<bool>,
}

/// What is to be done about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: neither side changed.
    Keep,
    /// Both say the same: it is agreed.
    Agree,
    /// The vendor's value comes here. `lost`: an edit of ours is given up for it, by policy.
    TakeRemote {
        /// Whether an edit of ours is given up.
        lost: bool,
    },
    /// Our value goes there. `lost`: an edit at the vendor is given up for it, by policy.
    PushLocal {
        /// Whether an edit at the vendor is given up.
        lost: bool,
    },
    /// Both changed, each to something else, and nobody may decide but a person.
    Conflict,
}

/// What follows from both sides' values.
pub fn judge(ways: Ways, policy: Policy, sides: &Sides<'_>) -> Verdict {
    let agreed = equal_now(sides);
    match (ways.to_remote, ways.to_local) {
        (false, false) => Verdict::Keep,
        (true, false) => one_way(sides.agreed_local, sides.local, agreed, Verdict::PushLocal { lost: false }),
        (false, true) => one_way(sides.agreed_remote, sides.remote, agreed, Verdict::TakeRemote { lost: false }),
        (true, true) => both_ways(policy, sides, agreed),
    }
}

/// Only one side is asked: the other follows.
fn one_way(before: Option<&Value>, now: &Value, agreed: bool, otherwise: Verdict) -> Verdict {
    match before {
        Some(before) if same(before, now) => Verdict::Keep,
        _ if agreed => Verdict::Agree,
        _ => otherwise,
    }
}

fn both_ways(policy: Policy, sides: &Sides<'_>, agreed: bool) -> Verdict {
    if sides.agreed_local.is_none() && sides.agreed_remote.is_none() {
        // They meet for the first time: what only one side has is no contradiction.
        return match (agreed, is_empty(sides.local), is_empty(sides.remote)) {
            (true, ..) => Verdict::Agree,
            (_, true, _) => Verdict::TakeRemote { lost: false },
            (_, _, true) => Verdict::PushLocal { lost: false },
            _ => by_policy(policy, sides),
        };
    }
    let changed = |before: Option<&Value>, now: &Value| before.is_none_or(|before| !same(before, now));
    match (changed(sides.agreed_local, sides.local), changed(sides.agreed_remote, sides.remote)) {
        (false, false) => Verdict::Keep,
        _ if agreed => Verdict::Agree,
        (true, false) => Verdict::PushLocal { lost: false },
        (false, true) => Verdict::TakeRemote { lost: false },
        (true, true) => by_policy(policy, sides),
    }
}

fn by_policy(policy: Policy, sides: &Sides<'_>) -> Verdict {
    match policy {
        Policy::Local => Verdict::PushLocal { lost: true },
        Policy::Remote => Verdict::TakeRemote { lost: true },
        Policy::Newest if sides.remote_is_newer == Some(true) => Verdict::TakeRemote { lost: true },
        Policy::Newest => Verdict::PushLocal { lost: true },
        Policy::Manual => Verdict::Conflict,
    }
}

/// Whether both sides say the same, in the words of either.
fn equal_now(sides: &Sides<'_>) -> bool {
    sides.remote_here.is_some_and(|value| same(value, sides.local)) || sides.local_there.is_some_and(|value| same(value, sides.remote))
}

/// Whether two values of one side are the same to people: vendors answer `"5"` for 5, and nothing for an empty text.
#[allow(clippy::cmp_owned, reason = "numbers have no borrowed spelling")]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        _ if a == b => true,
        _ if is_empty(a) && is_empty(b) => true,
        (Value::Number(x), Value::Number(y)) => x.as_f64() == y.as_f64(),
        (Value::String(text), Value::Number(_) | Value::Bool(_)) => *text == b.to_string(),
        (Value::Number(_) | Value::Bool(_), Value::String(text)) => *text == a.to_string(),
        _ => false,
    }
}

/// Whether a value says nothing.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const BOTH: Ways = Ways { to_remote: true, to_local: true };

    /// Identity between the sides: agreed (if any), local, remote.
    fn verdict(policy: Policy, agreed: Option<&Value>, local: &Value, remote: &Value) -> Verdict {
        judge(
            BOTH,
            policy,
            &Sides {
                local,
                remote,
                remote_here: Some(remote),
                local_there: None,
                agreed_local: agreed,
                agreed_remote: agreed,
                remote_is_newer: Some(true),
            },
        )
    }

    #[test]
    fn what_one_side_changed_goes_to_the_other() {
        let (a, b, c) = (json!("a"), json!("b"), json!("c"));
        for policy in [Policy::Local, Policy::Remote, Policy::Newest, Policy::Manual] {
            assert_eq!(verdict(policy, Some(&a), &a, &a), Verdict::Keep);
            assert_eq!(verdict(policy, Some(&a), &b, &a), Verdict::PushLocal { lost: false });
            assert_eq!(verdict(policy, Some(&a), &a, &b), Verdict::TakeRemote { lost: false });
            assert_eq!(verdict(policy, Some(&a), &b, &b), Verdict::Agree);
            assert_eq!(verdict(policy, None, &b, &b), Verdict::Agree);
            assert_eq!(verdict(policy, None, &b, &Value::Null), Verdict::PushLocal { lost: false });
            assert_eq!(verdict(policy, None, &json!(""), &b), Verdict::TakeRemote { lost: false });
        }
        assert_eq!(verdict(Policy::Local, Some(&a), &b, &c), Verdict::PushLocal { lost: true });
        assert_eq!(verdict(Policy::Remote, Some(&a), &b, &c), Verdict::TakeRemote { lost: true });
        assert_eq!(verdict(Policy::Newest, Some(&a), &b, &c), Verdict::TakeRemote { lost: true });
        assert_eq!(verdict(Policy::Manual, Some(&a), &b, &c), Verdict::Conflict);
        assert_eq!(verdict(Policy::Manual, None, &b, &c), Verdict::Conflict);
    }

    #[test]
    fn a_side_is_judged_in_its_own_words() {
        let (ours, theirs) = (json!("+1 555 0100"), json!("+15550100"));
        let sides = Sides {
            local: &ours,
            remote: &theirs,
            remote_here: Some(&theirs),
            local_there: None,
            agreed_local: Some(&ours),
            agreed_remote: Some(&theirs),
            remote_is_newer: None,
        };
        assert_eq!(judge(BOTH, Policy::Manual, &sides), Verdict::Keep, "the vendor's spelling is no change");
        let (five, text) = (json!(5), json!("5"));
        assert!(same(&five, &text) && same(&json!(true), &json!("true")) && same(&Value::Null, &json!("")));
        assert!(!same(&json!(5), &json!("05")) && !same(&json!("5"), &json!("05")) && !same(&json!(false), &Value::Null));
    }

    #[test]
    fn one_way_fields_never_go_back() {
        let (a, b, c) = (json!("a"), json!("b"), json!("c"));
        let sides = |agreed, local, remote| Sides {
            local,
            remote,
            remote_here: Some(remote),
            local_there: None,
            agreed_local: agreed,
            agreed_remote: agreed,
            remote_is_newer: None,
        };
        let out = Ways { to_remote: true, to_local: false };
        let back = Ways { to_remote: false, to_local: true };
        assert_eq!(judge(out, Policy::Manual, &sides(Some(&a), &a, &c)), Verdict::Keep);
        assert_eq!(judge(out, Policy::Manual, &sides(Some(&a), &b, &c)), Verdict::PushLocal { lost: false });
        assert_eq!(judge(back, Policy::Manual, &sides(Some(&a), &b, &a)), Verdict::Keep);
        assert_eq!(judge(back, Policy::Manual, &sides(Some(&a), &b, &c)), Verdict::TakeRemote { lost: false });
    }

    proptest! {
        /// Whatever three values there are: an edit is never passed over in silence, and carrying the verdict out ends it.
        #[test]
        fn no_edit_is_passed_over(a in 0u8..4, l in 0u8..4, r in 0u8..4, p in 0usize..4) {
            let policy = [Policy::Local, Policy::Remote, Policy::Newest, Policy::Manual][p];
            let (a, l, r) = (json!(a), json!(l), json!(r));
            let (settled, winner) = match verdict(policy, Some(&a), &l, &r) {
                Verdict::Keep => (l == a && r == a, a.clone()),
                Verdict::Agree => (l == r, l.clone()),
                Verdict::TakeRemote { lost } => (lost == (l != a), r.clone()),
                Verdict::PushLocal { lost } => (lost == (r != a), l.clone()),
                Verdict::Conflict => {
                    prop_assert!(l != a && r != a && l != r);
                    return Ok(());
                }
            };
            prop_assert!(settled);
            prop_assert_eq!(verdict(policy, Some(&winner), &winner, &winner), Verdict::Keep);
        }
    }
}
