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

/// Checks a declared path below `base` and returns the names of its placeholders, each once.
pub(super) fn placeholders<'a>(base: &str, path: &'a str) -> Result<Vec<&'a str>, String> {
    let segments = split(path)?;
    foreign(base, &segments)?;
    names(&segments)
}

/// Checks an upstream's endpoint below `base`, which may have several placeholders and end with `*rest`; returns their names, the last as `*rest`.
pub(super) fn upstream<'a>(base: &str, path: &'a str) -> Result<Vec<&'a str>, String> {
    let segments = parts(path, true)?;
    foreign(base, &segments)?;
    let under_native = matches!(base, "/api/v1" | "/api") && segments[0].starts_with(['*', '{']);
    if under_native || base == "/api" && segments[0] == "v1" && segments.get(1).is_some_and(|second| second.starts_with(['*', '{'])) {
        return Err("would take the native API's paths: begin with a word of your own, or choose another style.base_path".to_owned());
    }
    names(&segments)
}

/// Checks the path that an upstream is asked for, and returns the names that it uses. `/` is one too.
pub(super) fn template(path: &str) -> Result<Vec<&str>, String> {
    if path == "/" { Ok(Vec::new()) } else { names(&parts(path, true)?) }
}

/// Placeholders by their names, the rest with its star; each once.
fn names<'a>(segments: &[&'a str]) -> Result<Vec<&'a str>, String> {
    let mut names = Vec::new();
    for segment in segments {
        let name =
            segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')).or_else(|| segment.starts_with('*').then_some(*segment));
        if let Some(name) = name {
            if names.contains(&name) {
                return Err(format!("has the placeholder {name} twice"));
            }
            names.push(name);
        }
    }
    Ok(names)
}

/// Refuses what the native API answers.
fn foreign(base: &str, segments: &[&str]) -> Result<(), String> {
    let native = match base {
        "/api/v1" => segments.first().copied(),
        "/api" if segments[0] == "v1" => segments.get(1).copied(),
        _ => None,
    };
    match native.filter(|first| NATIVE.contains(first)) {
        Some(first) => Err(format!("/api/v1/{first} belongs to the native API")),
        None => Ok(()),
    }
}

/// The path with every placeholder's name removed: two paths of one shape answer the same requests.
pub(super) fn shape(path: &str) -> String {
    let blank = |segment: &str| match segment.bytes().next() {
        Some(b'{') => "{}".to_owned(),
        Some(b'*') => "*".to_owned(),
        _ => segment.to_owned(),
    };
    path.split('/').map(blank).collect::<Vec<_>>().join("/")
}

/// The segments of a path; a placeholder is a whole segment: `{leadId}`.
fn split(path: &str) -> Result<Vec<&str>, String> {
    parts(path, false)
}

/// The same; if `wild`, the last may be `*rest`.
fn parts(path: &str, wild: bool) -> Result<Vec<&str>, String> {
    if path.len() > 200 {
        return Err("is longer than 200 characters".to_owned());
    }
    let Some(rest) = path.strip_prefix('/') else { return Err("must begin with /".to_owned()) };
    let segments: Vec<&str> = rest.split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        if let Some(name) = segment.strip_prefix('*').filter(|_| wild) {
            if at + 1 != segments.len() || !super::report::is_member(name) {
                return Err("a star stands once, at the end, with a name: /orders/*rest".to_owned());
            }
            continue;
        }
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
