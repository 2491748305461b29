//! The rules of the code base that no compiler knows. Each rule is a file here, a pure function from the [`Tree`] to its findings.

mod fences;
pub(crate) mod files;
mod levels;
mod names;
mod sizes;
mod sleeps;
mod source;
mod sql;
mod words;

use anyhow::{Result, bail};

use source::Source;

/// What the rules look at.
#[derive(Default)]
pub(crate) struct Tree {
    /// Every text file that git knows or would add.
    pub(crate) texts: Vec<Text>,
    /// Every Rust file among them, parsed.
    pub(crate) sources: Vec<Source>,
    /// The workspace's packages.
    pub(crate) packages: Vec<Package>,
    /// Names of all packages that are built for some target with some features, ours or not.
    pub(crate) graph: Vec<String>,
}

/// A text file.
pub(crate) struct Text {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// A package of the workspace.
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its directory from the root, with `/`.
    pub(crate) dir: String,
    /// What it needs.
    pub(crate) dependencies: Vec<Dependency>,
}

/// An edge to another package, ours or not.
pub(crate) struct Dependency {
    /// The other's name.
    pub(crate) name: String,
    /// Only for tests.
    pub(crate) dev: bool,
    /// Only with some feature.
    pub(crate) optional: bool,
}

/// What a rule found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// File and line, or a package.
    pub(crate) place: String,
    /// What is wrong, and what would be right.
    pub(crate) text: String,
    /// It does not fail.
    pub(crate) advice: bool,
}

impl Finding {
    /// A failure.
    pub(crate) fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into(), advice: false }
    }

    /// `measured` against a soft and a hard limit.
    pub(crate) fn limit(place: impl Into<String>, what: &str, measured: usize, soft: usize, hard: usize) -> Option<Self> {
        let advice = measured <= hard;
        let limit = if advice { soft } else { hard };
        (measured > soft).then(|| Self { place: place.into(), text: format!("{what}: {measured} lines, {limit} are the limit"), advice })
    }
}

type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[(&str, Rule)] = &[
    ("levels", levels::check),
    ("fences", fences::check),
    ("sizes", sizes::check),
    ("names", names::check),
    ("words", words::check),
    ("sleeps", sleeps::check),
    ("sql", sql::check),
];

/// Applies every rule to the working tree.
pub(crate) fn run(show_advice: bool) -> Result<()> {
    let tree = files::read(&crate::shell::root())?;
    let (mut failures, mut advice) = (0, 0);
    for (name, rule) in RULES {
        let mut findings = rule(&tree);
        findings.sort();
        for finding in findings {
            *(if finding.advice { &mut advice } else { &mut failures }) += 1;
            if !finding.advice || show_advice {
                let kind = if finding.advice { "advice" } else { "failure" };
                println!("{kind} [{name}] {}: {}", finding.place, finding.text);
            }
        }
    }
    println!("tidy: {} files, {failures} failures, {advice} pieces of advice (--advice shows them)", tree.texts.len());
    if failures > 0 {
        bail!("the tree is not tidy");
    }
    Ok(())
}
