//! What other ecosystems provide, installed beside the build and never into the repository: packages of npm, `PyPI` and Packagist.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where tools are kept between runs: `tmp` in the target directory, whose `<profile>/deps` this test's program is in.
fn directory() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows where it is");
    let target = program.ancestors().nth(3).map_or_else(std::env::temp_dir, Path::to_owned);
    target.join("tmp/test-tools")
}

/// Whether a program answers. If not, says loudly what is not tested.
#[allow(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
pub fn present(program: &str, what: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("\n!!! SKIPPED: {program} is not installed, so {what} is NOT tested.\n");
    }
    found
}

/// Installs into a directory of its own, once: other processes wait, and an installation that broke off is begun anew.
fn once(name: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let (base, dir) = (directory(), directory().join(name));
    std::fs::create_dir_all(&base).expect("a test's own directory can be written");
    let lock = File::create(base.join(format!("{name}.lock"))).expect("a test's own directory can be written");
    lock.lock().expect("a test's own directory can be written");
    let done = dir.join("installed");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a test's own directory can be written");
        install(&dir);
        std::fs::write(done, "").expect("a test's own directory can be written");
    }
    dir
}

/// Runs a command to its end. Panics, with what it said, if it fails.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}"));
    let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, said());
    output
}

/// A directory whose `node_modules` has the packages, each `name@version`.
pub fn npm(name: &str, packages: &[&str]) -> PathBuf {
    once(name, |dir| {
        std::fs::write(dir.join("package.json"), r#"{"name": "test-tools", "private": true}"#)
            .expect("a test's own directory can be written");
        let mut command = Command::new("npm");
        command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]).args(packages).current_dir(dir);
        run(&mut command);
    })
}

/// A directory whose `vendor` has the package. None, said loudly, where Composer is not installed or its registry is out of reach.
#[allow(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]
pub fn composer(name: &str, package: &str, what: &str) -> Option<PathBuf> {
    if !present("composer", what) {
        return None;
    }
    let dir = once(name, |dir| {
        let mut command = Command::new("composer");
        command.args(["require", "--no-interaction", "--no-progress", "--quiet", package]).env("COMPOSER_HOME", dir).current_dir(dir);
        // Tried again by the next run: nothing is installed until there is a `vendor`.
        let _ = command.status();
    });
    if dir.join("vendor/autoload.php").exists() {
        return Some(dir);
    }
    let _ = std::fs::remove_file(dir.join("installed"));
    eprintln!("\n!!! SKIPPED: Composer cannot install {package} here, so {what} is NOT tested.\n");
    None
}

/// A virtual environment with the package: its interpreter.
pub fn pip(name: &str, package: &str) -> PathBuf {
    pip_all(name, &[package])
}

/// The same with several.
pub fn pip_all(name: &str, packages: &[&str]) -> PathBuf {
    let dir = once(name, |dir| {
        run(Command::new("python3").args(["-m", "venv"]).arg(dir.join("venv")));
        run(Command::new(dir.join("venv/bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(packages));
    });
    dir.join("venv/bin/python")
}
