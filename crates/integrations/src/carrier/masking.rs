//! Taking secrets out of what people are shown.

/// What stands in place of a secret.
const MASK: &str = "•••";
/// Shorter texts are no secrets: masking them would make the rest unreadable.
const SHORTEST: usize = 4;

/// The text without these secrets, and without values of JSON members and form fields whose names say that they are secret.
pub(crate) fn mask<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut masked = text.to_owned();
    for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
        masked = masked.replace(secret, MASK);
    }
    match serde_json::from_str::<serde_json::Value>(&masked) {
        Ok(mut value) if value.is_object() || value.is_array() => {
            members(&mut value);
            value.to_string()
        }
        _ => masked,
    }
}

fn members(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            for (name, member) in object {
                if is_secret(name) && !member.is_null() { *member = MASK.into() } else { members(member) }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(members),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    const WORDS: [&str; 6] = ["secret", "password", "accesstoken", "refreshtoken", "apikey", "authorization"];
    name == "token" || WORDS.iter().any(|word| name.ends_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        assert_eq!(mask("who is s3cret-key?", ["s3cret-key", "who"]), "who is •••?");
        let json = r#"{"user":"ada","access_token":"x","nested":[{"clientSecret":1}],"echo":"Bearer t0k3n","tokens":3}"#;
        let masked: serde_json::Value = serde_json::from_str(&mask(json, ["t0k3n"])).unwrap();
        let expected = serde_json::json!({"user": "ada", "access_token": "•••", "nested": [{"clientSecret": "•••"}], "echo": "Bearer •••", "tokens": 3});
        assert_eq!(masked, expected);
    }
}
