//! Every text colour can be read on every ground, light and dark: 4.5 : 1 (WCAG 2.2, 1.4.3); what outlines a field, 3 : 1 (1.4.11).

const GROUNDS: [&str; 3] = ["paper", "paper-2", "sea-soft"];
const INKS: [&str; 8] = ["ink", "ink-2", "ink-3", "sea", "good", "warn", "bad", "idle"];

/// Both values of a token of the style sheet, light and dark.
fn token(name: &str) -> [[f64; 3]; 2] {
    let marker = format!("--{name}: light-dark(");
    let (_, rest) = portal::STYLE.split_once(&marker).unwrap_or_else(|| panic!("--{name} is not in the style sheet"));
    let (pair, _) = rest.split_once(')').unwrap();
    let values: Vec<[f64; 3]> = pair.split(',').map(|value| rgb(value.trim())).collect();
    values.try_into().unwrap()
}

fn rgb(text: &str) -> [f64; 3] {
    let part = |at: usize| f64::from(u8::from_str_radix(&text[at..at + 2], 16).unwrap()) / 255.0;
    assert!(text.starts_with('#') && text.len() == 7, "{text}");
    [part(1), part(3), part(5)]
}

/// Relative luminance, as WCAG defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn check(ink: &str, ground: &str, least: f64, faults: &mut Vec<String>) {
    let (inks, grounds) = (token(ink), token(ground));
    for (theme, n) in [("light", 0), ("dark", 1)] {
        let found = contrast(inks[n], grounds[n]);
        if found < least {
            faults.push(format!("{theme}: {ink} on {ground} is {found:.2} : 1"));
        }
    }
}

#[test]
fn every_text_colour_can_be_read_on_every_ground() {
    assert!((contrast(rgb("#000000"), rgb("#ffffff")) - 21.0).abs() < 1e-9);
    let mut faults = Vec::new();
    for ink in INKS {
        for ground in GROUNDS {
            check(ink, ground, 4.5, &mut faults);
        }
    }
    check("on-sea", "sea", 4.5, &mut faults);
    check("on-bad", "bad", 4.5, &mut faults);
    check("field", "paper", 3.0, &mut faults);
    check("field", "paper-2", 3.0, &mut faults);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Nothing that is loaded from elsewhere, and nothing that points left or right: right-to-left has no sheet of its own.
#[test]
fn the_style_is_ours_and_has_no_sides() {
    let style = portal::STYLE;
    for word in [
        "url(",
        "@import",
        "margin-left",
        "margin-right",
        "padding-left",
        "padding-right",
        "border-left",
        "border-right",
        "text-align: left",
        "text-align: right",
        "float:",
    ] {
        assert!(!style.contains(word), "{word}");
    }
    assert!(style.contains("prefers-reduced-motion: reduce"));
}
