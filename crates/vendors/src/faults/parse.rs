//! Faults as text.

use std::time::Duration;

use super::{Fault, Kind, RetryAfter};

impl Fault {
    /// Reads `kind[,name=value]…`; the module's table has the kinds, and `method`, `path`, `body`, `after`, `times` go with each.
    ///
    /// Errors: what is not understood, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut settings = Vec::new();
        for part in parts {
            settings.push(part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form name=value"))?);
        }
        let mut take = |name: &str| settings.iter().position(|(key, _)| *key == name).map(|at| settings.remove(at).1.to_owned());
        let mut fault = if name == "lost-refresh" { Self::lost_refresh() } else { Self::new(kind(name, &mut take)?) };
        if let Some(method) = take("method") {
            fault.method = Some(method.to_uppercase().parse().map_err(|_| format!("`{method}` is no method"))?);
        }
        fault.path = take("path").or(fault.path);
        fault.body = take("body").or(fault.body);
        fault.after = take("after").map_or(Ok(0), |value| number(&value))?;
        fault.times = take("times").map(|value| number(&value)).transpose()?;
        match settings.first() {
            None => Ok(fault),
            Some((key, _)) => Err(format!("`{name}` has no setting `{key}`")),
        }
    }
}

fn kind(name: &str, take: &mut impl FnMut(&str) -> Option<String>) -> Result<Kind, String> {
    let mut setting = |name: &str, otherwise: u64| take(name).map_or(Ok(otherwise), |value| number(&value));
    Ok(match name {
        "rate-limit" => match (setting("retry-after", u64::MAX)?, setting("retry-date", u64::MAX)?) {
            (u64::MAX, u64::MAX) => Kind::RateLimit(RetryAfter::Silent),
            (u64::MAX, seconds) => Kind::RateLimit(RetryAfter::Date(seconds)),
            (seconds, _) => Kind::RateLimit(RetryAfter::Seconds(seconds)),
        },
        "forbidden" => Kind::Forbidden,
        "unauthorized" => Kind::Unauthorized,
        "scope-removed" => Kind::ScopeRemoved,
        "html" => Kind::Html(status(setting("status", 503)?)?),
        "server-error" => Kind::ServerError(status(setting("status", 500)?)?),
        "error-inside" => Kind::ErrorInside,
        "lost-request" => Kind::LostRequest,
        "lost-answer" => Kind::LostAnswer,
        "cut-body" => Kind::CutBody,
        "slow" => Kind::Slow(Duration::from_millis(setting("ms", 1000)?)),
        "partial-batch" => Kind::PartialBatch { every: setting("every", 3)?.max(1) },
        "duplicate-rows" => Kind::DuplicateRows,
        "index-lag" => Kind::IndexLag(Duration::from_millis(setting("ms", 5000)?)),
        "duplicate-webhooks" => Kind::DuplicateWebhooks,
        "reorder-webhooks" => Kind::ReorderWebhooks,
        "lost-webhooks" => Kind::LostWebhooks,
        _ => return Err(format!("there is no fault `{name}`; see `vendors --help`")),
    })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no whole number"))
}

fn status(number: u64) -> Result<u16, String> {
    u16::try_from(number).ok().filter(|status| (400..600).contains(status)).ok_or_else(|| format!("{number} is no status of an error"))
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faults_are_read_with_their_place() {
        let expected = Fault::new(Kind::RateLimit(RetryAfter::Seconds(7))).at("/search").on(Method::POST).after(2).times(1);
        assert_eq!(Fault::parse("rate-limit,retry-after=7,path=/search,method=post,after=2,times=1"), Ok(expected));
        assert_eq!(Fault::parse("html").unwrap().kind, Kind::Html(503));
        assert_eq!(Fault::parse("lost-refresh,times=1"), Ok(Fault::lost_refresh().times(1)));
        assert_eq!(Fault::parse("rate-limit,retry-date=3").unwrap().kind, Kind::RateLimit(RetryAfter::Date(3)));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, part) in [
            ("rain", "no fault `rain`"),
            ("html,status=200", "200 is no status"),
            ("html,colour=red", "no setting `colour`"),
            ("slow,ms", "name=value"),
            ("slow,ms=soon", "no whole number"),
        ] {
            assert!(Fault::parse(text).unwrap_err().contains(part), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_fault_or_an_error(text in ".{0,60}") {
            let _ = Fault::parse(&text);
        }
    }
}
