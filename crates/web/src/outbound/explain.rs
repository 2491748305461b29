//! The verdict about a URL, told step by step, for the operator. The steps are the verdict's own; nothing is judged here.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::outbound::client::Client;
use crate::outbound::refusal::Refusal;
use crate::outbound::verdict::{literal, read};

/// One step on the way to a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was looked at: `syntax`, `host`, `look-up`, `address`, `proxy`.
    pub about: &'static str,
    /// Whether the URL passed.
    pub passes: bool,
    /// What was found.
    pub finding: String,
    /// What the operator could set so that it passes, if anything.
    pub remedy: Option<String>,
}

impl Step {
    fn good(about: &'static str, finding: impl Into<String>) -> Self {
        Self { about, passes: true, finding: finding.into(), remedy: None }
    }

    fn bad(about: &'static str, finding: impl Into<String>, remedy: Option<String>) -> Self {
        Self { about, passes: false, finding: finding.into(), remedy }
    }
}

impl Client {
    /// Every step of [`Client::verdict`] up to the one that refuses; every address of the host is told, with the rule that decides on it.
    pub async fn explain(&self, text: &str) -> Vec<Step> {
        let judge = self.judge();
        let url = match read(text, &judge.policy) {
            Ok(url) => url,
            // The one address that syntax tells: a name that means this machine.
            Err(refusal @ Refusal::Address { .. }) => {
                return vec![Step::bad("host", format!("localhost means this machine: the URL {refusal}"), remedy(&refusal))];
            }
            Err(refusal) => return vec![Step::bad("syntax", format!("the URL {refusal}"), remedy(&refusal))],
        };
        let scheme = url.scheme();
        let port = url.port_or_known_default().unwrap_or_default();
        let mut steps = vec![Step::good("syntax", format!("a {scheme} URL to port {port}, without user information"))];
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match literal(bare) {
            Some(address) => {
                steps.push(Step::good("host", format!("{bare} is an address")));
                vec![address]
            }
            None => {
                steps.push(Step::good("host", format!("{bare} is a name")));
                if judge.leaves_names {
                    steps.push(Step::good("look-up", "none: names are left to the egress proxy, which must judge where they lead"));
                    steps.extend(self.way());
                    return steps;
                }
                match judge.look_up(bare).await {
                    Ok(found) => {
                        let listed: Vec<String> = found.iter().map(ToString::to_string).collect();
                        steps.push(Step::good("look-up", format!("{bare} has {}", listed.join(", "))));
                        found
                    }
                    Err(_) => {
                        let finding = format!("{bare} has no address now: a webhook may be made, deliveries wait until it has one");
                        steps.push(Step::bad("look-up", finding, None));
                        return steps;
                    }
                }
            }
        };
        steps.extend(addresses.into_iter().map(|address| self.about(address)));
        steps.extend(self.way());
        steps
    }

    fn about(&self, address: IpAddr) -> Step {
        let policy = &self.judge().policy;
        let judged = policy.judge(address);
        let stands = if judged.meant == address { String::new() } else { format!(" (stands for {})", judged.meant) };
        match (policy.check(address), judged.kind, judged.allowed_by) {
            (Ok(()), Some(kind), Some(network)) => Step::good(
                "address",
                format!("{address}{stands} is not public ({kind}), but allowed by TRADEWIND_ALLOW_NETWORKS ({network})"),
            ),
            (Ok(()), ..) => Step::good("address", format!("{address}{stands} is public")),
            (Err(refusal), ..) => Step::bad("address", format!("{address}{stands}: the URL {refusal}"), remedy(&refusal)),
        }
    }

    fn way(&self) -> Option<Step> {
        self.proxy().map(|proxy| Step::good("proxy", format!("the connection goes through the egress proxy at {}", proxy.shown())))
    }
}

/// What would let it pass.
fn remedy(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::Scheme => Some("http:// is allowed by TRADEWIND_ENV=development; other schemes never are".to_owned()),
        Refusal::Address { address, .. } => {
            Some(format!("TRADEWIND_ALLOW_NETWORKS={} would allow it, with every webhook of every tenant", IpNet::from(*address)))
        }
        Refusal::Malformed(_) | Refusal::Unencrypted | Refusal::UserInfo | Refusal::Port | Refusal::Unresolvable => None,
    }
}
