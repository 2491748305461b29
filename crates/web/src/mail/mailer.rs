//! Sending.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use kernel::{Error, Result, Secret, Timestamp};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::MailFault;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// To whom: addresses, at least one.
    pub to: Vec<String>,
    /// In one line.
    pub subject: String,
    /// As text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// What is the same on every attempt, so that a message that comes twice is known: the part of its `Message-ID` before the `@`.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
}

/// The way to the operator's relay. Cheap to clone. Each message has a connection of its own: they are few.
#[derive(Clone)]
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
}

#[derive(Clone)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// A directory, for development.
    Files(Arc<Path>),
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from.email).finish_non_exhaustive()
    }
}

const FILE_SCHEME: &str = "file:";

/// Whether [`Mailer::new`] would make of this a directory of messages, which nobody outside of this machine gets.
pub fn is_file_sink(url: &Secret<String>) -> bool {
    url.reveal().starts_with(FILE_SCHEME)
}

/// Writes a message as `<time>-<id>.eml`, readable by its owner only: there may be links in it that sign somebody in.
async fn write_file(directory: Arc<Path>, mail: &Mail, message: Vec<u8>) -> Result<String, MailFault> {
    let id: String = mail.id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect();
    let path = directory.join(format!("{}-{id}.eml", mail.at.millis()));
    let answer = format!("250 written to {}", path.display());
    let write = move || {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        std::fs::create_dir_all(&directory)?;
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?.write_all(&message)
    };
    let written = tokio::task::spawn_blocking(write).await.map_err(|error| MailFault::unusable(error.to_string()))?;
    written.map(|()| answer).map_err(|error| MailFault::unusable(format!("the message could not be written: {error}")))
}

/// Whether this is an address of one person or list, without a name: `ops@example.com`.
pub fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.parse::<Address>().is_ok()
}

impl Mailer {
    /// `url`: `smtps://user:password@host:465` (TLS), `smtp://user:password@host:587?tls=required` (STARTTLS), or `smtp://host:25` (in the
    /// clear); or `file:<directory>`, into which messages are written as they would be sent, for development ([`is_file_sink`]). `from`: the sender, `Tradewind <no-reply@example.com>`. Nothing is sent yet.
    ///
    /// Errors: 422 `invalid_smtp_url`, 422 `invalid_mail_sender`.
    pub fn new(url: &Secret<String>, from: &str) -> Result<Self> {
        // The fault is not shown: it may quote the URL, which has a password.
        let refused = |_| {
            let detail =
                "The SMTP URL cannot be used. Write smtps://user:password@host:465, or smtp://user:password@host:587?tls=required.";
            Error::invalid("invalid_smtp_url", detail)
        };
        let transport = match url.reveal().strip_prefix(FILE_SCHEME) {
            Some(directory) => Transport::Files(Path::new(directory.strip_prefix("//").unwrap_or(directory)).into()),
            None => Transport::Smtp(AsyncSmtpTransport::<Tokio1Executor>::from_url(url.reveal()).map_err(refused)?.build()),
        };
        let from = from.parse().map_err(|_| {
            Error::invalid("invalid_mail_sender", "The sender of e-mails is no address. Write Tradewind <no-reply@example.com>.")
        })?;
        Ok(Self { transport, from })
    }

    /// Sends a message; answers what the relay said when it took it. All of it within `limit`.
    pub async fn send(&self, mail: &Mail, limit: Duration) -> Result<String, MailFault> {
        let message = self.message(mail)?;
        let smtp = match &self.transport {
            Transport::Smtp(smtp) => smtp,
            Transport::Files(directory) => return write_file(Arc::clone(directory), mail, message.formatted()).await,
        };
        let sent = tokio::time::timeout(limit, smtp.send(message)).await.map_err(|_| MailFault::timeout())?;
        let answer = sent?;
        Ok(format!("{} {}", answer.code(), answer.first_line().unwrap_or_default()))
    }

