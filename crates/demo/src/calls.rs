//! The demo of `call-coaching`: a partner submits calls, the example worker analyses them, and the result comes by webhook.

use std::time::Duration;

use serde_json::{Value, json};
use vendors::receiver::Receiver;

use crate::client::Client;
use crate::leads::{ensure, text};
use crate::print;

/// The blueprint whose demo has calls and a worker for them.
pub const BLUEPRINT: &str = "call-coaching";
const BASE: &str = "/api/partner/v1";
/// How long the worker takes for each of its steps, so that somebody can watch.
const PACE: Duration = Duration::from_millis(600);
/// How often the partner asks how its job stands.
const LOOK: Duration = Duration::from_millis(500);
/// What is said in the calls that the demo submits, in turn.
const CALLS: [&str; 2] = [
    "Agent: Good morning Dana, is this still a good time?\n\
     Dana: Yes, I have twenty minutes.\n\
     Agent: Great. You wrote that your team loses deals after the first call. What happens there?\n\
     Dana: Honestly, I do not know. It is frustrating, and the pricing questions are the worst.\n\
     Agent: How do you find out today, and what does it cost you?\n\
     Dana: I listen to recordings for hours. We have no budget for more managers.\n\
     Agent: Then let us try a pilot with two reps on Tuesday. The price is per rep. Does that help?\n\
     Dana: That would be wonderful, thank you so much!",
    "Agent: Um, hi, so, uh, we are, like, the best platform on the market, you know, and the price is very good, and we won three awards, and there is a discount today.\n\
     Noa: Okay, but our problem is that--\n\
     Agent: Right, and, um, the contract is three years, which is, like, standard, and the discount is only today.\n\
     Noa: I do not like that. You are not listening, this is a waste of time.\n\
     Agent: Sure, uh, let me just finish the slide.\n\
     Noa: No thanks. I am annoyed.",
];

/// What the demo prints and goes on with.
pub(crate) struct Sample {
    /// The partner.
    pub(crate) tenant: String,
    /// Both halves of its credential.
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) company: String,
    pub(crate) agent: String,
    /// Where its jobs tell their end.
    pub(crate) hook: String,
    partner: Client,
}

/// Makes a partner with a company and an agent. The key is made anew at every start: it is shown only once.
pub(crate) async fn load(host: &Client, receiver: &Receiver) -> anyhow::Result<Sample> {
    let tenant = ensure(host, None, "/api/v1/tenants", "demo-coaching", &json!({"name": "Harbor Sales Academy"})).await?;
    let client = json!({"name": "Harbor CRM", "contactEmail": "dev@example.com"});
    let client = ensure(host, Some(&tenant), "/api/v1/api-clients", "demo-crm", &client).await?;
    let made = host.post(Some(&tenant), "/api/v1/api-keys", &json!({"clientId": client, "name": "demo"})).await?;
    let (key, secret) = (text(&made, "key")?, text(&made, "secret")?);
    let partner = host.with_key(&key)?.with_secret(&secret);
    let company = partner.post(None, &format!("{BASE}/companies/create"), &json!({"name": "Acme Sales"})).await?;
    let company = text(&company, "id")?;
    let agent = partner.post(None, &format!("{BASE}/companies/{company}/agents/create"), &json!({"name": "Alex Mor"})).await?;
    let agent = text(&agent, "id")?;
    Ok(Sample { tenant, key, secret, company, agent, hook: receiver.url(), partner })
}

/// The example worker, by its own key.
pub(crate) fn work(base: &str, key: &str) -> call_worker::Worker {
    let mut settings = call_worker::Settings::new(base, key);
    (settings.pace, settings.wait_seconds) = (PACE, 5);
    call_worker::Worker::start(&settings)
}

/// Submits a call every `every`, and follows its job to its end, until the task is aborted.
pub(crate) async fn keep_calling(sample: Sample, receiver: Receiver, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    for n in 0.. {
        ticks.tick().await;
        if let Err(error) = submit(&sample, &receiver, CALLS[n % CALLS.len()]).await {
            print::trouble(&error);
        }
    }
}

async fn submit(sample: &Sample, receiver: &Receiver, transcript: &str) -> anyhow::Result<()> {
    let body = json!({
        "companyId": sample.company, "agentId": sample.agent, "callType": "discovery", "transcript": transcript, "webhookUrl": sample.hook,
    });
    let started = sample.partner.post(None, &format!("{BASE}/calls/analyze"), &body).await?;
    if let Some(secret) = started["webhookSecret"].as_str() {
        receiver.add_secret(&kernel::Secret::new(secret.to_owned()))?;
    }
    let (id, status) = (text(&started, "jobId")?, text(&started, "statusUrl")?);
    print::job(&id, "pending", 0, "submitted");
    let mut seen = (String::from("pending"), 0);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let job = sample.partner.get(None, &status).await?;
        let now = (text(&job, "status")?, job["progress"].as_i64().unwrap_or(0));
        if now == seen {
            continue;
        }
        print::job(&id, &now.0, now.1, said(&job).as_str());
        seen = now;
        if !job["completedAt"].is_null() {
            return Ok(());
        }
    }
}

fn said(job: &Value) -> String {
    let result = &job["result"];
    match (result["score"].as_f64(), job["error"]["message"].as_str()) {
        (Some(score), _) => {
            let ratio = result["talkRatio"].as_f64().unwrap_or(0.0);
            format!("score {score:.0}, talk ratio {ratio:.2}, {} questions, {} filler words", result["questions"], result["fillerWords"])
        }
        (None, Some(error)) => error.to_owned(),
        (None, None) => job["message"].as_str().unwrap_or("").to_owned(),
    }
}
