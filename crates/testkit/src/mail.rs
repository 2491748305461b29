//! A mail relay inside the test: speaks SMTP (RFC 5321) with authentication (RFC 4954), keeps what it takes, and refuses what it is told to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A message that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Whom it is from (`MAIL FROM`).
    pub from: String,
    /// Whom it is for (`RCPT TO`).
    pub to: Vec<String>,
    /// What came after `DATA`, with the dots as they were written.
    pub data: String,
}

impl Received {
    /// The first header of this name, folded lines joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        let found = head.split("\r\n").find_map(|line| line.split_once(':').filter(|(own, _)| own.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| value.trim().to_owned())
    }
}

#[derive(Default)]
struct Shared {
    messages: Mutex<Vec<Received>>,
    /// What is answered to every `RCPT`, in place of taking it.
    refusal: Mutex<Option<String>>,
    /// `\0user\0password` in base64, if one must authenticate.
    credentials: Option<String>,
}

/// A relay. It lives as long as the process: a thread waits for connections.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Relay {
    /// On a free port of loopback. `credentials`: `\0user\0password` in base64, if one must authenticate.
    pub fn start(credentials: Option<&str>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { credentials: credentials.map(str::to_owned), ..Shared::default() });
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&ours);
                // A client that goes ends its thread.
                std::thread::spawn(move || drop(serve(&stream, &shared)));
            }
        });
        Self { address, shared }
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers every recipient with this line (`550 5.1.1 no such user`); none: takes them.
    pub fn refuse(&self, line: Option<&str>) {
        *self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner) = line.map(str::to_owned);
    }

    /// What was taken so far.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One connection.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let say = |line: &str| {
        let mut out = stream;
        out.write_all(format!("{line}\r\n").as_bytes())
    };
    say("220 relay.test ESMTP")?;
    let (mut message, mut known) = (Received::default(), shared.credentials.is_none());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-relay.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN")?,
            "AUTH" => {
                known = shared.credentials.as_deref() == line.split(' ').nth(2);
                say(if known { "235 2.7.0 welcome" } else { "535 5.7.8 who are you" })?;
            }
            "MAIL" if !known => say("530 5.7.0 authenticate first")?,
            "MAIL" => {
                message = Received { from: address(line), ..Received::default() };
                say("250 2.1.0 ok")?;
            }
            "RCPT" => match shared.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                Some(refusal) => say(&refusal)?,
                None => {
                    message.to.push(address(line));
                    say("250 2.1.5 ok")?;
                }
            },
            "DATA" => {
                say("354 go on")?;
                message.data = text(&mut lines)?;
                let mut messages = shared.messages.lock().unwrap_or_else(PoisonError::into_inner);
                messages.push(std::mem::take(&mut message));
                say(&format!("250 2.0.0 queued as {}", messages.len()))?;
            }
            "NOOP" | "RSET" => say("250 2.0.0 ok")?,
            "QUIT" => return say("221 2.0.0 bye"),
            _ => say("500 5.5.1 what")?,
        }
    }
}

/// `MAIL FROM:<a@b> BODY=8BITMIME`: what stands between the angle brackets.
fn address(line: &str) -> String {
    line.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default().to_owned()
}

/// The lines until a dot alone; a dot that was put before a dot is taken away (RFC 5321, section 4.5.2).
fn text(lines: &mut impl std::io::BufRead) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
