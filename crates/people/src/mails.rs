//! What is sent by mail: plain sentences and one link, in the reader's language where we have it.

use std::time::Duration;
use web::html::escape;

use kernel::{Error, Result};
use web::mail::Mail;

use crate::{People, errors};

/// How long the relay may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Why somebody is written to.
#[derive(Debug)]
pub(crate) enum Occasion {
    /// They want to sign in.
    MagicLink,
    /// They want a new password.
    PasswordReset,
    /// Somebody invited them into a tenant.
    Invitation {
        /// Its name.
        tenant: String,
    },
}

/// A message, before it has an id and a time.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: String,
    /// Paragraphs; the link stands alone in one of them.
    pub(crate) lines: Vec<String>,
    pub(crate) url: String,
    /// Whether it is read from right to left.
    pub(crate) is_rtl: bool,
}

/// Writes a letter. `from`: the address of whoever asked for it, so that the reader can tell whether it was them.
pub(crate) fn write(product: &str, to: &str, language: &str, occasion: &Occasion, url: &str, from: Option<&str>) -> Letter {
    let is_hebrew = language == "he" || language.starts_with("he-");
    let from = from.unwrap_or("?");
    let (subject, first, last) = if is_hebrew { hebrew(product, occasion, from) } else { english(product, occasion, from) };
    Letter { to: to.to_owned(), subject, lines: vec![first, last], url: url.to_owned(), is_rtl: is_hebrew }
}

fn english(product: &str, occasion: &Occasion, from: &str) -> (String, String, String) {
    match occasion {
        Occasion::MagicLink => (
            format!("Sign in to {product}"),
            "Use this link to sign in. It is good once, for 15 minutes.".to_owned(),
            format!("Somebody at {from} asked for it. If that was not you, do nothing: without the link nobody gets in."),
        ),
        Occasion::PasswordReset => (
            format!("A new password for {product}"),
            "Use this link to choose a new password. It is good once, for an hour.".to_owned(),
            format!("Somebody at {from} asked for it. If that was not you, do nothing: your password stays as it is."),
        ),
        Occasion::Invitation { tenant } => (
            format!("You are invited to {tenant} on {product}"),
            format!("Use this link to join {tenant}. It is good once, for seven days."),
            "If you do not know what this is about, do nothing.".to_owned(),
        ),
    }
}

fn hebrew(product: &str, occasion: &Occasion, from: &str) -> (String, String, String) {
    match occasion {
        Occasion::MagicLink => (
            format!("כניסה אל {product}"),
            "הקישור הזה מכניס אותך. הוא תקף פעם אחת, למשך 15 דקות.".to_owned(),
            format!("הבקשה הגיעה מהכתובת {from}. אם לא ביקשת, אין צורך לעשות דבר: בלי הקישור איש לא ייכנס."),
        ),
        Occasion::PasswordReset => (
            format!("סיסמה חדשה אל {product}"),
            "הקישור הזה מאפשר לבחור סיסמה חדשה. הוא תקף פעם אחת, למשך שעה.".to_owned(),
            format!("הבקשה הגיעה מהכתובת {from}. אם לא ביקשת, אין צורך לעשות דבר: הסיסמה שלך לא תשתנה."),
        ),
        Occasion::Invitation { tenant } => (
            format!("הוזמנת אל {tenant} ב־{product}"),
            format!("הקישור הזה מצרף אותך אל {tenant}. הוא תקף פעם אחת, למשך שבעה ימים."),
            "אם אינך יודע במה מדובר, אין צורך לעשות דבר.".to_owned(),
        ),
    }
}

impl Letter {
    fn text(&self) -> String {
        let [first, last] = [self.lines.first(), self.lines.last()].map(|line| line.map_or("", String::as_str));
        format!("{first}\n\n{}\n\n{last}\n", self.url)
    }

    fn html(&self) -> String {
        let direction = if self.is_rtl { "rtl" } else { "ltr" };
        let [first, last] = [self.lines.first(), self.lines.last()].map(|line| escape(line.map_or("", String::as_str)));
        let url = escape(&self.url);
        format!(
            "<!doctype html><html dir=\"{direction}\"><body style=\"font-family:sans-serif;color:#14212b\"><p>{first}</p>\
             <p dir=\"ltr\"><a href=\"{url}\" style=\"color:#0b6e7f\">{url}</a></p><p style=\"color:#5f6e79\">{last}</p></body></html>"
        )
    }
}

impl People {
    /// Sends a letter. Errors: 409 `mail_not_configured`; 503 `mail_failed`, with what the relay said in the log.
    pub(crate) async fn mail(&self, letter: Letter) -> Result<()> {
        let mailer = self.config.mailer.as_ref().ok_or_else(errors::mail_not_configured)?;
        let id = u128::from_le_bytes(self.ambient.bytes());
        let (text, html) = (letter.text(), letter.html());
        let mail = Mail { to: vec![letter.to], subject: letter.subject, text, html, id: format!("{id:032x}"), at: self.ambient.now() };
        let sent = mailer.send(&mail, LIMIT).await;
        sent.map(drop).map_err(|fault| {
            Error::unavailable("mail_failed", "The e-mail could not be sent. Try again later, or hand the link over in another way.")
                .caused_by(fault.text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tenants_are_called_becomes_no_markup() {
        let occasion = Occasion::Invitation { tenant: "<b>Acme</b> & \"Co\"".into() };
        let letter = write("Trade<wind>", "ada@example.com", "en", &occasion, "https://x.example/?token=a&b", Some("192.0.2.1"));
        let html = letter.html();
        assert!(!html.contains("<b>") && html.contains("&lt;b&gt;Acme&lt;/b&gt; &amp; &quot;Co&quot;"), "{html}");
        assert!(letter.text().contains("\n\nhttps://x.example/?token=a&b\n\n"));
    }

    #[test]
    fn the_readers_language_and_direction() {
        let letter = write("Tradewind", "ada@example.com", "he-IL", &Occasion::MagicLink, "https://x.example/", None);
        assert!(letter.is_rtl && letter.html().contains("dir=\"rtl\"") && letter.subject.contains("כניסה"));
        let letter = write("Tradewind", "ada@example.com", "fr", &Occasion::MagicLink, "https://x.example/", None);
        assert!(!letter.is_rtl && letter.subject == "Sign in to Tradewind");
    }
}
