//! Runs the worker until it is stopped.

use std::process::ExitCode;

use call_worker::{Settings, Worker};

const USAGE: &str = "call-worker [--url http://127.0.0.1:8080] [--workers 2]\n\
                     The service key is read from TRADEWIND_SERVICE_KEY; it needs the scope jobs.work.";

fn main() -> ExitCode {
    let settings = match settings() {
        Ok(settings) => settings,
        Err(why) => {
            say(&format!("{why}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    say(&format!("working for {}; stop with Ctrl-C", settings.url));
    Worker::start(&settings).join();
    ExitCode::SUCCESS
}

#[allow(clippy::disallowed_methods, reason = "the settings of this program")]
fn settings() -> Result<Settings, String> {
    let key = std::env::var("TRADEWIND_SERVICE_KEY").map_err(|_| "TRADEWIND_SERVICE_KEY is not set".to_owned())?;
    let mut settings = Settings::new("http://127.0.0.1:8080", &key);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--url" => settings.url = value()?.trim_end_matches('/').to_owned(),
            "--workers" => settings.threads = value()?.parse().map_err(|_| "--workers needs a number".to_owned())?,
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(settings)
}

#[allow(clippy::print_stderr, reason = "this program speaks to people on standard error")]
fn say(text: &str) {
    eprintln!("{text}");
}
