//! Ids of Salesforce: fifteen characters that tell upper from lower case, and three more for systems that do not.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// What follows the object's prefix: the instance.
const POD: &str = "5g";

/// The 18 characters of a row's id. The order of ids is that of the numbers.
pub(super) fn id(prefix: &str, number: u64) -> String {
    let mut digits = [b'0'; 10];
    let mut rest = number;
    for place in digits.iter_mut().rev() {
        *place = DIGITS[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    let short = format!("{prefix}{POD}{}", String::from_utf8_lossy(&digits));
    let suffix = checksum(&short);
    short + &suffix
}

/// Prefix and number of an id of 15 or 18 characters.
pub(super) fn parse(id: &str) -> Option<(&str, u64)> {
    let (short, suffix) = id.split_at_checked(15)?;
    if !short.is_ascii() || !(suffix.is_empty() || suffix.eq_ignore_ascii_case(&checksum(short))) {
        return None;
    }
    let digits = short[3..].strip_prefix(POD)?;
    let number = digits.bytes().try_fold(0u64, |number, digit| {
        let value = DIGITS.iter().position(|one| *one == digit)?;
        number.checked_mul(62)?.checked_add(value as u64)
    })?;
    Some((&short[..3], number))
}

/// Which of each five characters are upper case, as a digit of base 32.
fn checksum(short: &str) -> String {
    const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let upper = |chunk: &[u8]| chunk.iter().enumerate().filter(|(_, byte)| byte.is_ascii_uppercase()).map(|(at, _)| 1 << at).sum::<usize>();
    short.as_bytes().chunks(5).map(|chunk| char::from(SUFFIX[upper(chunk) & 31])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_is_salesforces() {
        assert_eq!(checksum("001D000000IqhSL"), "IAZ");
        assert_eq!(checksum("00Q00000000aaaa"), "EAA");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_in_either_length(number in 0u64..1 << 50) {
            let id = id("00Q", number);
            prop_assert_eq!(id.len(), 18);
            prop_assert_eq!(parse(&id), Some(("00Q", number)));
            prop_assert_eq!(parse(&id[..15]), Some(("00Q", number)));
        }

        #[test]
        fn any_text_is_an_id_or_is_not(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }
}
