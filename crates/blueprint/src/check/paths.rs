//! Paths: their syntax, and those that belong to the native API.

/// First segments at the root that the server itself answers.
const ROOTS: &[&str] = &["health", "metrics", "in", "oauth", ".well-known", "graphql", "mcp", "docs", "portal", "admin", "public"];

/// First segments below `/api/v1` that the native API answers, now or later.
const NATIVE: &[&str] = &[
    "tenants",
    "api-clients",
    "api-keys",
    "usage",
    "request-logs",
    "audit-log",
    "rate-limits",
    "scopes",
    "webhook-events",
    "event-types",
    "events",
    "webhooks",
    "deliveries",
    "undelivered",
    "sources",
    "jobs",
    "marketplace",
    "integrations",
    "oauth-connections",
    "oauth",
    "oauth-tokens",
    "sync-configs",
    "sync-runs",
    "conflicts",
    "mappings",
    "rest-endpoints",
    "x",
    "graphql-schema",
    "graphql",
    "records",
    "portal-sessions",
    "alerts",
];

/// Checks a path without placeholders: `/api/docs`.
pub(super) fn fixed(path: &str) -> Result<(), String> {
    let parameters = split(path)?.iter().filter(|segment| segment.starts_with('{')).count();
    if parameters > 0 { Err("must not have placeholders".to_owned()) } else { Ok(()) }
}

/// Checks a base path. It must not lie where the server answers itself.
pub(super) fn base(path: &str) -> Result<(), String> {
    fixed(path)?;
    let first = split(path)?[0];
    if ROOTS.contains(&first) {
        return Err(format!("/{first} belongs to the server itself"));
    }
    Ok(())
}

/// Checks a declared path below `base` and returns the name of its placeholder.
pub(super) fn declared<'a>(base: &str, path: &'a str) -> Result<Option<&'a str>, String> {
    let segments = split(path)?;
    let native = match base {
        "/api/v1" => segments.first().copied(),
        "/api" if segments[0] == "v1" => segments.get(1).copied(),
        _ => None,
    };
    if let Some(first) = native.filter(|first| NATIVE.contains(first)) {
        return Err(format!("/api/v1/{first} belongs to the native API"));
    }
    let mut names = segments.iter().filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let name = names.next();
    if names.next().is_some() { Err("has more than one placeholder".to_owned()) } else { Ok(name) }
}

/// The path with every placeholder's name removed: two paths of one shape answer the same requests.
pub(super) fn shape(path: &str) -> String {
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}

/// The segments of a path; a placeholder is a whole segment: `{leadId}`.
fn split(path: &str) -> Result<Vec<&str>, String> {
    if path.len() > 200 {
        return Err("is longer than 200 characters".to_owned());
    }
    let Some(rest) = path.strip_prefix('/') else { return Err("must begin with /".to_owned()) };
    let segments: Vec<&str> = rest.split('/').collect();
    for segment in &segments {
        if segment.is_empty() {
            return Err("must not end with / or contain //".to_owned());
        }
        let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
        let fits = name.map_or_else(|| segment.bytes().all(plain) && !matches!(*segment, "." | ".."), super::report::is_member);
        if !fits {
            return Err("a segment is letters, digits and - _ . ~, or a placeholder such as {id}".to_owned());
        }
    }
    Ok(segments)
}
