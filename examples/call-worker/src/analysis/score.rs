//! One number, and the reasons for it.

use super::{Measures, count};

/// A reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Whether it speaks for the agent.
    pub is_good: bool,
    /// In words.
    pub text: String,
}

/// How good a value is, 0 to 1: 1 between `low` and `high`, falling to 0 at `margin` beyond.
fn within(value: f64, low: f64, high: f64, margin: f64) -> f64 {
    let beyond = (low - value).max(value - high).max(0.0);
    (1.0 - beyond / margin).clamp(0.0, 1.0)
}

/// `no questions`, `1 question`, `2 questions`.
fn counted(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s").replace("no times", "at no time"),
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// 0 to 100, and why: each measure has its share, and says something when it is very good or needs work.
pub fn score(measures: &Measures) -> (u32, Vec<Remark>) {
    let minutes = (measures.duration / 60.0).max(0.5);
    let per_hundred = 100.0 * count(measures.fillers) / count(measures.agent_words.max(1));
    let rates = [
        (25.0, within(measures.talk_ratio, 0.35, 0.55, 0.35), format!("spoke {:.0} % of the time", measures.talk_ratio * 100.0)),
        (20.0, within(count(measures.questions) / minutes, 0.8, 6.0, 0.8), format!("asked {}", counted(measures.questions, "question"))),
        (
            15.0,
            within(measures.longest_monologue, 0.0, 60.0, 90.0),
            format!("spoke at most {:.0} s at a stretch", measures.longest_monologue),
        ),
        (
            15.0,
            within(count(measures.interruptions) / minutes, 0.0, 0.1, 1.0),
            format!("cut the customer short {}", counted(measures.interruptions, "time")),
        ),
        (10.0, within(per_hundred, 0.0, 1.5, 4.0), format!("used {}", counted(measures.fillers, "filler word"))),
        (
            15.0,
            within(measures.sentiment + measures.sentiment_change.max(0.0), 0.15, 2.0, 0.6),
            "left the customer in a good mood".to_owned(),
        ),
    ];
    let points: f64 = rates.iter().map(|(share, rate, _)| share * rate).sum();
    let mut remarks = Vec::new();
    for (at, (_, rate, text)) in rates.into_iter().enumerate() {
        let text = if at == 5 && rate <= 0.5 { "left the customer in no good mood".to_owned() } else { text };
        if rate >= 0.9 || rate <= 0.5 {
            remarks.push(Remark { is_good: rate >= 0.9, text: format!("The agent {text}.") });
        }
    }
    (whole(points), remarks)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn whole(points: f64) -> u32 {
    points.round().clamp(0.0, 100.0) as u32
}
