//! docs/keys.md tells scanners how our keys look: what stands there must find every key, and nothing that is none.

use std::process::{Command, Stdio};

use access::keys::{CreateKey, Environment};
use access::service_keys::{self, NewServiceKey};

use crate::bed::Bed;

const PAGE: &str = include_str!("../../../../docs/keys.md");

/// The first block of this language in the page.
fn block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let from = PAGE.find(&fence).unwrap_or_else(|| panic!("no {language} block in docs/keys.md")) + fence.len();
    &PAGE[from..from + PAGE[from..].find("\n```").unwrap()]
}

testkit::engines! {
    async fn the_published_pattern_and_checksum_find_every_key(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let mut good = Vec::new();
        for environment in [Environment::Production, Environment::Staging, Environment::Development] {
            for _ in 0..10 {
                let input = CreateKey { environment, ..CreateKey::default() };
                good.push(bed.key_with(&tenant, client, input).await.unwrap().key);
            }
        }
        good.push(service_keys::create(&bed.store, NewServiceKey::default()).await.unwrap().key.reveal().clone());
        let mut lines: Vec<String> = good.iter().map(|key| format!("TOKEN=\"{key}\" # of {}", tenant.name)).collect();
        for key in &good {
            // A typo, a key cut short, and one that goes on.
            let last = if key.ends_with('A') { 'B' } else { 'A' };
            lines.push(format!("{}{last}", &key[..key.len() - 1]));
            lines.push(key[..key.len() - 1].to_owned());
            lines.push(format!("{key}0"));
        }
        // What the page tells people to run, on a file such as a scanner reads.
        let program = format!("PATTERN = r'''{}'''\n{}\nimport sys\nprint('\\n'.join(find_keys(sys.stdin.read())))\n", block("regex"), block("python"));
        let python = Command::new("python3").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut python) = python else {
            eprintln!("no python3 here: what docs/keys.md tells scanners is not tried");
            return;
        };
        std::io::Write::write_all(&mut python.stdin.take().unwrap(), lines.join("\n").as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success());
        let found: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(found, good);
    }
}
