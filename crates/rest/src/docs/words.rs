//! The words around the documentation, in the languages of the portal. What is generated (summaries, descriptions) is as its source says it.

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    English,
    Hebrew,
}

impl Lang {
    /// The first of `wanted` (tags as in `Accept-Language`, the preferred first) that the pages speak.
    pub(crate) fn choose<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        wanted.into_iter().find_map(|tag| match tag.trim().split(['-', ';']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "he" | "iw" => Some(Self::Hebrew),
            _ => None,
        })
    }

    /// For the attribute `lang`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hebrew => "he",
        }
    }

    /// For the attribute `dir`.
    pub(crate) fn direction(self) -> &'static str {
        match self {
            Self::English => "ltr",
            Self::Hebrew => "rtl",
        }
    }

    /// The word for `english`; itself where there is none.
    pub(crate) fn say(self, english: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Hebrew => HEBREW.iter().find(|(word, _)| *word == english).map_or(english, |(_, hebrew)| hebrew),
        }
    }
}

/// Every word of the pages that is translated.
const HEBREW: &[(&str, &str)] = &[
    ("Skip to the content", "דילוג לתוכן"),
    ("Documentation", "תיעוד"),
    ("Overview", "סקירה"),
    ("Getting started", "צעדים ראשונים"),
    ("Events", "אירועים"),
    ("Error codes", "קודי שגיאה"),
    ("Reference", "מדריך API"),
    ("Documents", "מסמכים"),
    ("All operations", "כל הפעולות"),
    ("Find an operation", "חיפוש פעולה"),
    ("API key", "מפתח API"),
    ("Second secret", "סוד שני"),
    ("Tenant (service keys only)", "דייר (למפתחות שירות בלבד)"),
    ("Use this key", "שימוש במפתח"),
    ("Forget it", "לשכוח אותו"),
    ("It stays in this tab and is sent to this server only.", "המפתח נשאר בלשונית זו ונשלח לשרת זה בלבד."),
    ("Sign in", "כניסה"),
    ("Client id", "מזהה לקוח"),
    ("Or sign in, as people do for an application.", "או להיכנס, כמו שנכנסים עבור יישום."),
    ("A public OAuth client with this redirect address", "לקוח OAuth ציבורי עם כתובת ההפניה הזאת"),
    ("Signing in works at this server's own address:", "הכניסה אפשרית בכתובת של השרת עצמו:"),
    ("Signing in needs https.", "הכניסה דורשת https."),
    ("This answer belongs to no sign-in of this tab. Begin again.", "התשובה אינה שייכת לכניסה מלשונית זו. יש להתחיל מחדש."),
    ("Try it", "ניסיון"),
    ("Send", "שליחה"),
    ("Parameters", "פרמטרים"),
    ("Request body", "גוף הבקשה"),
    ("Answers", "תשובות"),
    ("Example", "דוגמה"),
    ("Code samples", "דוגמאות קוד"),
    ("Needs", "נדרש"),
    ("No credential needed", "ללא הזדהות"),
    ("Deprecated", "לא מומלץ לשימוש"),
    ("required", "חובה"),
    ("optional", "רשות"),
    ("Your key may call these operations only.", "אלה הפעולות שהמפתח שלכם רשאי לבצע."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_counts() {
        assert_eq!(Lang::choose(["fr-FR", " he-IL;q=0.8", "en"]), Some(Lang::Hebrew));
        assert_eq!(Lang::choose(["fr"]), None);
        assert_eq!(Lang::Hebrew.say("Send"), "שליחה");
        assert_eq!(Lang::Hebrew.say("not in the list"), "not in the list");
    }
}
