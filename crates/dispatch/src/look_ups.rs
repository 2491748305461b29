//! Looking many things up by one statement.

use store::Value;

/// Entries per list. A list is filled up by repeating its last entry, so that few statements are prepared.
const SIZES: [usize; 4] = [1, 8, 64, 512];

/// `(?3, ?4, …)` for `values`, numbered after the parameters in `before`, with all parameters: in as many pieces as it takes.
pub(crate) fn lists(before: &[Value], values: impl IntoIterator<Item = Value>) -> Vec<(String, Vec<Value>)> {
    let values: Vec<Value> = values.into_iter().collect();
    let mut out = Vec::new();
    let mut rest = &values[..];
    while let Some(filler) = rest.last() {
        let size = SIZES.into_iter().find(|size| *size >= rest.len()).unwrap_or(SIZES[SIZES.len() - 1]);
        let (now, later) = rest.split_at(rest.len().min(size));
        let mut params = before.to_vec();
        params.extend_from_slice(now);
        params.resize(before.len() + size, filler.clone());
        let places: Vec<String> = (before.len() + 1..=before.len() + size).map(|n| format!("?{n}")).collect();
        out.push((format!("({})", places.join(", ")), params));
        rest = later;
    }
    out
}
