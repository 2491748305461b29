//! Reading a transcript: one turn a line, `Speaker: words`, with a time before it where there is one.

use super::{Fault, count};

/// How fast people speak, in words a second, where there are no times.
const PACE: f64 = 2.5;
/// Labels of those who sell.
const AGENTS: &[&str] = &["agent", "rep", "representative", "seller", "sales", "salesperson", "advisor", "consultant", "host", "coach"];

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Who sells.
    Agent,
    /// Everybody else.
    Customer,
}

/// What one said before another did.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// As the transcript names them.
    pub speaker: String,
    /// Which side they are on.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// How long it took: until the next turn, or as long as so many words take.
    pub seconds: f64,
}

impl Turn {
    /// How many words.
    pub fn words(&self) -> usize {
        self.text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
    }

    /// Its sentences.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(['.', '!', '?', ';']).map(str::trim).filter(|text| text.chars().any(char::is_alphanumeric))
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// In order; never empty.
    pub turns: Vec<Turn>,
}

/// A line as it was read.
struct Line<'a> {
    at: Option<f64>,
    speaker: &'a str,
    text: String,
}

impl Transcript {
    /// Reads one. Lines that name no speaker go on with what was said before them.
    ///
    /// # Errors
    /// `no_speech`: nobody says anything in it.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let mut lines: Vec<Line<'_>> = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match (read_line(line), lines.last_mut()) {
                (Some(read), _) => lines.push(read),
                (None, Some(before)) => before.text = format!("{} {line}", before.text),
                (None, None) => lines.push(Line { at: None, speaker: "Agent", text: line.to_owned() }),
            }
        }
        lines.retain(|line| line.text.chars().any(char::is_alphanumeric));
        if lines.is_empty() {
            return Err(Fault::new("no_speech", "Nobody says anything in this transcript."));
        }
        let agent = agent(&lines);
        let turns = lines.iter().enumerate().map(|(n, line)| {
            let role = if line.speaker.eq_ignore_ascii_case(&agent) { Role::Agent } else { Role::Customer };
            let mut turn = Turn { speaker: line.speaker.to_owned(), role, text: line.text.clone(), seconds: 0.0 };
            let spoken = count(turn.words()) / PACE;
            let until = lines.get(n + 1).and_then(|next| next.at);
            // A pause is nobody's: at most twice as long as the words take.
            turn.seconds = line.at.zip(until).map_or(spoken, |(from, until)| (until - from).clamp(0.0, spoken * 2.0));
            turn
        });
        Ok(Self { turns: turns.collect() })
    }

    /// Each speaker once, in order.
    pub fn speakers(&self) -> Vec<&str> {
        let mut seen: Vec<&str> = Vec::new();
        for turn in &self.turns {
            if !seen.iter().any(|known| known.eq_ignore_ascii_case(&turn.speaker)) {
                seen.push(&turn.speaker);
            }
        }
        seen
    }
}

/// Who is called so, or else who speaks first.
fn agent(lines: &[Line<'_>]) -> String {
    let is_agent = |name: &str| {
        let name = name.to_lowercase();
        AGENTS.iter().any(|label| name.split(|c: char| !c.is_alphanumeric()).any(|word| word == *label))
    };
    lines.iter().find(|line| is_agent(line.speaker)).or(lines.first()).map_or_else(String::new, |line| line.speaker.to_owned())
}

/// `[00:12] Agent: Hello.`, `00:12 Agent: Hello.`, `Agent (00:12): Hello.`, `Agent: Hello.`
fn read_line(line: &str) -> Option<Line<'_>> {
    let (before, rest) = time_at_start(line);
    let (head, text) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|head| (head, "")))?;
    let (speaker, inside) = match head.split_once('(') {
        Some((speaker, inside)) => (speaker.trim(), time(inside.trim_end_matches(')').trim())),
        None => (head.trim(), None),
    };
    let is_name = !speaker.is_empty() && speaker.len() <= 60 && speaker.split_whitespace().count() <= 4;
    is_name.then(|| Line { at: before.or(inside), speaker, text: text.trim().to_owned() })
}

fn time_at_start(line: &str) -> (Option<f64>, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match time(word.trim_start_matches(['[', '(']).trim_end_matches([']', ')'])) {
        Some(at) => (Some(at), rest.trim_start().trim_start_matches("- ")),
        None => (None, line),
    }
}

/// `12:34` or `1:12:34`, in seconds.
fn time(text: &str) -> Option<f64> {
    let parts: Vec<f64> = text.split(':').map(|part| part.parse().ok().filter(|n: &f64| *n >= 0.0)).collect::<Option<_>>()?;
    matches!(parts.len(), 2 | 3).then(|| parts.iter().fold(0.0, |sum, part| sum * 60.0 + part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_speakers_and_times() {
        let read =
            Transcript::read("[00:00] Sales Rep: Hello there.\n[00:04] Ms. Levi: Hi.\nIt is a good time.\n[00:08] Sales Rep: Great.")
                .unwrap();
        let seen: Vec<(&str, Role, &str)> = read.turns.iter().map(|turn| (turn.speaker.as_str(), turn.role, turn.text.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("Sales Rep", Role::Agent, "Hello there."),
                ("Ms. Levi", Role::Customer, "Hi. It is a good time."),
                ("Sales Rep", Role::Agent, "Great.")
            ]
        );
        assert!((read.turns[1].seconds - 4.0).abs() < 1e-9 && (read.turns[2].seconds - 0.4).abs() < 1e-9);
    }

    #[test]
    fn reads_other_forms() {
        for text in ["Agent (00:01): Hi.\nDana (00:03): Hi.", "00:01 - Agent: Hi.\n00:03 - Dana: Hi.", "Agent: Hi.\r\n\r\nDana: Hi."] {
            assert_eq!(Transcript::read(text).unwrap().speakers(), ["Agent", "Dana"], "{text}");
        }
        assert_eq!(Transcript::read("Tom: Hi.\nAnn: Hello.").unwrap().turns[0].role, Role::Agent, "who speaks first");
        assert_eq!(Transcript::read("Just words without a speaker").unwrap().turns.len(), 1);
        assert_eq!(Transcript::read("\n \n").unwrap_err().code, "no_speech");
        assert_eq!(Transcript::read("Agent:\nDana: ...").unwrap_err().code, "no_speech");
    }

    #[test]
    fn a_link_is_no_speaker() {
        let read = Transcript::read("Agent: See https://example.com for more: it is all there.\nDana: Fine.").unwrap();
        assert_eq!(read.speakers(), ["Agent", "Dana"]);
    }
}
