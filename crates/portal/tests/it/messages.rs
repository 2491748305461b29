//! Every text is in every language, with the same places for values, and every text is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use portal::words::{Lang, messages};

/// Keys that are put together from a group and a name (`pick`, `known`, months).
const GROUPS: [&str; 3] = ["fault", "fault_at", "time.month"];

fn table(lang: Lang) -> BTreeMap<&'static str, &'static str> {
    messages(lang).collect()
}

/// The values that a text wants.
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
}

/// The last part of a key that is one of a number's forms; such a text may leave the number out, as "one key" does.
fn is_form_of_number(key: &str) -> bool {
    key.ends_with(".one") || key.ends_with(".two")
}

#[test]
fn every_text_is_in_every_language() {
    let english = table(Lang::English);
    assert!(english.len() > 150, "only {} texts", english.len());
    let mut faults = Vec::new();
    for lang in Lang::ALL {
        let other = table(lang);
        faults.extend(english.keys().filter(|key| !other.contains_key(*key)).map(|key| format!("{} lacks {key}", lang.tag())));
        faults.extend(other.keys().filter(|key| !english.contains_key(*key)).map(|key| format!("{} alone has {key}", lang.tag())));
        for (key, text) in &other {
            if text.trim().is_empty() {
                faults.push(format!("{} says nothing for {key}", lang.tag()));
            }
            let wanted = english.get(key).map(|text| places(text)).unwrap_or_default();
            let fits = if is_form_of_number(key) { places(text).is_subset(&wanted) } else { places(text) == wanted };
            if !fits {
                faults.push(format!("{} has {:?} in {key}, where English has {wanted:?}", lang.tag(), places(text)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A Hebrew text that says exactly what the English one says was not translated: only names and units may be the same.
#[test]
fn hebrew_is_hebrew() {
    let english = table(Lang::English);
    for (key, text) in table(Lang::Hebrew) {
        assert!(text != english[key] && text.chars().any(|c| ('א'..='ת').contains(&c)), "{key} is not translated: {text}");
    }
}

#[test]
fn every_text_is_used_and_every_used_one_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["templates", "src"] {
        collect(&root.join(folder), &mut files);
    }
    let sources: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let (known, used) = (table(Lang::English), used(&sources));
    let groups: BTreeSet<String> = used.groups.iter().cloned().chain(GROUPS.map(str::to_owned)).collect();
    let missing: Vec<&String> = used.keys.iter().filter(|key| !known.contains_key(key.as_str())).collect();
    assert!(missing.is_empty(), "texts that pages ask for and that are nowhere: {missing:?}");
    let counted: Vec<&String> = used.counts.iter().filter(|key| !known.contains_key(format!("{key}.other").as_str())).collect();
    assert!(counted.is_empty(), "numbers without forms: {counted:?}");
    let unused: Vec<&&str> = known
        .keys()
        .filter(|key| !used.keys.contains(**key) && !used.quoted.contains(**key))
        .filter(|key| key.rsplit_once('.').is_none_or(|(group, _)| !groups.contains(group) && !used.counts.contains(group)))
        .filter(|key| !key.starts_with("time."))
        .collect();
    assert!(unused.is_empty(), "texts that no page asks for: {unused:?}");
}

/// What the sources ask for.
#[derive(Default)]
struct Used {
    /// By the functions that show texts.
    keys: BTreeSet<String>,
    /// In quotes, wherever: a label that is handed to a piece, for example.
    quoted: BTreeSet<String>,
    groups: BTreeSet<String>,
    counts: BTreeSet<String>,
}

/// Keys stand in quotes: as arguments of the texts' functions, and as labels and hints of fields.
fn used(sources: &str) -> Used {
    let mut used = Used::default();
    let pieces: Vec<&str> = sources.split('"').collect();
    for pair in pieces.windows(2) {
        let (before, text) = (pair[0], pair[1]);
        let is_key =
            text.len() < 60 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
        if !is_key {
            continue;
        }
        used.quoted.insert(text.to_owned());
        match before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '(').next().unwrap_or_default() {
            "count(" => used.counts.insert(text.to_owned()),
            "pick(" => used.groups.insert(text.to_owned()),
            "t(" | "t1(" | "rich1(" | "rich2(" | "text(" | "with(" | "html(" => used.keys.insert(text.to_owned()),
            _ if text.starts_with("field.") || text.ends_with("hint") && text.contains('.') => used.keys.insert(text.to_owned()),
            _ => false,
        };
    }
    // The question for an address is one template under several groups.
    for group in ["magic", "reset"] {
        used.keys.extend(["title", "lead", "go"].map(|name| format!("{group}.{name}")));
    }
    used
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, out) } else { out.push(path) }
    }
}
