//! What a transcript says, measured. All of it is of the agent, but for the sentiment, which is the customer's.

mod score;
mod speech;
mod topics;
mod transcript;

use serde_json::{Value, json};
use vader_sentimental::SentimentIntensityAnalyzer;

pub use score::{Remark, score};
pub use speech::{fillers, interruptions, longest_monologue, questions, talk_ratio};
pub use topics::topics;
pub use transcript::{Role, Transcript, Turn};

/// Why a job cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

impl Fault {
    /// One.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measures {
    /// The agent's share of the time, 0 to 1.
    pub talk_ratio: f64,
    /// The longest time that the agent spoke alone, in seconds.
    pub longest_monologue: f64,
    /// The agent's questions.
    pub questions: usize,
    /// How often the agent cut the customer short.
    pub interruptions: usize,
    /// The agent's filler words.
    pub fillers: usize,
    /// The customer's sentiment, -1 to 1.
    pub sentiment: f64,
    /// The same of the last third, less that of the first: whether the call went well.
    pub sentiment_change: f64,
    /// How long the call took, in seconds.
    pub duration: f64,
    /// The agent's words.
    pub agent_words: usize,
    /// What was spoken of, the most first.
    pub topics: Vec<String>,
}

/// Measures a transcript.
pub fn measure(transcript: &Transcript) -> Measures {
    let (sentiment, sentiment_change) = sentiment(transcript);
    let of_agent = transcript.turns.iter().filter(|turn| turn.role == Role::Agent);
    Measures {
        talk_ratio: talk_ratio(transcript),
        longest_monologue: longest_monologue(transcript),
        questions: questions(transcript),
        interruptions: interruptions(transcript),
        fillers: fillers(transcript),
        sentiment,
        sentiment_change,
        duration: transcript.turns.iter().map(|turn| turn.seconds).sum(),
        agent_words: of_agent.map(Turn::words).sum(),
        topics: topics(transcript),
    }
}

/// The customer's, over all and from the first third to the last.
fn sentiment(transcript: &Transcript) -> (f64, f64) {
    let analyzer = SentimentIntensityAnalyzer::new();
    let felt: Vec<f64> = transcript
        .turns
        .iter()
        .filter(|turn| turn.role == Role::Customer)
        .flat_map(Turn::sentences)
        .map(|sentence| analyzer.polarity_scores(sentence).compound)
        .collect();
    let mean = |part: &[f64]| if part.is_empty() { 0.0 } else { part.iter().sum::<f64>() / count(part.len()) };
    let third = felt.len().div_ceil(3);
    let change = mean(&felt[felt.len().saturating_sub(third)..]) - mean(&felt[..third.min(felt.len())]);
    (mean(&felt), change)
}

#[allow(clippy::cast_precision_loss, reason = "counts of words and sentences")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}

pub(crate) fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

/// Does a job of type `call.analyze`; `step` is told how far it is.
///
/// # Errors
/// What is wrong with the input: there is no transcript, or nobody says anything in it.
pub fn run(input: &Value, step: impl Fn(u32, &str)) -> Result<Value, Fault> {
    step(5, "Reading the transcript");
    let text = input["transcript"].as_str().ok_or_else(|| {
        Fault::new("no_transcript", "This worker reads transcripts; it does not listen to recordings. Send the call's transcript.")
    })?;
    let transcript = Transcript::read(text)?;
    step(35, "Measuring who speaks, and how");
    let measures = measure(&transcript);
    step(70, "Weighing what was said");
    let (points, remarks) = score(&measures);
    step(95, "Writing it down");
    Ok(shown(&transcript, &measures, points, &remarks))
}

fn shown(transcript: &Transcript, measures: &Measures, points: u32, remarks: &[Remark]) -> Value {
    let texts = |good: bool| -> Vec<&str> { remarks.iter().filter(|one| one.is_good == good).map(|one| one.text.as_str()).collect() };
    json!({
        "score": points,
        "talkRatio": rounded(measures.talk_ratio, 3),
        "longestMonologueSeconds": rounded(measures.longest_monologue, 1),
        "questions": measures.questions,
        "interruptions": measures.interruptions,
        "fillerWords": measures.fillers,
        "sentiment": rounded(measures.sentiment, 3),
        "sentimentChange": rounded(measures.sentiment_change, 3),
        "topics": measures.topics,
        "durationSeconds": rounded(measures.duration, 1),
        "turns": transcript.turns.len(),
        "speakers": transcript.speakers(),
        "strengths": texts(true),
        "improvements": texts(false),
    })
}
