//! The suite.

use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use super::player::{Answer, Delivery, Player};

/// What the receiver answered, as it should or not.
type Outcome = Result<String, String>;

/// One check.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) required: bool,
    pub(super) advice: &'static str,
    pub(super) play: for<'a> fn(&'a Player) -> BoxFuture<'a, Outcome>,
}

/// Beyond every tolerance that is in use.
const OLD: Duration = Duration::from_secs(3600);
/// Deliveries at once.
const AT_ONCE: usize = 10;

macro_rules! check {
    ($name:literal, $title:literal, $required:literal, $play:ident, $advice:literal) => {
        Check { name: $name, title: $title, required: $required, advice: $advice, play: |player| Box::pin($play(player)) }
    };
}

/// In the order in which they are played. The first is a good delivery, without which the others say nothing.
#[rustfmt::skip]
pub(super) const ALL: &[Check] = &[
    check!("good", "takes a good delivery", true, good,
        "Answer 2xx to a delivery whose signature is good. Verify the raw bytes of the body, with the base64-decoded part of the secret after whsec_."),
    check!("duplicate", "takes the same delivery twice", true, duplicate,
        "Delivery is at least once. Answer 2xx to a webhook-id that you have processed already, and do nothing."),
    check!("reordered", "takes an older event after a newer one", true, reordered,
        "Deliveries may overtake each other. Answer 2xx whatever the event's time is; compare times only when you apply it."),
    check!("wrong-signature", "refuses another secret's signature", true, wrong_signature,
        "Compare the signature with your own HMAC of the id, the timestamp and the body, and answer 401 when none is equal."),
    check!("tampered-body", "refuses a body that was changed", true, tampered_body,
        "Verify the signature over the bytes that arrived, not over what you expect them to be."),
    check!("tampered-id", "refuses an id that was changed", true, tampered_id,
        "The signed text is <webhook-id>.<webhook-timestamp>.<body>: all three parts."),
    check!("tampered-timestamp", "refuses a timestamp that was changed", true, tampered_timestamp,
        "The signed text has the timestamp of the header in it. Otherwise an old delivery can be made to look new."),
    check!("old-timestamp", "refuses a delivery that was signed an hour ago", true, old_timestamp,
        "Refuse a webhook-timestamp that is more than five minutes from your clock: it may be a recorded delivery that somebody plays again."),
    check!("future-timestamp", "refuses a delivery that was signed in an hour", false, future_timestamp,
        "Refuse timestamps that lie ahead as well: they stay playable for longer."),
    check!("missing-headers", "refuses deliveries without id, timestamp or signature", true, missing_headers,
        "A delivery without one of webhook-id, webhook-timestamp and webhook-signature is not ours: answer 4xx."),
    check!("garbage-signature", "refuses signatures that cannot be read", true, garbage_signature,
        "Parse webhook-signature with care: whatever stands there, the answer is 4xx and not 5xx, and never 2xx."),
    check!("rotation", "takes two signatures, either of them the right one", true, rotation,
        "While a secret is rotated webhook-signature has several entries, separated by spaces. One that is equal is enough, wherever it stands."),
    check!("other-versions", "passes over signatures of other versions", true, other_versions,
        "Skip entries whose version you do not know (v1a, …), and look for your v1 among the others."),
    check!("exact-bytes", "verifies the bytes as they came", true, exact_bytes,
        "Take the raw body before any parser. JSON that was parsed and written again has other bytes: spaces, escapes and numbers change."),
    check!("unknown-type", "takes an event type that it does not know", true, unknown_type,
        "New types appear. Answer 2xx and ignore them; an error makes the sender repeat them and at last disable the webhook."),
    check!("unknown-field", "takes a field that it does not know", true, unknown_field,
        "Fields are added without notice. Ignore those that you do not know."),
    check!("large-body", "takes 256 KB", true, large_body,
        "Raise the limit of your body parser or proxy to at least 1 MB."),
    check!("megabyte", "takes 1 MB", false, megabyte,
        "The largest event has 1 MiB of data. If yours can be large, raise the limit of your body parser or proxy."),
    check!("concurrency", "takes ten deliveries at once", true, concurrency,
        "Deliveries come in parallel. Serve several connections, and do the work after the answer."),
    check!("quick-answer", "answers quickly", false, quick_answer,
        "Answer within five seconds: first answer, then work. Past the sender's time-out a delivery counts as failed and is repeated."),
    check!("still-good", "takes a good delivery after all that", true, good,
        "Something before this put the receiver into a state in which it takes nothing: look at its log."),
];

