//! The worker alone, for this crate's own tests. The product starts itself as its workers.

fn main() -> std::process::ExitCode {
    script::work()
}
