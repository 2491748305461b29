//! In which form an answer is wanted.

use http::{HeaderMap, header};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`: a well-formed request is answered 200, whatever became of it.
    Json,
    /// `application/graphql-response+json`: the status says whether something was executed.
    Graphql,
    /// `text/event-stream`.
    Events,
}

impl Media {
    /// Its content type.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Graphql => "application/graphql-response+json; charset=utf-8",
            Self::Events => "text/event-stream; charset=utf-8",
        }
    }

    /// What `Accept` asks for: the one of the highest quality, the first of those; JSON where it says nothing. None: nothing of ours.
    pub(super) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        let mut said = false;
        for value in headers.get_all(header::ACCEPT) {
            for range in value.to_str().unwrap_or_default().split(',') {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next().unwrap_or_default().to_ascii_lowercase();
                if name.is_empty() {
                    continue;
                }
                said = true;
                let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|text| text.parse::<f32>().ok()).unwrap_or(1.0);
                let media = match name.as_str() {
                    "application/json" | "application/*" | "*/*" => Self::Json,
                    "application/graphql-response+json" => Self::Graphql,
                    "text/event-stream" => Self::Events,
                    _ => continue,
                };
                if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                    best = Some((quality, media));
                }
            }
        }
        if said { best.map(|(_, media)| media) } else { Some(Self::Json) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_chosen() {
        let wanted = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            Media::wanted(&headers)
        };
        assert_eq!(Media::wanted(&HeaderMap::new()), Some(Media::Json));
        for (accept, media) in [
            ("", Some(Media::Json)),
            ("*/*", Some(Media::Json)),
            ("application/json; charset=utf-8", Some(Media::Json)),
            ("application/graphql-response+json, application/json;q=0.9", Some(Media::Graphql)),
            ("application/json;q=0.5, application/graphql-response+json;q=0.9", Some(Media::Graphql)),
            ("text/event-stream", Some(Media::Events)),
            ("text/html", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(wanted(accept), media, "{accept}");
        }
    }
}
