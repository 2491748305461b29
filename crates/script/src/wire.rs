//! What engine and worker say to each other over a socket: frames of a length and as many bytes.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::fault::{Fault, FaultKind};

/// What a worker is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Whether it is there.
    Hello,
    /// Whether the source gives a function.
    Check,
    /// To transform a request.
    Transform,
    /// To apply the function to an array of arguments.
    Call,
}

impl Ask {
    const ALL: [Self; 4] = [Self::Hello, Self::Check, Self::Transform, Self::Call];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ask| *ask as u8 == byte)
    }

    /// What the harness calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Check => "check",
            Self::Transform => "transform",
            Self::Call => "call",
        }
    }
}

/// One question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    pub(crate) ask: Ask,
    pub(crate) key: [u8; 16],
    pub(crate) now_ms: i64,
    pub(crate) seed: u32,
    pub(crate) source: &'a str,
    pub(crate) input: &'a str,
}

/// Bytes before the source.
const HEAD: usize = 1 + 16 + 8 + 4 + 4;

impl<'a> Question<'a> {
    /// As a frame.
    pub(crate) fn to_frame(&self) -> Vec<u8> {
        let length = HEAD + self.source.len() + self.input.len();
        let mut out = Vec::with_capacity(4 + length);
        out.extend_from_slice(&size(length));
        out.push(self.ask as u8);
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.now_ms.to_le_bytes());
        out.extend_from_slice(&self.seed.to_le_bytes());
        out.extend_from_slice(&size(self.source.len()));
        out.extend_from_slice(self.source.as_bytes());
        out.extend_from_slice(self.input.as_bytes());
        out
    }

    /// From a frame's bytes after its length; none if they are no question.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (ask, rest) = bytes.split_first()?;
        let (key, rest) = rest.split_first_chunk::<16>()?;
        let (now_ms, rest) = rest.split_first_chunk::<8>()?;
        let (seed, rest) = rest.split_first_chunk::<4>()?;
        let (source, rest) = rest.split_first_chunk::<4>()?;
        let source_length = usize::try_from(u32::from_le_bytes(*source)).ok()?;
        let (source, input) = rest.split_at_checked(source_length)?;
        Some(Self {
            ask: Ask::of(*ask)?,
            key: *key,
            now_ms: i64::from_le_bytes(*now_ms),
            seed: u32::from_le_bytes(*seed),
            source: std::str::from_utf8(source).ok()?,
            input: std::str::from_utf8(input).ok()?,
        })
    }
}

/// In an answer's first byte: it is a fault.
const FAULT: u8 = 1;
/// In an answer's first byte: it is the worker's last.
const GOODBYE: u8 = 2;

/// Bytes before an answer's text: what kind it is, and the processor time that it took in microseconds.
const ANSWER_HEAD: usize = 1 + 4;

/// An answer as a frame. After the last one the worker ends.
pub(crate) fn answer_frame(answer: &Result<String, Fault>, took: Duration, is_last: bool) -> Vec<u8> {
    let fault;
    let (tag, text) = match answer {
        Ok(text) => (0, text.as_str()),
        Err(found) => {
            fault = serde_json::to_string(found).unwrap_or_default();
            (FAULT, fault.as_str())
        }
    };
    let mut out = Vec::with_capacity(4 + ANSWER_HEAD + text.len());
    out.extend_from_slice(&size(ANSWER_HEAD + text.len()));
    out.push(tag | if is_last { GOODBYE } else { 0 });
    out.extend_from_slice(&u32::try_from(took.as_micros()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    out
}

/// Whether an answer is its worker's last.
pub(crate) fn says_goodbye(answer: &[u8]) -> bool {
    answer.first().is_none_or(|first| first & GOODBYE != 0)
}

/// An answer from a frame's bytes after its length, and the processor time that it took.
pub(crate) fn read_answer(mut bytes: Vec<u8>) -> (Duration, Result<String, Fault>) {
    let strange = || Fault::new(FaultKind::Unavailable, "the worker answered nonsense");
    let Some((head, _)) = bytes.split_first_chunk::<ANSWER_HEAD>() else { return (Duration::ZERO, Err(strange())) };
    let [tag, micros @ ..] = *head;
    bytes.drain(..ANSWER_HEAD);
    let answer = String::from_utf8(bytes).map_err(|_| strange()).and_then(|text| match tag & !GOODBYE {
        0 => Ok(text),
        FAULT => Err(serde_json::from_str(&text).unwrap_or_else(|_| strange())),
        _ => Err(strange()),
    });
    (Duration::from_micros(u32::from_le_bytes(micros).into()), answer)
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// The next frame; none at the end of the stream.
pub(crate) fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > crate::limits::MAX_INPUT + crate::limits::MAX_SOURCE + HEAD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"));
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// Writes a frame.
pub(crate) fn write_frame(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_back_as_they_were() {
        let question = Question { ask: Ask::Call, key: [7; 16], now_ms: -5, seed: 9, source: "v => v", input: "[\"ü\"]" };
        let frame = question.to_frame();
        let bytes = read_frame(&mut frame.as_slice()).unwrap().unwrap();
        assert_eq!(Question::read(&bytes), Some(question));
        assert_eq!(read_frame(&mut [].as_slice()).unwrap(), None);
        assert!(Question::read(&bytes[..20]).is_none() && Question::read(&[9; 60]).is_none());
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let fault = Fault { line: Some(3), column: None, ..Fault::new(FaultKind::Thrown, "no") };
        for answer in [Ok("{}".to_owned()), Err(fault)] {
            for is_last in [false, true] {
                let took = Duration::from_micros(1234);
                let frame = answer_frame(&answer, took, is_last);
                let bytes = read_frame(&mut frame.as_slice()).unwrap().unwrap();
                assert_eq!((says_goodbye(&bytes), read_answer(bytes)), (is_last, (took, answer.clone())));
            }
        }
        for nonsense in [vec![5], vec![5; 9], vec![0, 0, 0, 0, 0, 0xff]] {
            assert_eq!(read_answer(nonsense).1.unwrap_err().kind, FaultKind::Unavailable);
        }
    }
}
