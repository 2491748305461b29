//! The vendors' own clients, installed beside the build and never into the repository; and how a script of theirs is run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Whether a program answers. If not, says loudly what is not tested.
pub(crate) fn present(program: &str, what: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("\n!!! SKIPPED: {program} is not installed, so the double is NOT judged by {what}.\n");
    }
    found
}

/// Installs into a directory of its own, once: other processes wait, and an installation that broke off is begun anew.
fn once(name: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let base = option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from).join("test-tools");
    let dir = base.join(name);
    std::fs::create_dir_all(&base).unwrap();
    let lock = File::create(base.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let done = dir.join("installed");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        install(&dir);
        std::fs::write(done, "").unwrap();
    }
    dir
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    said
}

/// A directory whose `node_modules` has the packages, each `name@version`.
pub(crate) fn npm(name: &str, packages: &[&str]) -> PathBuf {
    once(name, |dir| {
        std::fs::write(dir.join("package.json"), r#"{"name": "test-tools", "private": true}"#).unwrap();
        let mut command = Command::new("npm");
        command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]).args(packages).current_dir(dir);
        run(&mut command);
    })
}

/// A virtual environment with the packages: its interpreter.
fn pip(name: &str, packages: &[&str]) -> PathBuf {
    let dir = once(name, |dir| {
        run(Command::new("python3").args(["-m", "venv"]).arg(dir.join("venv")));
        let mut command = Command::new(dir.join("venv/bin/python"));
        run(command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages));
    });
    dir.join("venv/bin/python")
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
        let dir = npm(&format!("vendors-{}", packages[0].replace(['/', '@'], "-")), packages);
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
        let python = pip(&format!("vendors-{}", packages[0].replace("==", "-")), packages);
        run(Command::new(python).env("PYTHONDONTWRITEBYTECODE", "1").arg(script(name)).arg(given.to_string()))
    };
    let said = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(said.trim(), "satisfied");
    true
}
