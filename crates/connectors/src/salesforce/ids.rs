//! Ids: fifteen characters that tell upper from lower case, and three more that say which are upper, for systems that do not. We keep the
//! long form, in the one spelling that the last three say.

/// Digits of what follows the fifteen: five bits each, one for each character that is upper case.
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The long form of an id of either length. A long one whose letters have lost their case gets it back. `None`: it is no id.
pub(super) fn full(id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    match id.len() {
        15 => Some(with_suffix(id.to_owned())),
        18 => spelled(id),
        _ => None,
    }
}

fn with_suffix(mut short: String) -> String {
    let bits = |chunk: &[u8]| chunk.iter().enumerate().fold(0, |bits, (at, byte)| bits | usize::from(byte.is_ascii_uppercase()) << at);
    let suffix: Vec<_> = short.as_bytes().chunks(5).map(|chunk| char::from(SUFFIX[bits(chunk)])).collect();
    short.extend(suffix);
    short
}

/// The case of each letter is in the last three: what does not fit it (an upper digit) is no id.
fn spelled(id: &str) -> Option<String> {
    let (short, suffix) = id.split_at(15);
    let mut out = String::with_capacity(18);
    for (chunk, mark) in short.as_bytes().chunks(5).zip(suffix.bytes()) {
        let bits = SUFFIX.iter().position(|digit| *digit == mark.to_ascii_uppercase())?;
        for (at, byte) in chunk.iter().enumerate() {
            let is_upper = bits >> at & 1 == 1;
            if is_upper && !byte.is_ascii_alphabetic() {
                return None;
            }
            out.push(char::from(if is_upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }));
        }
    }
    Some(with_suffix(out))
}

/// The long form of the first id in a message: `… on record with id: 00Q5g00000000b1`.
pub(super) fn mentioned(message: &str) -> Option<String> {
    let words = message.split(|c: char| !c.is_ascii_alphanumeric());
    // An id begins with its object's three characters, of which the first is a digit or a small letter for all that there are.
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == 'a')).find_map(full)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_lengths_come_to_one_form() {
        for id in ["001D000000IqhSL", "001D000000IqhSLIAZ", "001d000000iqhsliaz", "001D000000IQHSLIAZ"] {
            assert_eq!(full(id).as_deref(), Some("001D000000IqhSLIAZ"), "{id}");
        }
        for id in ["", "001D000000IqhS", "001D000000IqhSLIAZ1", "001D000000Iqh-L", "001D000000IqhSL9AZ", "111111111111111B99"] {
            assert_eq!(full(id), None, "{id}");
        }
        // An upper digit is no id.
        assert_eq!(full("001D000000IqhSLBAZ"), None);
    }

    #[test]
    fn an_id_is_found_in_a_message() {
        let message = "duplicate value found: External_Id__c duplicates value on record with id: 001D000000IqhSL";
        assert_eq!(mentioned(message).as_deref(), Some("001D000000IqhSLIAZ"));
        assert_eq!(mentioned("entity is deleted"), None);
    }

    proptest! {
        #[test]
        fn the_long_form_survives_the_loss_of_case(short in "[0-9a-zA-Z]{15}") {
            let long = full(&short).unwrap();
            prop_assert!(long.starts_with(&short));
            prop_assert_eq!(full(&long.to_lowercase()), Some(long.clone()));
            prop_assert_eq!(full(&long.to_uppercase()), Some(long.clone()));
            prop_assert_eq!(full(&long), Some(long));
        }

        #[test]
        fn any_text_is_an_id_or_is_not(text in "\\PC{0,20}") {
            let _ = full(&text);
            let _ = mentioned(&text);
        }
    }
}
