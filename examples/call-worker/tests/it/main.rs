//! Transcripts as they come, measured.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use call_worker::analysis::{Transcript, measure, run, score};
use serde_json::json;

const GOOD: &str = include_str!("../transcripts/good.txt");
const POOR: &str = include_str!("../transcripts/poor.txt");

#[test]
fn a_good_call() {
    let call = measure(&Transcript::read(GOOD).unwrap());
    assert!((0.3..0.55).contains(&call.talk_ratio), "{call:?}");
    assert_eq!((call.questions, call.interruptions, call.fillers), (7, 0, 0), "{call:?}");
    assert!(call.longest_monologue < 30.0 && call.sentiment > 0.1 && call.sentiment_change > 0.3, "{call:?}");
    for topic in ["pricing", "contract"] {
        assert!(call.topics.iter().any(|told| told == topic), "{topic}: {call:?}");
    }
    let (points, remarks) = score(&call);
    assert!(points >= 85, "{points} {remarks:?}");
}

#[test]
fn a_poor_call() {
    let call = measure(&Transcript::read(POOR).unwrap());
    assert!(call.talk_ratio > 0.7 && call.longest_monologue > 30.0, "{call:?}");
    assert_eq!((call.questions, call.interruptions), (0, 2), "{call:?}");
    assert!(call.fillers >= 15 && call.sentiment < -0.1, "{call:?}");
    let (points, remarks) = score(&call);
    assert!(points <= 40 && remarks.iter().any(|remark| !remark.is_good), "{points} {remarks:?}");
}

#[test]
fn a_job_from_beginning_to_end() {
    let seen = std::cell::RefCell::new(Vec::new());
    let result = run(&json!({"transcript": GOOD, "companyId": "rec_1"}), |progress, message| {
        seen.borrow_mut().push(progress);
        assert!(!message.is_empty());
    })
    .unwrap();
    assert!(seen.borrow().is_sorted());
    for name in
        ["score", "talkRatio", "longestMonologueSeconds", "questions", "interruptions", "fillerWords", "sentiment", "topics", "strengths"]
    {
        assert!(!result[name].is_null(), "{name}");
    }
    assert_eq!(result["speakers"], json!(["Agent", "Dana"]));
}

#[test]
fn what_cannot_be_done_is_said() {
    let fault = |input: serde_json::Value| run(&input, |_, _| ()).unwrap_err().code;
    assert_eq!(fault(json!({"recordingUrl": "https://example.com/call.mp3"})), "no_transcript");
    assert_eq!(fault(json!({"transcript": " \n "})), "no_speech");
    let odd = "a: b: c\n::::\n[99:99:99] : x\n\u{202e}Agent: hi?\n".repeat(500);
    assert!(run(&json!({"transcript": odd}), |_, _| ()).is_ok());
}
