//! A crate depends only on crates of a lower level: the table in ARCHITECTURE.md against what cargo says.

use std::collections::BTreeMap;

use super::{Finding, Package, Tree};

const MAP: &str = "ARCHITECTURE.md";

/// Normal edges from the product to a crate that exists for tests and demonstrations. Only under a feature.
const DEV_EDGES: &[(&str, &str)] = &[("tradewind", "demo")];

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Number(u32),
    Dev,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.texts.iter().find(|text| text.path == MAP) else {
        return vec![Finding::new(MAP, "is missing; it holds the level table")];
    };
    match read_table(&map.text) {
        Ok(levels) => tree.packages.iter().flat_map(|package| check_package(package, &levels)).collect(),
        Err(why) => vec![Finding::new(MAP, why)],
    }
}

fn check_package(package: &Package, levels: &BTreeMap<String, Level>) -> Vec<Finding> {
    let Some(own) = levels.get(&package.name) else {
        return vec![Finding::new(&package.name, format!("has no row in the level table of {MAP}"))];
    };
    let edges = package.dependencies.iter().filter(|edge| !edge.dev);
    let wrong = edges.filter_map(|edge| {
        let why = match (own, levels.get(&edge.name)?) {
            (Level::Dev, _) => return None,
            (Level::Number(own), Level::Number(other)) if own > other => return None,
            (Level::Number(own), Level::Number(other)) => {
                format!("is on level {own} and must not depend on `{}` on level {other}", edge.name)
            }
            (Level::Number(_), Level::Dev) if edge.optional && DEV_EDGES.contains(&(&package.name, &edge.name)) => return None,
            (Level::Number(_), Level::Dev) => format!("must not depend on `{}`, which is for development", edge.name),
        };
        Some(Finding::new(&package.name, why))
    });
    wrong.collect()
}

/// The first table whose header has the columns `level` and `crate`; a row may name several crates in backticks.
fn read_table(text: &str) -> Result<BTreeMap<String, Level>, String> {
    let mut levels = BTreeMap::new();
    let mut columns = None;
    for line in text.lines().map(str::trim) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let is_row = line.starts_with('|');
        match columns {
            None if is_row => {
                let column = |name: &str| cells.iter().position(|cell| cell.eq_ignore_ascii_case(name));
                columns = column("level").zip(column("crate"));
            }
            Some((level, names)) if is_row => {
                let (Some(level), Some(names)) = (cells.get(level), cells.get(names)) else { continue };
                let Some(level) = parse_level(level) else { continue };
                for name in names.split('`').skip(1).step_by(2) {
                    if levels.insert(name.to_owned(), level).is_some_and(|before| before != level) {
                        return Err(format!("`{name}` stands on two levels"));
                    }
                }
            }
            Some(_) => break,
            None => {}
        }
    }
    if levels.is_empty() {
        return Err("has no table with the columns `level` and `crate`".into());
    }
    Ok(levels)
}

/// `None` for the line under the header.
fn parse_level(cell: &str) -> Option<Level> {
    if cell == "dev" { Some(Level::Dev) } else { cell.parse().ok().map(Level::Number) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{Dependency, Text};

    const TABLE: &str = "# Map\n| a | b |\n|---|---|\n| 1 | `no` |\n\n| level | crate | sentence |\n|---|---|---|\n| 0 | `kernel` | x `y` |\n\
        | 1 | `store`, `web` | z |\n| 7 | `tradewind` | |\n| dev | `demo`, `vendors` | |\n\n| 9 | `late` |";

    fn found(name: &str, edges: &[(&str, bool, bool)]) -> Vec<Finding> {
        let edge = |&(name, dev, optional): &(&str, bool, bool)| Dependency { name: name.into(), dev, optional };
        let package = Package { name: name.into(), dir: String::new(), dependencies: edges.iter().map(edge).collect() };
        let text = Text { path: MAP.into(), text: TABLE.into() };
        check(&Tree { texts: vec![text], packages: vec![package], ..Tree::default() })
    }

    #[test]
    fn down_is_fine_and_so_is_anything_for_tests() {
        assert_eq!(found("store", &[("kernel", false, false), ("serde", false, false), ("tradewind", true, false)]), []);
        assert_eq!(found("vendors", &[("tradewind", false, false)]), []);
    }

    #[test]
    fn sideways_up_and_unknown_are_not() {
        assert_eq!(found("store", &[("web", false, false)])[0].text, "is on level 1 and must not depend on `web` on level 1");
        assert_eq!(found("kernel", &[("tradewind", false, true)]).len(), 1);
        assert!(found("late", &[])[0].text.contains("no row"));
        assert!(found("y", &[])[0].text.contains("no row"), "only the crate column counts");
    }

    #[test]
    fn the_product_needs_development_crates_only_under_a_feature() {
        assert_eq!(found("tradewind", &[("demo", false, true)]), []);
        assert_eq!(found("tradewind", &[("demo", false, false)]).len(), 1);
        assert_eq!(found("store", &[("demo", false, true)]).len(), 1);
        assert_eq!(found("tradewind", &[("vendors", false, true)]).len(), 1);
    }

    #[test]
    fn a_missing_map_or_table_is_a_failure() {
        assert_eq!(check(&Tree::default()).len(), 1);
        assert!(read_table("| level |\n|---|\n| 1 |").is_err());
    }
}
