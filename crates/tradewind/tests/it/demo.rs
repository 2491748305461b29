//! `tradewind demo`, started as somebody who is new starts it: what it prints to paste works.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use testkit::port;
use testkit::wait::poll;

/// What it says when everything is there.
const READY: &str = "Ctrl-C ends the demo.";
/// The telephone numbers that somebody entered here and in the CRM.
const HERE: &str = "+1 202 555 0199";
const THERE: &str = "+1 202 555 0143";

/// A demo that runs; ended with its owner.
struct Demo {
    child: Child,
    said: BufReader<ChildStdout>,
    /// What it printed until it was ready.
    welcome: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    fn start(blueprint: &str) -> Self {
        let (listen, admin) = (format!("127.0.0.1:{}", port::free()), format!("127.0.0.1:{}", port::free()));
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradewind"));
        command.args(["demo", "--every", "1", "--blueprint", blueprint, "--listen", &listen, "--admin-listen", &admin]);
        command.current_dir(directory.path()).env_remove("TRADEWIND_DATA_DIR").env_remove("TRADEWIND_DATABASE_URL");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains(READY) {
            if said.read_line(&mut welcome).unwrap() == 0 {
                let mut error = String::new();
                child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
                panic!("{blueprint}: {welcome}{error}");
            }
        }
        Self { child, said, welcome }
    }

    /// The answers to the lines that are there to be pasted.
    fn pasted(&self) -> Vec<(String, Value)> {
        let lines = self.welcome.lines().map(str::trim).filter(|line| line.starts_with("curl "));
        let run = |line: &str| {
            let output = Command::new("sh").args(["-c", line]).output().unwrap();
            (line.to_owned(), serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}: {output:?}")))
        };
        lines.map(run).collect()
    }
}

/// Each list that is shown has records, and something is told of what happens, where the blueprint tells of it.
fn shows(blueprint: &str, lists: usize, tells: bool) {
    let mut demo = Demo::start(blueprint);
    assert!(!demo.welcome.contains("no sample of"), "{}", demo.welcome);
    let answers = demo.pasted();
    assert!(answers.len() >= lists, "{}", demo.welcome);
    for (line, answer) in &answers {
        let rows = answer["data"].as_array().or_else(|| answer["data"]["data"].as_array()).or(answer.as_array());
        assert!(rows.is_some_and(|rows| rows.len() >= 3), "{line}: {answer}");
    }
    if tells {
        let mut line = String::new();
        while !line.contains("signature good") {
            line.clear();
            assert_ne!(demo.said.read_line(&mut line).unwrap(), 0, "{blueprint} ended");
        }
    }
}

#[test]
fn the_demo_of_helpdesk_reports() {
    shows("helpdesk-reports", 3, true);
}

#[test]
fn the_demo_of_contractor_network() {
    shows("contractor-network", 1, true);
}

#[test]
fn the_demo_of_school_tenants() {
    shows("school-tenants", 1, true);
}

/// A file of one's own: the first example of the documentation.
#[test]
fn the_demo_of_a_file() {
    let page = include_str!("../../../../docs/blueprints.md");
    let text = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    shows(file.path().to_str().unwrap(), 2, false);
}

/// The demo of leads has something for each example of the documentation: scores, and a lead that is still to be qualified. One more comes
/// from the CRM; and the conflict that is printed is there, and is decided by what is there to be pasted.
#[test]
fn the_demo_of_insurance_leads() {
    let demo = Demo::start("insurance-leads");
    let answers = demo.pasted();
    let rows = |answer: &Value| answer["data"].as_array().or_else(|| answer["data"]["data"].as_array()).unwrap().clone();
    let leads = rows(&answers[0].1);
    assert!(leads.len() == 5 && leads.iter().filter(|row| row["score"].is_number()).count() == 4, "{leads:?}");
    assert_eq!((answers[1].1["data"]["status"].as_str().or(answers[1].1["status"].as_str()), answers.len()), (Some("QUALIFIED"), 5));
    assert_eq!(answers[2].1["status"], 404);
    let open = &answers[3].1["data"][0];
    assert_eq!(
        (open["field"].as_str(), open["localValue"].as_str(), open["remoteValue"].as_str()),
        (Some("phone"), Some(HERE), Some(THERE))
    );
    let decided = &answers[4].1;
    assert_eq!((&decided["id"], decided["decision"].as_str()), (&open["id"], Some("remote")), "{decided}");
    let list = || Command::new("sh").args(["-c", &answers[0].0]).output().unwrap().stdout;
    let carried_out = || String::from_utf8(list()).unwrap().contains(THERE).then_some(());
    assert!(poll(Duration::from_secs(20), carried_out).is_some(), "the CRM's number is not here");
}
