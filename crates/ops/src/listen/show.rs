//! What `listen` says.

use std::fmt;
use std::time::Duration;

use kernel::Timestamp;

/// How a forward ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With this status.
    Answered(u16),
    /// Without an answer; why.
    Silent(String),
}

impl Outcome {
    /// Whether the receiver has it.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }
}

/// One line for the terminal.
#[derive(Clone, Debug)]
pub enum Line {
    /// It listens.
    Ready {
        /// To this server.
        server: String,
        /// And forwards here.
        forward: String,
        /// Under this name.
        consumer: String,
    },
    /// An event was forwarded.
    Forwarded {
        /// When.
        at: Timestamp,
        /// Its type.
        event_type: String,
        /// Its id.
        id: String,
        /// What came back.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
        /// After how long it is tried again.
        again: Option<Duration>,
    },
    /// The server does not answer.
    Lost {
        /// Why.
        why: String,
        /// After how long it is asked again.
        wait: Duration,
    },
    /// It answers again.
    Reconnected,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { server, forward, consumer } => write!(f, "listening to {server} as consumer {consumer}, forwarding to {forward}"),
            Self::Forwarded { at, event_type, id, outcome, took, again } => {
                let time = at.to_string();
                let (status, rest) = match outcome {
                    Outcome::Answered(status) => (status.to_string(), String::new()),
                    Outcome::Silent(why) => ("---".to_owned(), format!("  {why}")),
                };
                write!(f, "{}  {status}  {:>5} ms  {event_type:<24}  {id}{rest}", &time[11..19], took.as_millis())?;
                again.map_or(Ok(()), |wait| write!(f, "  (again in {} s)", wait.as_secs_f32()))
            }
            Self::Lost { why, wait } => write!(f, "no connection: {why} (again in {} s; nothing is lost)", wait.as_secs_f32()),
            Self::Reconnected => f.write_str("connected again"),
        }
    }
}
