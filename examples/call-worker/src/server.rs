//! The server, as a worker sees it.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

/// One connection's worth of calls.
pub(crate) struct Server {
    agent: Agent,
    base: String,
    key: String,
}

/// What a call brought.
pub(crate) enum Answer {
    /// A success.
    Good(Value),
    /// A refusal: the status, and the code that says why.
    Refused(u16, String),
}

impl Server {
    pub(crate) fn new(base: &str, key: &str) -> Self {
        // Whoever started first has chosen the same.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(90))).http_status_as_error(false).build();
        Self { agent: config.into(), base: base.to_owned(), key: key.to_owned() }
    }

    /// POST below `/api/v1`. Error: why there is no answer.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let request = self.agent.post(format!("{}/api/v1{path}", self.base)).header("authorization", format!("Bearer {}", self.key));
        let mut response = request.send_json(body).map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let told: Value = response.body_mut().read_json().unwrap_or(Value::Null);
        if (200..300).contains(&status) {
            return Ok(Answer::Good(told));
        }
        Ok(Answer::Refused(status, told["code"].as_str().unwrap_or("unknown").to_owned()))
    }

    /// Jobs to work on; waits for some.
    pub(crate) fn lease(&self, name: &str, wait_seconds: u64) -> Result<Vec<Value>, String> {
        let body = json!({"types": ["call.analyze", "simulation.run"], "max": 1, "waitSeconds": wait_seconds, "worker": name});
        match self.post("/jobs/lease", &body)? {
            Answer::Good(told) => Ok(told["data"].as_array().cloned().unwrap_or_default()),
            Answer::Refused(status, code) => Err(format!("the server answered {status} {code}")),
        }
    }
}