async fn good(player: &Player) -> Outcome {
    taken(player, &player.draft().make()).await
}

async fn taken(player: &Player, delivery: &Delivery) -> Outcome {
    let answer = player.send(delivery).await;
    if answer.is_taken() { Ok(answer.told()) } else { Err(format!("{} (should be 2xx)", answer.told())) }
}

async fn refused(player: &Player, delivery: &Delivery) -> Outcome {
    let answer = player.send(delivery).await;
    if answer.is_refused() { Ok(answer.told()) } else { Err(format!("{} (should be 4xx)", answer.told())) }
}

/// All as they should be: the last one's answer; or the first that was not, with its name.
async fn each<'a, F>(
    player: &'a Player,
    deliveries: &'a [(&'static str, Delivery)],
    judge: impl Fn(&'a Player, &'a Delivery) -> F,
) -> Outcome
where
    F: Future<Output = Outcome>,
{
    let mut told = Vec::new();
    for (name, delivery) in deliveries {
        told.push(format!("{name}: {}", judge(player, delivery).await.map_err(|why| format!("{name}: {why}"))?));
    }
    Ok(told.join("; "))
}

async fn duplicate(player: &Player) -> Outcome {
    let first = player.draft().make();
    let again = player.draft().id(&first.id).make();
    each(player, &[("first", first), ("again", again)], taken).await
}

async fn reordered(player: &Player) -> Outcome {
    let newer = player.draft().make();
    let older = player.draft().happened_before(Duration::from_secs(86_400)).make();
    each(player, &[("newer", newer), ("older", older)], taken).await
}

async fn wrong_signature(player: &Player) -> Outcome {
    refused(player, &player.draft().secrets(vec![player.stranger()]).make()).await
}

async fn tampered_body(player: &Player) -> Outcome {
    refused(player, &player.draft().make().tampered()).await
}

async fn tampered_id(player: &Player) -> Outcome {
    let delivery = player.draft().make();
    let other = player.draft().make().id;
    // The older signature does not cover the id: it would be good still.
    let delivery = without_older(player, delivery.with("webhook-id", &other));
    refused(player, &delivery).await
}

async fn tampered_timestamp(player: &Player) -> Outcome {
    // Old, and made to look new: both signatures were made an hour ago.
    let (old, new) = (player.draft().signed(|at| at.minus(OLD)).make(), player.draft().make());
    let delivery = without_older(player, old.with("webhook-timestamp", &new.header("webhook-timestamp")));
    refused(player, &delivery).await
}

fn without_older(player: &Player, delivery: Delivery) -> Delivery {
    match player.signature_header() {
        Some(name) => delivery.without(name),
        None => delivery,
    }
}

async fn old_timestamp(player: &Player) -> Outcome {
    refused(player, &player.draft().signed(|at| at.minus(OLD)).make()).await
}

async fn future_timestamp(player: &Player) -> Outcome {
    refused(player, &player.draft().signed(|at| at.plus(OLD)).make()).await
}

async fn missing_headers(player: &Player) -> Outcome {
    let without = |name: &'static str| (name, without_older(player, player.draft().make().without(name)));
    let bare = without_older(player, player.draft().make().without("webhook-id").without("webhook-timestamp").without("webhook-signature"));
    let all = [without("webhook-id"), without("webhook-timestamp"), without("webhook-signature"), ("all three", bare)];
    each(player, &all, refused).await
}

