//! "Did you mean …?"

/// The candidate nearest to a mistyped name, if one is near enough: at most a third of its characters differ.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > 100 {
        return None;
    }
    let near = candidates.into_iter().filter(|candidate| candidate.len() <= 100).filter_map(|candidate| {
        let distance = if same_words(typed, candidate) { 0 } else { distance(&typed.to_lowercase(), &candidate.to_lowercase()) };
        (distance <= candidate.chars().count().max(3) / 3).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The same words in another order or with another separator: `read:leads` and `leads.read`.
fn same_words(a: &str, b: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
        words.sort();
        words
    };
    words(a) == words(b)
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swap = if swapped { rows[i - 2][j - 2] + 1 } else { usize::MAX };
                change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(swap)
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant_and_nothing_else() {
        let scopes = ["leads:read", "leads:write", "policies:read"];
        assert_eq!(nearest("lead:read", scopes), Some("leads:read"));
        assert_eq!(nearest("leads:raed", scopes), Some("leads:read"));
        assert_eq!(nearest("read:leads", scopes), Some("leads:read"));
        assert_eq!(nearest("LEADS:WRITE", scopes), Some("leads:write"));
        assert_eq!(nearest("billing", scopes), None);
        assert_eq!(nearest("", scopes), None);
        assert_eq!(nearest(&"x".repeat(100_000), scopes), None);
    }
}
