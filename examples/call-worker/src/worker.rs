//! Leasing jobs, telling progress, completing.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Answer, Server};
use crate::{analysis, simulation};

/// How long one poll waits for jobs, in seconds.
const WAIT: u64 = 20;
/// After a poll that failed.
const AGAIN: Duration = Duration::from_secs(2);

/// How it works.
#[derive(Clone)]
pub struct Settings {
    /// Where the server is.
    pub url: String,
    /// Its service key, which needs `jobs.work`.
    key: String,
    /// How many jobs at once.
    pub threads: usize,
    /// How long each step takes at least, so that somebody can watch.
    pub pace: Duration,
    /// How long one poll waits for jobs, in seconds.
    pub wait_seconds: u64,
}

impl Settings {
    /// Two at once, as fast as it goes.
    pub fn new(url: &str, key: &str) -> Self {
        Self { url: url.to_owned(), key: key.to_owned(), threads: 2, pace: Duration::ZERO, wait_seconds: WAIT }
    }
}

/// A worker at work. Dropping it lets its threads end when their present poll does.
pub struct Worker {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts its threads.
    pub fn start(settings: &Settings) -> Self {
        let (mut stop, mut threads) = (Vec::new(), Vec::new());
        let count = settings.threads.max(1);
        for n in 1..=count {
            let (sender, stopped) = channel();
            stop.push(sender);
            let (settings, name) = (settings.clone(), format!("call-worker-{n}"));
            threads.push(std::thread::spawn(move || {
                Thread { server: Server::new(&settings.url, &settings.key), settings, name, stopped }.run();
            }));
        }
        Self { stop, threads }
    }

    /// Works until the process ends.
    pub fn join(mut self) {
        for thread in self.threads.drain(..) {
            // A thread that has panicked has said so.
            let _ = thread.join();
        }
        self.stop.clear();
    }
}

struct Thread {
    server: Server,
    settings: Settings,
    name: String,
    stopped: Receiver<()>,
}

impl Thread {
    fn run(self) {
        loop {
            match self.server.lease(&self.name, self.settings.wait_seconds) {
                Ok(jobs) => jobs.iter().for_each(|job| self.work(job)),
                Err(_) if self.pause(AGAIN) => return,
                Err(_) => {}
            }
            if self.pause(Duration::ZERO) {
                return;
            }
        }
    }

    /// Whether it is to stop.
    fn pause(&self, time: Duration) -> bool {
        !matches!(self.stopped.recv_timeout(time), Err(std::sync::mpsc::RecvTimeoutError::Timeout))
    }

    fn work(&self, job: &Value) {
        let (id, token) = (job["id"].as_str().unwrap_or_default(), &job["leaseToken"]);
        // What is lost or cancelled meanwhile is not ours any more.
        let lost = Arc::new(Mutex::new(false));
        let step = |progress: u32, message: &str| {
            let body = json!({"leaseToken": token, "progress": progress, "message": message});
            let told = self.server.post(&format!("/jobs/{id}/heartbeat"), &body);
            if matches!(told, Ok(Answer::Refused(404 | 409, _))) {
                *lost.lock().unwrap_or_else(PoisonError::into_inner) = true;
            }
            self.pause(self.settings.pace);
        };
        let outcome = match job["type"].as_str() {
            Some("call.analyze") => analysis::run(&job["input"], step),
            Some("simulation.run") => simulation::run(&job["input"], step),
            other => Err(analysis::Fault::new("unknown_type", format!("This worker does not know {other:?}."))),
        };
        if *lost.lock().unwrap_or_else(PoisonError::into_inner) {
            return;
        }
        let told = match outcome {
            Ok(result) => self.server.post(&format!("/jobs/{id}/complete"), &json!({"leaseToken": token, "result": result})),
            Err(fault) => {
                let error = json!({"code": fault.code, "message": fault.message});
                self.server.post(&format!("/jobs/{id}/fail"), &json!({"leaseToken": token, "error": error, "retry": false}))
            }
        };
        // An answer that is lost is no matter: the lease runs out, and the job is done again.
        drop(told);
    }
}
