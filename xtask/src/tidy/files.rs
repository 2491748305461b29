//! Reading the tree.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Dependency, Package, Source, Text, Tree};
use crate::shell;

/// Paths of the files that git tracks or would add, from the root.
pub(crate) fn listed(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let output = git.output().context("git ls-files")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    }
    let names = String::from_utf8(output.stdout).context("file names are UTF-8")?;
    // A file that is deleted but not yet committed is still listed.
    let mut paths: Vec<PathBuf> = names.split_terminator('\0').map(PathBuf::from).filter(|path| root.join(path).is_file()).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// Everything the rules look at.
pub(super) fn read(root: &Path) -> Result<Tree> {
    let mut tree = Tree { packages: packages(root)?, graph: graph()?, ..Tree::default() };
    for path in listed(root)? {
        let bytes = std::fs::read(root.join(&path)).with_context(|| path.display().to_string())?;
        // What is not UTF-8 is no text: test data.
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let path = path.to_string_lossy().into_owned();
        if Path::new(&path).extension().is_some_and(|end| end == "rs") {
            tree.sources.push(Source::parse(&path, &text)?);
        }
        tree.texts.push(Text { path, text });
    }
    Ok(tree)
}

fn packages(root: &Path) -> Result<Vec<Package>> {
    let package = |package: &cargo_metadata::Package| {
        let dir = package.manifest_path.parent().context("a manifest is in a directory")?;
        let dir = dir.strip_prefix(root).context("a member is inside the workspace")?;
        let dependencies = package.dependencies.iter().map(|dependency| Dependency {
            name: dependency.name.clone(),
            dev: dependency.kind == cargo_metadata::DependencyKind::Development,
            optional: dependency.optional,
        });
        Ok(Package { name: package.name.to_string(), dir: dir.to_string(), dependencies: dependencies.collect() })
    };
    shell::metadata()?.packages.iter().map(package).collect()
}

fn graph() -> Result<Vec<String>> {
    let arguments = ["tree", "--quiet", "--workspace", "--all-features", "--target", "all", "--prefix", "none", "--format", "{p}"];
    let output = shell::cargo(&arguments).output().context("cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout).context("package names are UTF-8")?;
    let mut names: Vec<String> = text.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect();
    names.sort();
    names.dedup();
    Ok(names)
}
