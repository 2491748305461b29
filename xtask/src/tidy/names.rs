//! Names that say nothing are not names: for crates, folders, files and modules.

use super::{Finding, Tree};

const BANNED: &[&str] =
    &["core", "common", "base", "utils", "util", "helpers", "helper", "misc", "types", "models", "manager", "service", "handlers"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let banned = |name: &str| BANNED.contains(&name);
    let mut found = Vec::new();
    for package in tree.packages.iter().filter(|package| banned(&package.name)) {
        found.push(Finding::new(&package.name, "names nothing: call the crate after what it knows"));
    }
    for source in &tree.sources {
        if let Some(part) = source.path.split('/').map(|part| part.trim_end_matches(".rs")).find(|part| banned(part)) {
            found.push(Finding::new(&source.path, format!("`{part}` names nothing: call it after what is in it")));
        }
        for (line, name) in source.modules.iter().filter(|(_, name)| banned(name)) {
            found.push(Finding::new(format!("{}:{line}", source.path), format!("module `{name}` names nothing")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{Package, Source};

    fn found(path: &str, text: &str) -> usize {
        check(&Tree { sources: vec![Source::parse(path, text).unwrap()], ..Tree::default() }).len()
    }

    #[test]
    fn files_folders_modules_and_crates_have_names_that_say_something() {
        assert_eq!(found("crates/access/src/service_keys/sql.rs", "mod create {}"), 0);
        assert_eq!(found("crates/access/src/utils.rs", ""), 1);
        assert_eq!(found("crates/access/src/handlers/create.rs", ""), 1);
        assert_eq!(found("crates/access/src/lib.rs", "mod types { }"), 1);
        let package = Package { name: "common".into(), dir: String::new(), dependencies: Vec::new() };
        assert_eq!(check(&Tree { packages: vec![package], ..Tree::default() }).len(), 1);
    }
}
