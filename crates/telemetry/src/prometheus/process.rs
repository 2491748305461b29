//! What the process itself takes, from /proc: memory, processor time, open files. Nothing where there is no /proc.

use std::fmt::Write as _;

/// Numbers of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Memory in use, bytes.
    pub resident: u64,
    /// Address space, bytes.
    pub virtual_size: u64,
    /// Processor time, user and system, seconds.
    pub cpu_seconds: f64,
    /// Threads.
    pub threads: u64,
    /// Open files and sockets.
    pub open_files: u64,
}

/// Reads them. None where the system has no /proc.
pub fn read() -> Option<Process> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; what follows is numbers.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at - 3).and_then(|text| text.parse::<u64>().ok());
    let ticks = number(14)? + number(15)?;
    let open_files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(Process {
        resident: number(24)? * u64::try_from(rustix::param::page_size()).ok()?,
        virtual_size: number(23)?,
        cpu_seconds: float(ticks) / float(rustix::param::clock_ticks_per_second()),
        threads: number(20)?,
        open_files: u64::try_from(open_files).ok()?,
    })
}

#[allow(clippy::cast_precision_loss, reason = "a metric need not be exact beyond 2^52")]
fn float(n: u64) -> f64 {
    n as f64
}

pub(super) fn write(out: &mut String) {
    let Some(process) = read() else { return };
    let gauges = [
        ("process_resident_memory_bytes", "gauge", float(process.resident)),
        ("process_virtual_memory_bytes", "gauge", float(process.virtual_size)),
        ("process_cpu_seconds_total", "counter", process.cpu_seconds),
        ("process_threads", "gauge", float(process.threads)),
        ("process_open_fds", "gauge", float(process.open_files)),
    ];
    for (name, form, value) in gauges {
        let help = super::catalogue::help(name);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {form}\n{name} {value}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_has_run() {
        let process = read().unwrap();
        assert!(process.resident > 100_000 && process.virtual_size >= process.resident, "{process:?}");
        assert!(process.threads >= 1 && process.open_files >= 3, "{process:?}");
    }
}