    fn message(&self, mail: &Mail) -> Result<Message, MailFault> {
        let unusable = |text: &dyn fmt::Display| MailFault::unusable(format!("the message cannot be written: {text}"));
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at.millis()).unwrap_or(0));
        let id = format!("<{}@{}>", mail.id, self.from.email.domain());
        let mut builder = Message::builder().from(self.from.clone()).subject(&mail.subject).date(at).message_id(Some(id));
        for to in &mail.to {
            builder = builder.to(Mailbox::new(None, to.parse().map_err(|error| unusable(&error))?));
        }
        // RFC 3834: no machine is to answer.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        builder = builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
        let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(mail.html.clone());
        let body = MultiPart::alternative().singlepart(SinglePart::plain(mail.text.clone())).singlepart(html);
        builder.multipart(body).map_err(|error| unusable(&error))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mailer() -> Mailer {
        Mailer::new(&Secret::new("smtp://127.0.0.1:25".to_owned()), "Tradewind <no-reply@example.com>").unwrap()
    }

    #[test]
    fn urls_and_senders_are_checked_and_not_shown() {
        let new = |url: &str, from: &str| Mailer::new(&Secret::new(url.to_owned()), from).map_err(|error| error.code());
        assert_eq!(new("http://u:hush@relay.example", "a@example.com").unwrap_err(), "invalid_smtp_url");
        assert_eq!(new("smtp://relay.example", "nobody").unwrap_err(), "invalid_mail_sender");
        let shown = format!("{:?}", new("smtps://u:hush@relay.example", "a@example.com").unwrap());
        assert!(!shown.contains("hush") && !shown.contains("relay"), "{shown}");
    }

    #[tokio::test]
    async fn in_development_messages_are_files() {
        let directory = tempfile::tempdir().unwrap();
        let url = Secret::new(format!("file:{}/mails", directory.path().display()));
        assert!(is_file_sink(&url) && !is_file_sink(&Secret::new("smtp://127.0.0.1:25".to_owned())));
        let mailer = Mailer::new(&url, "Tradewind <no-reply@example.com>").unwrap();
        let mail = Mail {
            to: vec!["ops@example.com".into()],
            subject: "Hello".into(),
            text: "https://example.com/a".into(),
            html: String::new(),
            id: "../1".into(),
            at: Timestamp::from_millis(7),
        };
        mailer.send(&mail, Duration::from_secs(5)).await.unwrap();
        let written = std::fs::read_to_string(directory.path().join("mails/7-___1.eml")).unwrap();
        assert!(written.contains("Subject: Hello") && written.contains("https://example.com/a"), "{written}");
    }

    #[test]
    fn addresses() {
        assert!(is_address("ops@example.com") && is_address("a+b@mail.example.co"));
        for bad in ["", "ops", "Ops <ops@example.com>", "a@b\r\nRCPT TO:<c@d>", "a b@example.com", "a@example.com, b@example.com"] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }

    proptest! {
        /// Nothing that a tenant writes begins a line that is ours to write.
        #[test]
        fn texts_add_no_header(subject in "\\PC{0,80}|[\\x00-\\x7f]{0,80}", text in "[\\x00-\\x7f]{0,200}") {
            let mail = Mail {
                to: vec!["ops@example.com".into()], subject, html: text.clone(), text, id: "evt_1".into(), at: Timestamp::from_millis(0),
            };
            let Ok(message) = mailer().message(&mail) else { return Ok(()) };
            let raw = String::from_utf8_lossy(&message.formatted()).into_owned();
            let head = raw.split("\r\n\r\n").next().unwrap();
            let names: Vec<&str> =
                head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).map(|line| line.split(':').next().unwrap()).collect();
            let ours = ["From", "Subject", "Date", "Message-ID", "To", "Auto-Submitted", "MIME-Version", "Content-Type"];
            prop_assert!(names.iter().all(|name| ours.contains(name)), "{:?}", names);
        }
    }
}
