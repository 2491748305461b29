//! The snippets in docs/verify, each run by its own language: a good delivery, one of a rotation, and forgeries.
//! A language whose runtime is not installed is passed over, and the test says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kernel::Ambient;
use web::signature::{WebhookSecret, sign_standard};

#[allow(unreachable_pub, reason = "written for whoever copies it")]
#[path = "../../../../docs/verify/rust/verify.rs"]
mod rust;

/// Bytes that a parser would write otherwise, and no ASCII only.
const BODY: &[u8] = "{ \"id\":\"evt-1\", \"n\":1.00,\n\"name\":\"Zo\u{eb} \\u00e9\" }".as_bytes();
const ID: &str = "evt-1";

struct Case {
    name: &'static str,
    timestamp: String,
    signatures: String,
    body: Vec<u8>,
    genuine: bool,
}

fn cases(secret: &WebhookSecret) -> Vec<Case> {
    let ambient = Ambient::system();
    let (now, other) = (ambient.now().seconds(), WebhookSecret::generate(&ambient));
    let sign = |secrets: &[&WebhookSecret], at: i64| {
        let secrets: Vec<WebhookSecret> = secrets.iter().map(|secret| (*secret).clone()).collect();
        sign_standard(&secrets, ID, at, BODY)
    };
    let case = |name, at: i64, signatures: String, body: &[u8], genuine| Case {
        name,
        timestamp: at.to_string(),
        signatures,
        body: body.to_vec(),
        genuine,
    };
    let tampered = [BODY, b" "].concat();
    vec![
        case("good", now, sign(&[secret], now), BODY, true),
        case("rotated", now, format!("v1a,AAAA {}", sign(&[&other, secret], now)), BODY, true),
        case("tampered", now, sign(&[secret], now), &tampered, false),
        case("old", now - 600, sign(&[secret], now - 600), BODY, false),
        case("forged", now, sign(&[&other], now), BODY, false),
        case("garbage", now, "v1, v1,!! v1".into(), BODY, false),
    ]
}

/// A temporary directory for what is compiled.
struct Workshop(tempfile::TempDir);

fn docs(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify").join(path)
}

#[allow(clippy::print_stdout, reason = "a test says what it passes over")]
fn has(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).stdin(Stdio::null()).output().is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

impl Workshop {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn build(&self, command: &mut Command) {
        let output = command.current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Every case by a program: it says `genuine` and ends with 0, or `forged` and ends with 1.
fn assert_verifies(program: impl AsRef<std::ffi::OsStr>, arguments: &[&std::ffi::OsStr]) {
    let secret = WebhookSecret::generate(&Ambient::system());
    for case in cases(&secret) {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).arg(secret.text().reveal()).args([ID, &case.timestamp, &case.signatures]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that refuses at once need not read the body.
        let _ = child.stdin.take().unwrap().write_all(&case.body);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let expected = if case.genuine { ("genuine", Some(0)) } else { ("forged", Some(1)) };
        assert_eq!((said.as_str(), output.status.code()), expected, "{}: {}", case.name, String::from_utf8_lossy(&output.stderr));
    }
}

fn interpreted(program: &str, version: &str, file: &str) {
    if has(program, version) {
        assert_verifies(program, &[docs(file).as_os_str()]);
    }
}

#[test]
fn rust() {
    let secret = WebhookSecret::generate(&Ambient::system());
    for case in cases(&secret) {
        let now = u64::try_from(Ambient::system().now().seconds()).unwrap();
        let found = rust::verify(secret.text().reveal(), ID, &case.timestamp, &case.signatures, &case.body, now);
        assert_eq!(found, case.genuine, "{}", case.name);
    }
}

#[test]
fn node() {
    interpreted("node", "--version", "node/verify.mjs");
}

#[test]
fn python() {
    interpreted("python3", "--version", "python/verify.py");
}

#[test]
fn ruby() {
    interpreted("ruby", "--version", "ruby/verify.rb");
}

#[test]
fn php() {
    interpreted("php", "--version", "php/verify.php");
}

#[test]
fn perl() {
    interpreted("perl", "--version", "perl/verify.pl");
}

#[test]
fn shell() {
    if has("openssl", "version") {
        assert_verifies("sh", &[docs("shell/verify.sh").as_os_str()]);
    }
}

#[test]
fn java() {
    if has("javac", "--version") {
        let workshop = Workshop::new();
        workshop.build(Command::new("javac").arg("-d").arg(workshop.path("")).arg(docs("java/Verify.java")));
        // The simplest collector and compiler start fastest.
        let flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"].map(std::ffi::OsStr::new);
        let place = workshop.path("");
        assert_verifies("java", &[&flags[..], &[place.as_os_str(), "Verify".as_ref()]].concat());
    }
}

#[test]
fn go() {
    if has("go", "version") {
        let workshop = Workshop::new();
        let program = workshop.path("verify");
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&program).arg(docs("go/verify.go"));
        workshop.build(build.env("GOFLAGS", "-mod=mod").env("GO111MODULE", "off").env("GOTOOLCHAIN", "local"));
        assert_verifies(&program, &[]);
    }
}

#[test]
fn csharp() {
    if has("mcs", "--version") && has("mono", "--version") {
        let workshop = Workshop::new();
        let program = workshop.path("verify.exe");
        workshop.build(Command::new("mcs").arg(format!("-out:{}", program.display())).arg(docs("csharp/Verify.cs")));
        assert_verifies("mono", &[program.as_os_str()]);
    }
}