async fn garbage_signature(player: &Player) -> Outcome {
    let spoiled = |value: &str| without_older(player, player.draft().make().with("webhook-signature", value));
    let all = [
        ("empty", spoiled("")),
        ("no version", spoiled("AAAA")),
        ("not base64", spoiled("v1,!!!!")),
        ("too short", spoiled("v1,AAAA")),
        ("nothing after the version", spoiled("v1,")),
        ("commas", spoiled("v1,,,,v1,")),
    ];
    each(player, &all, refused).await
}

async fn rotation(player: &Player) -> Outcome {
    let both = |secrets| player.draft().secrets(secrets).make();
    let all = [
        ("right one last", both(vec![player.stranger(), player.secret()])),
        ("right one first", both(vec![player.secret(), player.stranger()])),
    ];
    each(player, &all, taken).await
}

async fn other_versions(player: &Player) -> Outcome {
    let delivery = player.draft().make();
    let signature = format!("v1a,bm90IHlvdXJz v9,AAAA {}", delivery.header("webhook-signature"));
    taken(player, &delivery.with("webhook-signature", &signature)).await
}

async fn exact_bytes(player: &Player) -> Outcome {
    // What every parser reads alike and every writer writes otherwise.
    taken(player, &player.draft().data(spaced(player.draft().present(), 3)).make()).await
}

/// The same JSON with spaces in it. It has no member more, so that a strict receiver is found by its own check.
fn spaced(data: &[u8], spaces: usize) -> Vec<u8> {
    match data.split_first() {
        Some((first @ (b'{' | b'['), rest)) => [&[*first][..], &vec![b' '; spaces], rest].concat(),
        _ => [&vec![b' '; spaces][..], data].concat(),
    }
}

async fn unknown_type(player: &Player) -> Outcome {
    taken(player, &player.draft().event_type("certify.a_type_from_the_future").make()).await
}

async fn unknown_field(player: &Player) -> Outcome {
    let data = with_field(player.draft().present(), "certifyUnknownField", json!({"deep": [1, {"deeper": true}]}));
    taken(player, &player.draft().data(data).make()).await
}

async fn large_body(player: &Player) -> Outcome {
    sized(player, 256 * 1024).await
}

async fn megabyte(player: &Player) -> Outcome {
    sized(player, 1024 * 1024 - 4096).await
}

async fn sized(player: &Player, bytes: usize) -> Outcome {
    let data = spaced(player.draft().present(), bytes);
    taken(player, &player.draft().data(data).make()).await
}

/// An object with one more member; anything else as it is.
fn with_field(data: &[u8], name: &str, value: Value) -> Vec<u8> {
    match serde_json::from_slice(data) {
        Ok(Value::Object(mut members)) => {
            members.insert(name.to_owned(), value);
            Value::Object(members).to_string().into_bytes()
        }
        _ => data.to_vec(),
    }
}

async fn concurrency(player: &Player) -> Outcome {
    let deliveries: Vec<Delivery> = (0..AT_ONCE).map(|_| player.draft().make()).collect();
    let answers = join_all(deliveries.iter().map(|delivery| player.send(delivery))).await;
    match answers.iter().find(|answer| !answer.is_taken()) {
        None => Ok(format!("{AT_ONCE} of {AT_ONCE} taken")),
        Some(bad) => {
            let count = answers.iter().filter(|answer| answer.is_taken()).count();
            Err(format!("{count} of {AT_ONCE} taken; one: {}", bad.told()))
        }
    }
}

async fn quick_answer(player: &Player) -> Outcome {
    let answer = player.send(&player.draft().make()).await;
    match &answer {
        Answer::Status(200..=299, took) if *took <= player.slow() => Ok(answer.told()),
        _ => Err(answer.told()),
    }
}
