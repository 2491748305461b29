//! A vendor's words, as they may be shown and logged.

/// Longest text, in characters.
const MAX: usize = 300;
/// A run of characters without a space that is longer is a token, a signature or a blob. Ids and Pipedrive's codes of fields (40) are shorter.
const LONG_WORD: usize = 48;
/// So much of a long word is shown, for people to recognise it.
const SHOWN: usize = 6;
/// After these words stands a credential.
const SCHEMES: &[&str] = &["bearer", "basic", "zoho-oauthtoken", "oauth"];
/// The value of a pair with such a name is one.
const NAMES: &[&str] = &["token", "secret", "password", "apikey", "api_key", "authorization", "sessionid"];

/// A vendor's text in one line of at most 300 characters, without control characters and without what looks like a credential.
pub fn bounded(text: &str) -> String {
    let mut out = String::new();
    let mut count: usize = 0;
    let mut follows_scheme = false;
    // Before the bound is applied, the text is cut coarsely: a megabyte of HTML is not looked through word by word.
    for word in text.chars().take(MAX * 8).collect::<String>().split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let shown = if std::mem::take(&mut follows_scheme) && word.len() > 8 { "[…]".to_owned() } else { without_secret(word) };
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        follows_scheme = SCHEMES.contains(&bare.as_str());
        let space = (!out.is_empty()).then_some(' ');
        for c in space.into_iter().chain(shown.chars()) {
            if count == MAX {
                out.push('…');
                return out;
            }
            out.push(c);
            count += 1;
        }
    }
    out
}

fn without_secret(word: &str) -> String {
    if let Some(at) = word.find(['=', ':']) {
        let (name, value) = word.split_at(at);
        let bare = name.to_lowercase();
        if value.len() > 8 && NAMES.iter().any(|secret| bare.ends_with(secret) || bare.trim_end_matches(['"', '\'']).ends_with(secret)) {
            return format!("{name}{}[…]", &value[..1]);
        }
    }
    if word.chars().count() > LONG_WORD {
        return word.chars().take(SHOWN).chain(['…']).collect();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_stays_a_message() {
        let text = "Validation failed: 0123456789abcdef0123456789abcdef01234567: invalid type, expected enum";
        assert_eq!(bounded(text), text);
        assert_eq!(bounded("two\r\n\tlines\u{0} here"), "two lines here");
        assert_eq!(bounded("basic error of the OAuth app"), "basic error of the OAuth app");
    }

    #[test]
    fn credentials_do_not_come_out() {
        for text in [
            "the header was Authorization: Bearer abc.def-12345",
            "invalid access_token=1000.aaaa1111.bbbb2222 given",
            "\"api_key\":\"sk_live_12345678\" is unknown",
            "session 00Dxx0000001gPL!AQ0AQDVXrVTzQ9Yb8vqUzHkq1P3xXyz0123456789abcdef is over",
            "Zoho-oauthtoken 1000.abc.defghi",
        ] {
            let shown = bounded(text);
            for secret in ["def-12345", "aaaa1111", "sk_live", "AQ0AQDVX", "defghi"] {
                assert!(!shown.contains(secret), "{shown}");
            }
            assert!(shown.contains('…'), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_bounded_and_in_one_line(text in "\\PC{0,2000}|[\\s\\S]{0,2000}") {
            let shown = bounded(&text);
            prop_assert!(shown.chars().count() <= MAX + 1);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
