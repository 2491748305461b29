//! Who speaks, and how.

use super::{Role, Transcript, Turn};

/// Sounds that are never anything else.
const SOUNDS: &[&str] = &["um", "umm", "uh", "uhh", "uhm", "er", "erm", "hmm", "mm", "ah", "eh"];
/// Words that are fillers where they stand between commas, or begin a sentence before one.
const SET_OFF: &[&str] = &["like", "well", "so", "right", "okay", "actually", "basically", "literally", "honestly", "obviously"];
/// Phrases that are.
const PHRASES: &[&str] = &["you know", "i mean", "sort of", "kind of", "you see", "to be honest", "at the end of the day"];

fn of(transcript: &Transcript, role: Role) -> impl Iterator<Item = &Turn> {
    transcript.turns.iter().filter(move |turn| turn.role == role)
}

/// The agent's share of the time.
pub fn talk_ratio(transcript: &Transcript) -> f64 {
    let total: f64 = transcript.turns.iter().map(|turn| turn.seconds).sum();
    let agents: f64 = of(transcript, Role::Agent).map(|turn| turn.seconds).sum();
    if total > 0.0 { agents / total } else { 0.0 }
}

/// The longest time that the agent spoke without anybody else, in seconds. A word of assent is no end: `Mm-hmm.`
pub fn longest_monologue(transcript: &Transcript) -> f64 {
    let (mut longest, mut present) = (0.0_f64, 0.0_f64);
    for turn in &transcript.turns {
        match turn.role {
            Role::Agent => {
                present += turn.seconds;
                longest = longest.max(present);
            }
            Role::Customer if turn.words() > 2 || turn.text.contains('?') => present = 0.0,
            Role::Customer => {}
        }
    }
    longest
}

/// The agent's questions.
pub fn questions(transcript: &Transcript) -> usize {
    of(transcript, Role::Agent).flat_map(Turn::sentences).filter(|sentence| sentence.ends_with('?')).count()
}

/// How often the agent cut the customer short: the customer's turn ends with a dash, and the agent's follows.
pub fn interruptions(transcript: &Transcript) -> usize {
    let cut = |turn: &Turn| {
        let text = turn.text.trim_end_matches(['"', '\'', ' ']);
        turn.role == Role::Customer && (text.ends_with('—') || text.ends_with('–') || text.ends_with("--") || text.ends_with(" -"))
    };
    transcript.turns.windows(2).filter(|pair| cut(&pair[0]) && pair[1].role == Role::Agent).count()
}

/// The agent's filler words.
pub fn fillers(transcript: &Transcript) -> usize {
    of(transcript, Role::Agent).map(|turn| in_text(&turn.text)).sum()
}

fn in_text(text: &str) -> usize {
    let text = text.to_lowercase();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let plain: Vec<String> = words.iter().map(|word| bare(word)).collect();
    let sounds = plain.iter().filter(|word| SOUNDS.contains(&word.as_str())).count();
    let set_off = (0..words.len()).filter(|&at| {
        let before = at == 0 || words[at - 1].ends_with([',', '.', '!', '?']);
        SET_OFF.contains(&plain[at].as_str()) && before && words[at].ends_with(',')
    });
    let joined = format!(" {} ", plain.join(" "));
    let phrases: usize = PHRASES.iter().map(|phrase| joined.matches(&format!(" {phrase} ")).count()).sum();
    sounds + set_off.count() + phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Transcript {
        Transcript::read(text).unwrap()
    }

    #[test]
    fn fillers_are_told_from_words() {
        for (text, n) in [
            ("Um, so, uh, we are, like, the best.", 4),
            ("I would like to show you how it works. It is kind of new, you know.", 2),
            ("It looks like rain. So it is. Well done.", 0),
            ("Basically, it is simple. I mean it.", 2),
            ("The umbrella era", 0),
        ] {
            assert_eq!(in_text(text), n, "{text}");
        }
    }

    #[test]
    fn a_word_of_assent_does_not_end_a_monologue() {
        let long = "word ".repeat(50);
        let text = format!("Agent: {long}\nDana: Mm-hmm.\nAgent: {long}\nDana: I see what you mean there.\nAgent: Good.");
        assert!((longest_monologue(&read(&text)) - 40.0).abs() < 1e-9);
        let asked = format!("Agent: {long}\nDana: Why?\nAgent: {long}");
        assert!((longest_monologue(&read(&asked)) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn only_the_agents_interruptions_and_questions_count() {
        let call = read(
            "Agent: How are you? And the team?\nDana: Fine, but I was going to--\nAgent: Great! So--\nDana: Wait. Why?\nAgent: Sorry.",
        );
        assert_eq!((interruptions(&call), questions(&call)), (1, 2));
    }

    #[test]
    fn the_ratio_is_of_time() {
        let call = read("Agent: one two three\nDana: one two three four five six seven eight nine");
        assert!((talk_ratio(&call) - 0.25).abs() < 1e-9);
    }
}
