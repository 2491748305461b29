//! Any text as an API key: read or refused, never a panic; what is read is made of the text's own parts, and a bent key is refused.

#![no_main]

use access::keys::token::{self, MAX_LEN};
use libfuzzer_sys::fuzz_target;

/// A key of a server that is long gone, which the fuzzer bends: it cannot guess a checksum.
const REAL: &str = "tws_live_VizXdV1MbcHE_HBYO4nEXxZnTIGe6RkzZCXYFCQ1Nb0DOy2QbjdikFAe0hOJLs";

fn check(text: &str) {
    let Ok(read) = token::parse(text) else { return };
    assert!(text.len() <= MAX_LEN && read.text == text);
    assert!(text.starts_with(&format!("{}_{}_{}_", read.prefix, read.label.as_str(), read.key_id)));
    assert!(read.number() < 1 << 72);
    assert!(!format!("{read:?}").contains(&text[text.len() - 20..]), "a key's secret must not be printed");
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(text);
    }
    let mut bent = REAL.as_bytes().to_vec();
    for pair in bytes.chunks_exact(2) {
        let at = usize::from(pair[0]) % bent.len();
        bent[at] = pair[1];
    }
    if let Ok(bent) = std::str::from_utf8(&bent) {
        check(bent);
        // CRC-32 finds every change of up to 32 neighbouring bits; with one or two characters changed there is no second key.
        if bytes.len() <= 4 {
            assert_eq!(token::parse(bent).is_ok(), bent == REAL);
        }
    }
});
