//! A worker as the engine sees it: a socket, and what is at its other end.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Blocking;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::limits::MAX_OUTPUT;
use crate::worker;

/// Longest answer: a result, or a fault.
const MAX_ANSWER: u32 = MAX_OUTPUT as u32 + 64 * 1024;

/// What is started as a worker.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A program, with these arguments.
    Process(PathBuf, Vec<String>),
    /// A thread of this process.
    Thread,
}

/// A worker. Dropping it ends it.
pub(crate) struct Peer {
    stream: UnixStream,
    child: Option<Child>,
}

impl Peer {
    /// Starts one. Blocks for as long as the system takes to start a program.
    pub(crate) fn start(kind: &Kind) -> io::Result<(Blocking, Option<Child>)> {
        let (ours, theirs) = Blocking::pair()?;
        ours.set_nonblocking(true)?;
        let child = match kind {
            Kind::Process(program, arguments) => {
                let mut command = Command::new(program);
                // A group of its own: an interrupt at the terminal is for the server, which decides what is still to be done.
                command.arg0("tradewind").args(arguments).env_clear().current_dir("/").process_group(0);
                command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
                Some(command.spawn()?)
            }
            Kind::Thread => {
                let builder = std::thread::Builder::new().name("script".to_owned()).stack_size(4 * 1024 * 1024);
                builder.spawn(move || worker::serve(theirs, None))?;
                None
            }
        };
        Ok((ours, child))
    }

    /// Takes up a started one, on the runtime that will talk to it.
    pub(crate) fn adopt((stream, child): (Blocking, Option<Child>)) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::from_std(stream)?, child })
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// One question and its answer. After an error, or when this is dropped half-way, the worker is of no use any more.
    pub(crate) async fn ask(&mut self, frame: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(frame).await?;
        let length = self.stream.read_u32_le().await?;
        if length > MAX_ANSWER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
        }
        let mut answer = vec![0; length as usize];
        self.stream.read_exact(&mut answer).await?;
        Ok(answer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It has ended, or it ends now.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
