//! TLS of the real server, with curl as the client.

use std::process::{Child, Command};
use std::time::Duration;

use testkit::tls::{Authority, Identity};
use testkit::{Engine, engine, wait};

use testkit::server::Settings;

/// How long a renewed certificate may take to be noticed on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A process that does not outlive the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // Killing fails only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn write(dir: &std::path::Path, identity: &Identity) {
    for (name, text) in [("cert.pem", &identity.certificate), ("key.pem", &identity.key)] {
        let fresh = dir.join(format!("{name}.new"));
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(&fresh, dir.join(name)).unwrap();
    }
}

#[test]
fn a_server_speaks_tls_and_takes_a_renewed_certificate_over() {
    engine::run(Engine::sqlite(), async |engine: Engine| {
        let (first, second, dir) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
        write(dir.path(), &first.server(&["localhost"]));
        let named = |authority: &Authority, name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, authority.certificate()).unwrap();
            path
        };
        let (first_ca, second_ca) = (named(&first, "first.pem"), named(&second, "second.pem"));
        let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let settings = Settings::new(&engine);
        let port = settings.listen().port();
        let settings = settings.set("TRADEWIND_TLS_CERT", &file("cert.pem")).set("TRADEWIND_TLS_KEY", &file("key.pem"));
        let started = settings.command(&["serve"]).stderr(std::fs::File::create(file("log")).unwrap()).spawn().unwrap();
        let server = Ended(started);
        let ask = |authority: &std::path::Path, more: &[&str]| {
            let url = format!("https://localhost:{port}/health/live");
            let mut command = Command::new("curl");
            command.args(["-sS", "--noproxy", "*", "--ipv4", "-w", " %{http_version}", "--cacert"]).arg(authority).args(more).arg(url);
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            output.status.success().then_some(text)
        };
        let answer = wait::until("the server", SOON, async || ask(&first_ca, &[])).await;
        assert_eq!(answer, "{\"status\":\"ok\"} 2");
        assert_eq!(ask(&first_ca, &["--http1.1"]).unwrap(), "{\"status\":\"ok\"} 1.1");
        assert!(ask(&second_ca, &[]).is_none(), "a stranger's authority is not this server's");
        write(dir.path(), &Identity { certificate: second.server(&["localhost"]).certificate, key: first.server(&["localhost"]).key });
        let said = || std::fs::read_to_string(file("log")).unwrap();
        wait::until("the complaint", SOON, async || said().contains("goes on with the certificate that it has").then_some(())).await;
        assert!(ask(&first_ca, &[]).is_some(), "the good pair stays");
        write(dir.path(), &second.server(&["localhost"]));
        wait::until("the renewed certificate", SOON, async || ask(&second_ca, &[])).await;
        assert!(ask(&first_ca, &[]).is_none());
        drop(server);
        let half = Settings::new(&engine).set("TRADEWIND_TLS_CERT", &file("cert.pem")).run(&["serve"]);
        assert_eq!(half.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&half.stderr).contains("TRADEWIND_TLS_KEY"));
    });
}
