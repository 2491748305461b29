//! A practice call: a customer with objections, an agent who answers as a coach would have it, and how the call measures up.

use serde_json::{Value, json};

use crate::analysis::{self, Fault, Transcript};

/// What customers object, and what may be answered.
const OBJECTIONS: &[(&str, &str, &str)] = &[
    (
        "price",
        "That sounds expensive. We have no budget for that this year.",
        "I understand. What does the problem cost you today, in hours or in lost deals? Let us see whether it pays for itself.",
    ),
    (
        "timing",
        "This is not a good time. We are in the middle of a migration.",
        "That is fair. What would have to be done first, and when would you like to look at this again?",
    ),
    (
        "competition",
        "We already use a tool for that, and the team is happy with it.",
        "Good to hear. What do you like most about it, and what do you still do by hand?",
    ),
    (
        "authority",
        "I cannot decide that alone. My director has to approve it.",
        "Of course. What will your director want to know? Shall we prepare that together, or meet the three of us?",
    ),
    (
        "trust",
        "We tried something like this before, and it was a disappointment. Nobody used it.",
        "Thank you for telling me. What went wrong then? I would rather start small, with two people who want it.",
    ),
    (
        "effort",
        "My people have no time to learn another tool. Honestly, they hate new tools.",
        "How much time do they have in a week? The first session takes twenty minutes, and it uses their own calls.",
    ),
];
const OPENING: &[(&str, &str)] = &[
    ("Agent", "Good morning, this is Alex. Is this still a good time for the half hour that we planned?"),
    ("Customer", "Yes, go ahead. But I have another meeting right after this."),
    ("Agent", "Then I will keep it short. What made you take this call today?"),
];
const CLOSING: &[(&str, &str)] = &[
    ("Agent", "If we could solve that, what would be a good next step for you?"),
    ("Customer", "A short trial with two people would be fine. That sounds good, thank you."),
    ("Agent", "Great. I will send the invite for Tuesday, and a page on what we agreed. Is that right?"),
    ("Customer", "Perfect. I appreciate it."),
];

/// How many objections, by difficulty.
fn objections(difficulty: &str) -> usize {
    match difficulty {
        "easy" => 1,
        "hard" => 5,
        _ => 3,
    }
}

/// Does a job of type `simulation.run`; `step` is told how far it is.
///
/// # Errors
/// None that a call could bring; the form is that of all jobs.
pub fn run(input: &Value, step: impl Fn(u32, &str)) -> Result<Value, Fault> {
    let scenario = input["scenario"].as_str().unwrap_or("A first call with a sales director");
    let difficulty = input["difficulty"].as_str().unwrap_or("normal");
    let most = input["turns"].as_u64().and_then(|turns| usize::try_from(turns).ok()).unwrap_or(100);
    step(10, "Setting the scene");
    let mut turns: Vec<(String, String)> = said(OPENING);
    turns
        .push(("Customer".to_owned(), format!("Well, this: {}. It costs us time every week.", scenario.trim_end_matches(['.', '!', '?']))));
    turns.push(("Agent".to_owned(), "How do you deal with that today, and who is affected most?".to_owned()));
    turns.push(("Customer".to_owned(), "Mostly by hand. My team leads spend hours on it, and it is frustrating.".to_owned()));
    let chosen = choose(scenario, objections(difficulty));
    for (n, (name, objection, answer)) in chosen.iter().enumerate() {
        step(u32::try_from(20 + 50 * n / chosen.len()).unwrap_or(50), &format!("The customer objects: {name}"));
        turns.push(("Customer".to_owned(), (*objection).to_owned()));
        turns.push(("Agent".to_owned(), (*answer).to_owned()));
        turns.push(("Customer".to_owned(), "That is a fair question. Let me think about it.".to_owned()));
    }
    turns.extend(said(CLOSING));
    turns.truncate(most.max(2));
    step(80, "Measuring the call");
    let text: Vec<String> = turns.iter().map(|(speaker, text)| format!("{speaker}: {text}")).collect();
    let measures = analysis::measure(&Transcript::read(&text.join("\n"))?);
    let (points, remarks) = analysis::score(&measures);
    step(95, "Writing it down");
    let shown: Vec<Value> = turns.iter().map(|(speaker, text)| json!({"speaker": speaker, "text": text})).collect();
    Ok(json!({
        "scenario": scenario,
        "difficulty": difficulty,
        "score": points,
        "talkRatio": analysis::rounded(measures.talk_ratio, 3),
        "questions": measures.questions,
        "sentiment": analysis::rounded(measures.sentiment, 3),
        "objections": chosen.iter().map(|(name, ..)| *name).collect::<Vec<_>>(),
        "turns": shown,
        "feedback": remarks.into_iter().map(|remark| remark.text).collect::<Vec<_>>(),
    }))
}

fn said(turns: &[(&str, &str)]) -> Vec<(String, String)> {
    turns.iter().map(|(speaker, text)| ((*speaker).to_owned(), (*text).to_owned())).collect()
}

/// Those that the scenario speaks of first, then others; the same scenario has always the same.
fn choose(scenario: &str, n: usize) -> Vec<(&'static str, &'static str, &'static str)> {
    let scenario = scenario.to_lowercase();
    let shift = scenario.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte))) % OBJECTIONS.len();
    let turned = OBJECTIONS.iter().cycle().skip(shift).take(OBJECTIONS.len());
    let (mut named, others): (Vec<_>, Vec<_>) = turned.copied().partition(|(name, ..)| scenario.contains(name));
    named.extend(others);
    named.truncate(n);
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_its_scenario_and_as_many_objections_as_asked_for() {
        for (difficulty, n) in [("easy", 1), ("normal", 3), ("hard", 5)] {
            let input = json!({"scenario": "The customer worries about price", "difficulty": difficulty});
            let seen = std::cell::RefCell::new(Vec::new());
            let call = run(&input, |progress, _| seen.borrow_mut().push(progress)).unwrap();
            assert_eq!(call["objections"].as_array().unwrap().len(), n);
            assert_eq!(call["objections"][0], "price");
            assert!(call["turns"].to_string().contains("worries about price"));
            assert!(seen.borrow().is_sorted() && seen.borrow().last() == Some(&95));
            assert!(call["score"].as_u64().unwrap() > 40, "{call}");
        }
    }

    #[test]
    fn it_is_as_short_as_asked_for() {
        assert_eq!(run(&json!({"turns": 4}), |_, _| ()).unwrap()["turns"].as_array().unwrap().len(), 4);
        assert!(run(&json!({}), |_, _| ()).is_ok());
    }
}
