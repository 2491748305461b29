//! A heavy dependency has one home; some have none.

use super::{Finding, Tree};

/// Dependency and the crates that may use it. Crates for development are exempt, and so are dependencies for tests.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("postgres", &["store"]),
    ("tokio-postgres", &["store"]),
    ("tokio-postgres-rustls", &["store"]),
    ("x509-cert", &["web", "listener"]),
    ("redis", &["gate", "channels"]),
    ("lapin", &["channels"]),
    ("async-rs", &["channels"]),
    ("aws-sigv4", &["channels"]),
    ("aws-credential-types", &["channels"]),
    ("croner", &["store"]),
    ("hyper-rustls", &["web"]),
    ("lettre", &["web"]),
    ("webpki-roots", &["web"]),
    // For NATS keys, which sign a nonce; for the signatures of vendors (ECDSA, and HMAC over SHA-1); and for those of passkeys.
    ("aws-lc-rs", &["web", "channels", "sources", "people"]),
    ("hyper", &["web", "listener"]),
    ("hyper-util", &["web", "listener"]),
    ("jsonschema", &["blueprint"]),
    ("rquickjs", &["script"]),
    ("jsonwebtoken", &["access"]),
    ("argon2", &["people"]),
    ("coset", &["people"]),
    ("totp-rs", &["people"]),
    ("zxcvbn", &["people"]),
    ("async-graphql", &["graphql"]),
    ("async-graphql-value", &["graphql"]),
    ("rmcp", &["mcp"]),
    ("askama", &["portal"]),
    ("qrcode", &["portal"]),
    ("tower-http", &["portal"]),
    ("clap", &["tradewind"]),
    ("mimalloc", &["tradewind"]),
    ("metrics-exporter-prometheus", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("opentelemetry-otlp", &["telemetry"]),
    ("opentelemetry-http", &["telemetry"]),
    ("opentelemetry-appender-tracing", &["telemetry"]),
    ("tracing-subscriber", &["tradewind"]),
    ("anyhow", &["assembly", "tradewind"]),
];

/// Crates that run tests and measurements, or stand in for vendors.
const EXEMPT: &[&str] = &["testkit", "vendors", "demo", "bench", "xtask"];

/// Packages that nothing we build may need, however indirectly; deny.toml says why. (The lock file may name them: it also lists what no
/// enabled feature asks for.)
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "ring", "reqwest", "sqlx"];

/// How the lock file writes the only source of packages, the default registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in tree.packages.iter().filter(|package| !EXEMPT.contains(&package.name.as_str())) {
        for edge in package.dependencies.iter().filter(|edge| !edge.dev) {
            if let Some((_, homes)) = HOMES.iter().find(|(name, homes)| *name == edge.name && !homes.contains(&package.name.as_str())) {
                found
                    .push(Finding::new(&package.name, format!("must not depend on `{}`: its home is `{}`", edge.name, homes.join("`, `"))));
            }
        }
    }
    let banned = tree.graph.iter().filter(|name| BANNED.contains(&name.as_str()));
    found.extend(
        banned.map(|name| Finding::new("Cargo.lock", format!("`{name}` is banned (deny.toml says why): cargo tree --workspace -i {name}"))),
    );
    if let Some(lock) = tree.texts.iter().find(|text| text.path == "Cargo.lock") {
        found.extend(check_lock(&lock.text));
    }
    found
}

fn check_lock(text: &str) -> Vec<Finding> {
    let sources = text.lines().filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'));
    let foreign = sources.filter(|source| !source.starts_with(REGISTRY));
    foreign.map(|source| Finding::new("Cargo.lock", format!("packages come from the default registry only, not from {source}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{Dependency, Package};

    fn found(name: &str, edge: &str, dev: bool) -> usize {
        let edge = Dependency { name: edge.into(), dev, optional: false };
        let package = Package { name: name.into(), dir: String::new(), dependencies: vec![edge] };
        check(&Tree { packages: vec![package], ..Tree::default() }).len()
    }

    #[test]
    fn a_dependency_is_used_at_home_and_in_tests_only() {
        assert_eq!((found("store", "rusqlite", false), found("access", "rusqlite", true), found("testkit", "postgres", false)), (0, 0, 0));
        assert_eq!((found("access", "rusqlite", false), found("webhooks", "hyper-util", false)), (1, 1));
    }

    #[test]
    fn banned_packages_are_nowhere_in_the_graph() {
        let graph = |name: &str| Tree { graph: vec!["serde".into(), name.into()], ..Tree::default() };
        assert_eq!((check(&graph("ring-buffer")).len(), check(&graph("ring")).len()), (0, 1));
    }

    #[test]
    fn the_lock_file_has_one_source() {
        assert_eq!(check_lock(&format!("name = \"ring\"\nsource = \"{REGISTRY}\"\n")), []);
        assert_eq!(check_lock("source = \"git+https://example.org/x\"").len(), 1);
    }
}
