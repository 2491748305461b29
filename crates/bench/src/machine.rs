//! What the numbers were measured on.

use std::process::Command;

/// The machine and the code.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Processor cores that we may use.
    pub cores: usize,
    /// The processor's name.
    pub processor: String,
    /// The kernel's release.
    pub kernel: String,
    /// The compiler's version.
    pub compiler: String,
    /// The commit, with a mark if files have changed since.
    pub commit: String,
}

impl Machine {
    /// Asks the system. What it does not say is "unknown": a missing tool must not lose a result.
    pub fn read() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor =
            cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim().to_owned()));
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned());
        let unknown = || "unknown".to_owned();
        let dirty = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_some();
        let commit =
            said("git", &["rev-parse", "--short=12", "HEAD"]).map(|hash| if dirty { format!("{hash} with changes") } else { hash });
        Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            processor: processor.unwrap_or_else(unknown),
            kernel: release.unwrap_or_else(unknown),
            compiler: said("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: commit.unwrap_or_else(unknown),
        }
    }

    /// As a Markdown list.
    pub fn list(&self) -> String {
        let Self { cores, processor, kernel, compiler, commit } = self;
        format!("- machine: {cores} cores, {processor}\n- kernel: {kernel}\n- compiler: {compiler}\n- commit: {commit}")
    }
}

/// What a command printed, trimmed; nothing if it failed or printed nothing.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
