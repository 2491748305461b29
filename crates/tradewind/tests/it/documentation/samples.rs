//! The code samples of the pages, taken from the pages and run by their own languages.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::serving;
use crate::world::{Key, World};
use testkit::tools;

/// The sample of an operation in one language, as the page shows it.
fn sample(page: &str, anchor: &str, language: &str) -> String {
    let article =
        page.split("<article ").find(|part| part.starts_with(&format!("id=\"{anchor}\""))).unwrap_or_else(|| panic!("no {anchor}"));
    let code = article.split(&format!("data-lang=\"{language}\"><code>")).nth(1).and_then(|rest| rest.split("</code>").next());
    let code = code.unwrap_or_else(|| panic!("no {language} for {anchor}"));
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(code.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The program and arguments that run a file of this language, and the file's name. None where it cannot be run here.
fn runner(language: &str, dir: &Path) -> Option<(Command, &'static str)> {
    let (program, arguments, file): (&str, &[&str], &str) = match language {
        "curl" => ("curl", &[], "sample.sh"),
        "javascript" => ("node", &[], "sample.mjs"),
        "python" => ("python3", &[], "sample.py"),
        "php" => ("php", &[], "sample.php"),
        "go" => ("go", &["run"], "sample.go"),
        "rust" => return rust(dir),
        other => panic!("{other}"),
    };
    let version = if program == "go" { "version" } else { "--version" };
    let found = Command::new(program).arg(version).output().is_ok_and(|output| output.status.success());
    if !found && !tools::present(program, "the samples in its language") {
        return None;
    }
    let mut command = Command::new(if language == "curl" { "sh" } else { program });
    command.args(arguments).arg(dir.join(file)).env("GOCACHE", std::env::temp_dir().join("tradewind-go-cache")).env("GO111MODULE", "off");
    Some((command, file))
}

/// Rust's sample is compiled against the `ureq` that was built for these tests: a project of its own would build it, and all below it, anew.
fn rust(dir: &Path) -> Option<(Command, &'static str)> {
    if !tools::present("rustc", "the samples in its language") {
        return None;
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(RUST).arg("sh").arg(dir).arg(std::env::current_exe().unwrap().parent().unwrap());
    Some((command, "sample.rs"))
}

/// Several builds of it may lie there, of other features or compilers: the newest that links is taken.
const RUST: &str = r#"
cd "$1" || exit 1
for crate in $(ls -t "$2"/libureq-*.rlib); do
    if rustc --edition 2024 --crate-name sample sample.rs -o sample --extern ureq="$crate" -L dependency="$2" 2> said; then exec ./sample; fi
done
cat said >&2
exit 99
"#;

fn run(world: &World, key: &Key, language: &str, text: &str) -> Option<Output> {
    let dir = tempfile::tempdir().unwrap();
    let (mut command, file) = runner(language, dir.path())?;
    std::fs::write(dir.path().join(file), text).unwrap();
    command.env("TRADEWIND_URL", world.server.base()).env("TRADEWIND_API_KEY", &key.token);
    command.env("TRADEWIND_API_SECRET", key.secret.as_deref().unwrap_or_default());
    Some(command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_run_as_they_stand() {
    let world = serving("insurance-leads");
    let tenant = world.tenant("Acme").await;
    let key = tenant.key().await;
    let none = tenant.key_scoped(&[]).await;
    let page = |path: &'static str| {
        let client = world.server.client();
        async move { client.get(path).await.expect(200).text() }
    };
    let (leads, keys) = (page("/docs/reference/leads").await, page("/docs/reference/api-keys").await);
    for language in ["curl", "javascript", "python", "php", "go", "rust"] {
        let all = [(&leads, "leads-create", Some(201)), (&leads, "leads-list", Some(200)), (&keys, "keys-whoami", Some(200))];
        // What has to be compiled takes seconds each: the one with a body has all that the others have.
        let tried = if language == "rust" { 1 } else { all.len() };
        for (page, anchor, status) in all.into_iter().take(tried) {
            let text = sample(page, anchor, language);
            let Some(output) = run(&world, &key, language, &text) else { break };
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{language} {anchor}: {said}{}\n{text}", String::from_utf8_lossy(&output.stderr));
            let body = &said[said.find('{').unwrap_or_else(|| panic!("{language} {anchor}: {said}"))..];
            assert!(serde_json::from_str::<Value>(body.trim()).is_ok(), "{language} {anchor}: {said}");
            if language != "curl" {
                assert!(said.starts_with(&status.unwrap_or(0).to_string()), "{language} {anchor}: {said}");
            }
        }
        // A refusal is no success.
        let refused = run(&world, &none, language, &sample(&leads, "leads-list", language));
        assert!(
            refused.is_none_or(|output| !output.status.success() && output.status.code() != Some(99)),
            "{language} takes a refusal for a success"
        );
    }
    let made = key.http.get("/api/v1/leads?limit=100").await.expect(200).json();
    assert!(!made["data"].as_array().unwrap().is_empty(), "the samples have made leads");
}
