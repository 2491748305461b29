//! Relative links in Markdown files lead somewhere, and their `#anchors` are headings there.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, bail};

use crate::tidy::files;

/// Checks every Markdown file of the repository.
pub(crate) fn run() -> Result<()> {
    let root = crate::shell::root();
    let mut texts = HashMap::new();
    let mut existing = Vec::new();
    for path in files::listed(&root)? {
        if path.extension().is_some_and(|end| end == "md") {
            texts.insert(path.clone(), std::fs::read_to_string(root.join(&path))?);
        }
        existing.push(path);
    }
    let mut dead: Vec<String> = texts.keys().flat_map(|path| dead_links(path, &texts, &existing)).collect();
    dead.sort();
    if !dead.is_empty() {
        bail!("links that lead nowhere:\n{}", dead.join("\n"));
    }
    println!("links of {} Markdown files lead somewhere", texts.len());
    Ok(())
}

fn dead_links(path: &Path, texts: &HashMap<PathBuf, String>, existing: &[PathBuf]) -> Vec<String> {
    let mut dead = Vec::new();
    for (line, target) in links(&texts[path]) {
        let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, anchor)| (file, Some(anchor)));
        let file = if file.is_empty() { path.to_owned() } else { resolve(path, file) };
        let exists = existing.iter().any(|known| known == &file || known.starts_with(&file));
        let anchored = match (anchor, texts.get(&file)) {
            (Some(anchor), Some(text)) => anchors(text).iter().any(|known| known == anchor),
            _ => true,
        };
        if !exists || !anchored {
            dead.push(format!("{}:{line}: {target}", path.display()));
        }
    }
    dead
}

/// `target` as seen from the file `from`, without `.` and `..`.
fn resolve(from: &Path, target: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

/// The lines of `text` outside fenced code, with inline code blanked.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        let open: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        (!fenced).then_some((index + 1, open))
    })
}

/// Line and target of every inline link that is relative.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for rest in line.split("](").skip(1) {
            let Some((target, _)) = rest.split_once(')') else { continue };
            let target = target.split_whitespace().next().unwrap_or_default();
            let absolute = target.contains("://") || target.starts_with("mailto:") || target.starts_with('/');
            if !absolute && !target.is_empty() {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The anchors that renderers give to the headings.
fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let headings = text.lines().filter(|line| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced && line.starts_with('#')
    });
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>().replace(' ', "-")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(text: &str) -> Vec<String> {
        let texts = HashMap::from([
            (PathBuf::from("docs/a.md"), text.to_owned()),
            (PathBuf::from("README.md"), "# What it is\n## `serve`, and more".to_owned()),
        ]);
        let existing = ["docs/a.md", "README.md", "crates/kernel/src/lib.rs"].map(PathBuf::from);
        dead_links(Path::new("docs/a.md"), &texts, &existing)
    }

    #[test]
    fn links_to_files_folders_and_headings_are_fine() {
        assert!(
            dead("[a](../README.md) [b](../README.md#what-it-is) [c](../crates/kernel) [d](https://x.y/z) [e](#here)\n# Here").is_empty()
        );
        assert!(dead("[a](../README.md#serve-and-more)").is_empty());
    }

    #[test]
    fn dead_ones_are_named_with_their_line() {
        assert_eq!(dead("\n[a](gone.md)"), ["docs/a.md:2: gone.md"]);
        assert_eq!(dead("[a](../README.md#gone)"), ["docs/a.md:1: ../README.md#gone"]);
    }

    #[test]
    fn code_is_not_prose() {
        assert!(dead("`[a](gone.md)`\n```\n[b](gone.md)\n```\n").is_empty());
    }
}
