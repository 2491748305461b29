//! Processes: nothing outlives its starter, and a server can be killed and brought back.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::server::Settings;
use testkit::{Engine, guarded, wait};

const SOON: Duration = Duration::from_secs(20);

/// Run in a process of its own by the next test: starts something that would run for an hour, and is killed.
#[test]
fn starter() {
    let Ok(report) = std::env::var("TESTKIT_STARTER_REPORT") else { return };
    let dir = guarded::directory("testkit", None).unwrap();
    let script = "echo $$ >pid; exec tail -f /dev/null".to_owned();
    let mut started = guarded::Guarded::start(dir, &["/bin/sh".to_owned(), "-c".to_owned(), script], None).unwrap();
    let pid = started.dir().join("pid");
    started.wait_ready(SOON, || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))).unwrap();
    let text = format!("{} {}", std::fs::read_to_string(&pid).unwrap().trim(), started.dir().display());
    std::fs::write(format!("{report}.part"), text).unwrap();
    std::fs::rename(format!("{report}.part"), report).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_guarded_process_ends_when_its_starter_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report");
    let mut starter = Command::new(std::env::current_exe().unwrap());
    starter.args(["--exact", "processes::starter"]).env("TESTKIT_STARTER_REPORT", &report).stdout(Stdio::null());
    let mut starter = starter.spawn().unwrap();
    let text = wait::poll(SOON, || std::fs::read_to_string(&report).ok()).expect("the starter reports");
    let (pid, dir) = text.split_once(' ').unwrap();
    let process = Path::new("/proc").join(pid);
    assert!(process.exists() && Path::new(dir).exists());
    starter.kill().unwrap();
    starter.wait().unwrap();
    assert!(wait::poll(SOON, || (!process.exists() && !Path::new(dir).exists()).then_some(())).is_some(), "{text} is still there");
}

#[test]
fn a_guarded_process_that_ends_at_once_is_reported_with_its_words() {
    let dir = guarded::directory("testkit", None).unwrap();
    let command = ["/bin/sh", "-c", "echo out of luck; exec 1>&2; head -c 1 /dev/zero >/dev/null; exit 7"].map(String::from);
    let mut started = guarded::Guarded::start(dir, &command, None).unwrap();
    let why = started.wait_ready(SOON, || false).unwrap_err();
    assert!(why.contains("exit status: 7"), "{why}");
}

/// A double of the binary: this very test program, which is called with the filter `serve`. It answers 503, and 200 from the second
/// question on.
#[test]
fn double_of_serve() {
    let Ok(mode) = std::env::var("TRADEWIND_TESTKIT_DOUBLE") else { return };
    eprintln!("double in mode {mode}");
    assert_eq!(mode, "well", "told to fail");
    let listener = TcpListener::bind(std::env::var("TRADEWIND_LISTEN").unwrap()).unwrap();
    for (n, stream) in listener.incoming().enumerate() {
        let mut stream = stream.unwrap();
        let mut head = [0; 1024];
        let _ = stream.read(&mut head).unwrap();
        let status = if n == 0 { "503 Service Unavailable" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

fn double(engine: &Engine, mode: &str) -> Settings {
    let program = std::env::current_exe().unwrap();
    Settings::new(engine).program(program).set("TRADEWIND_TESTKIT_DOUBLE", mode).set("RUST_TEST_NOCAPTURE", "1")
}

#[tokio::test]
async fn a_process_is_started_killed_and_brought_back_on_the_same_port() {
    let engine = Engine::sqlite();
    let mut process = double(&engine, "well").start();
    let (first, client) = (process.pid(), process.client());
    assert_eq!(client.get("/").await.expect(200).text(), "ok");
    assert!(process.resident_bytes() > 100_000);
    process.kill9();
    assert!(!Path::new("/proc").join(first.to_string()).exists());
    assert!(client.request(http::Method::GET, "/").try_send().await.is_err());
    process.restart();
    assert_ne!(process.pid(), first);
    client.get("/").await.assert_status(200);
    let status = process.terminate();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15), "the double does not handle SIGTERM");
    assert_eq!(process.stderr().matches("double in mode well").count(), 2);
}

#[test]
fn a_process_that_refuses_to_start_is_reported_with_its_words() {
    let why = double(&Engine::sqlite(), "ill").try_start().unwrap_err();
    assert!(why.contains("the server ended") && why.contains("told to fail"), "{why}");
}
