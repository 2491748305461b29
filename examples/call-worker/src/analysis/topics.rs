//! What was spoken of.

use super::Transcript;

/// A topic, and the words that tell of it: whole words, or their beginnings where they end with `*`.
const TOPICS: &[(&str, &[&str])] = &[
    ("pricing", &["price*", "pricing", "cost*", "budget*", "discount*", "expensive", "cheap*", "fee", "fees", "quote", "afford*"]),
    ("contract", &["contract*", "agreement*", "terms", "renew*", "cancel*", "legal", "sign", "signature", "procurement"]),
    ("competition", &["competitor*", "competing", "alternative*", "compare*", "comparison", "switch*", "vendor*"]),
    ("integration", &["integrat*", "api", "crm", "salesforce", "hubspot", "import*", "export*", "sync*", "webhook*"]),
    ("security", &["security", "secure", "privacy", "gdpr", "compliance", "audit*", "encrypt*", "sso"]),
    ("onboarding", &["onboard*", "training", "train", "implement*", "rollout", "setup", "migrat*", "launch*"]),
    ("support", &["support", "ticket*", "help", "response", "sla", "outage*", "downtime"]),
    (
        "timeline",
        &[
            "deadline*",
            "quarter",
            "month*",
            "week*",
            "timeline",
            "schedule*",
            "january",
            "february",
            "march",
            "april",
            "june",
            "july",
            "september",
            "october",
            "november",
            "december",
        ],
    ),
    ("decision", &["decide*", "decision*", "approve*", "approval", "boss", "manager", "director", "cfo", "ceo", "board", "stakeholder*"]),
    ("results", &["result*", "roi", "revenue", "grow*", "save", "saves", "savings", "conversion*", "efficien*", "productiv*"]),
    ("team", &["team*", "reps", "agents", "staff", "hire*", "hiring", "coach*"]),
    ("next steps", &["demo", "trial", "pilot", "follow", "meeting", "calendar", "invite*", "tomorrow", "proposal*"]),
];
/// How often a topic must be spoken of.
const LEAST: usize = 2;
/// Most topics.
const MOST: usize = 6;

/// The topics of a call, the most spoken of first.
pub fn topics(transcript: &Transcript) -> Vec<String> {
    let text = transcript.turns.iter().map(|turn| turn.text.to_lowercase()).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let told = |marks: &[&str]| {
        let is = |word: &str, mark: &str| mark.strip_suffix('*').map_or(word == mark, |stem| word.starts_with(stem));
        words.iter().filter(|word| marks.iter().any(|mark| is(word, mark))).count()
    };
    let mut found: Vec<(usize, &str)> = TOPICS.iter().map(|(name, marks)| (told(marks), *name)).filter(|(n, _)| *n >= LEAST).collect();
    found.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    found.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_spoken_of_first() {
        let call = Transcript::read(
            "Agent: The price is fair.\nDana: Our budget is small, and the cost of Salesforce is high.\nAgent: The API syncs.",
        )
        .unwrap();
        assert_eq!(topics(&call), ["pricing", "integration"]);
        assert!(topics(&Transcript::read("Agent: The weather is nice.").unwrap()).is_empty());
    }
}
