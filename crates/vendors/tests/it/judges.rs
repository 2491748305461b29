//! The vendors' own clients, installed beside the build and never into the repository; and how a script of theirs is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::tools;

fn present(program: &str, judge: &str) -> bool {
    tools::present(program, &format!("the double by {judge}"))
}

fn run(command: &mut Command) -> String {
    String::from_utf8_lossy(&tools::run(command).stdout).into_owned()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name)
}

/// Runs a script that judges the double with packages of npm. Whether it could be run. Panics, with what it said, if it is not satisfied.
pub(crate) async fn judge_by_node(name: &'static str, packages: &'static [&'static str], given: Value) -> bool {
    if !present("node", packages[0]) || !present("npm", packages[0]) {
        return false;
    }
    let work = move || {
        let dir = tools::npm(&format!("vendors-{}", packages[0].replace(['/', '@'], "-")), packages);
        run(Command::new("node").arg(script(name)).arg(dir).arg(given.to_string()))
    };
    let said = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(said.trim(), "satisfied");
    true
}

/// The same with packages of PyPI.
pub(crate) async fn judge_by_python(name: &'static str, packages: &'static [&'static str], given: Value) -> bool {
    if !present("python3", packages[0]) {
        return false;
    }
    let work = move || {
        let python = tools::pip_all(&format!("vendors-{}", packages[0].replace("==", "-")), packages);
        run(Command::new(python).env("PYTHONDONTWRITEBYTECODE", "1").arg(script(name)).arg(given.to_string()))
    };
    let said = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(said.trim(), "satisfied");
    true
}
