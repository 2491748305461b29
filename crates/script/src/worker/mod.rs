//! The other end of the socket: keeps an engine per function and answers one question after another.

mod realm;
mod source;

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use rustix::param::page_size;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::fault::{Fault, FaultKind};
use crate::limits::{KEPT, KERNEL_LIMIT_SECONDS, WORKER_MEMORY};
use crate::wire::{self, Ask, Question};
use realm::Realm;

/// A worker process: answers on its standard input, which is a socket, until that is closed.
#[allow(clippy::print_stderr, reason = "a worker has no log; its standard error is the server's")]
pub fn work() -> ExitCode {
    let socket = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    match socket.and_then(|stream| Confines::enter().and_then(|confines| serve(stream, Some(confines)))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("script worker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What holds a worker process: the kernel's limits.
pub(crate) struct Confines {
    /// Processor seconds at which the kernel ends it; moved on with every run.
    seconds: u64,
    /// Where its size can be read (proc(5)), if it can; opened while files could be opened.
    size: Option<File>,
}

impl Confines {
    /// From here on: no new files or sockets, no file longer than nothing, no core dumps.
    fn enter() -> io::Result<Self> {
        let size = File::open("/proc/self/statm").ok();
        for resource in [Resource::Nofile, Resource::Fsize, Resource::Core] {
            setrlimit(resource, Rlimit { current: Some(0), maximum: Some(0) })?;
        }
        Ok(Self { seconds: 0, size })
    }

    fn move_on(&mut self) -> io::Result<()> {
        let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
        let until = used + KERNEL_LIMIT_SECONDS;
        if until != self.seconds {
            self.seconds = until;
            setrlimit(Resource::Cpu, Rlimit { current: Some(until), maximum: None })?;
        }
        Ok(())
    }

    /// Whether so much memory is resident that a fresh worker is cheaper than finding out why.
    fn is_full(&self) -> io::Result<bool> {
        let Some(size) = &self.size else { return Ok(false) };
        let mut text = [0; 128];
        let length = size.read_at(&mut text, 0)?;
        let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
        Ok(pages.saturating_mul(page_size() as u64) > WORKER_MEMORY)
    }
}

/// Answers until the stream ends, or until too much memory has gathered.
pub(crate) fn serve(mut stream: UnixStream, mut confines: Option<Confines>) -> io::Result<()> {
    let mut kept: Vec<([u8; 16], Box<Realm>)> = Vec::new();
    while let Some(bytes) = wire::read_frame(&mut stream)? {
        if let Some(confines) = &mut confines {
            confines.move_on()?;
        }
        let began = clock_gettime(ClockId::ThreadCPUTime);
        let answer = match Question::read(&bytes) {
            Some(question) => answer(&mut kept, &question),
            None => Err(Fault::new(FaultKind::Unavailable, "the worker was asked nonsense")),
        };
        let took = clock_gettime(ClockId::ThreadCPUTime) - began;
        let took = Duration::try_from(took).unwrap_or_default();
        let is_last = confines.as_ref().map_or(Ok(false), Confines::is_full)?;
        wire::write_frame(&mut stream, &wire::answer_frame(&answer, took, is_last))?;
        if is_last {
            break;
        }
    }
    Ok(())
}

fn answer(kept: &mut Vec<([u8; 16], Box<Realm>)>, question: &Question<'_>) -> Result<String, Fault> {
    if question.ask == Ask::Hello {
        return Ok(String::new());
    }
    // The last is the one used last.
    let realm = match kept.iter().position(|(key, _)| *key == question.key) {
        Some(at) => kept.remove(at).1,
        None => Box::new(Realm::new(question.source)?),
    };
    let answer = realm.run(question);
    if answer.as_ref().err().is_none_or(|fault| !fault.is_breach()) && realm.is_sound() {
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((question.key, realm));
    }
    answer
}
