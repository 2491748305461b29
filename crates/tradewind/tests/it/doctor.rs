//! `tradewind doctor`: what it says, and that it changes nothing.

use testkit::Engine;
use testkit::server::Settings;

/// Standard output and whether it succeeded.
fn doctor(settings: &Settings, arguments: &[&str]) -> (String, bool) {
    let output = settings.run(&[&["doctor"], arguments].concat());
    let (said, failed) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {failed}", output.status);
    (said, output.status.success())
}

#[track_caller]
fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
}

testkit::engines! {
    async fn explains_the_verdict_about_a_url(engine: Engine) {
        let settings = Settings::new(&engine).set("TRADEWIND_ENV", "production").unset("TRADEWIND_ALLOW_NETWORKS");
        let (said, good) = doctor(&settings, &["--url", "https://93.184.215.14/hook"]);
        assert!(good, "{said}");
        says(&said, &["ok    syntax", "ok    address        93.184.215.14 is public", "ok    verdict        deliveries to this URL are allowed"]);
        for (url, parts) in [
            ("https://127.0.0.1/", ["FAIL  address", "(loopback)", "TRADEWIND_ALLOW_NETWORKS=127.0.0.1/32", "refused (url_address)"]),
            ("https://[::ffff:10.0.0.1]/", ["FAIL  address", "stands for 10.0.0.1", "(private)", "refused (url_address)"]),
            ("https://LOCALHOST./", ["FAIL  host", "loopback", "TRADEWIND_ALLOW_NETWORKS=127.0.0.1/32", "refused (url_address)"]),
            ("http://93.184.215.14/", ["FAIL  syntax", "https://", "TRADEWIND_ENV=development", "refused (url_scheme)"]),
            ("https://u:p@93.184.215.14/", ["FAIL  syntax", "user name", "FAIL  verdict", "refused (url_userinfo)"]),
            ("https://no-such-host.invalid/", ["ok    host", "FAIL  look-up", "no address", "judged at every attempt"]),
        ] {
            let (said, good) = doctor(&settings, &["--url", url]);
            assert!(!good, "{url}: {said}");
            says(&said, &parts);
        }
        // The settings decide, as they do for the server.
        let (said, good) = doctor(&settings.set("TRADEWIND_ALLOW_NETWORKS", "127.0.0.0/8").set("TRADEWIND_EGRESS_PROXY", "http://u:hush@127.0.0.1:3128"), &["--url", "https://127.0.0.1/"]);
        assert!(good, "{said}");
        says(&said, &["allowed by TRADEWIND_ALLOW_NETWORKS (127.0.0.0/8)", "through the egress proxy at 127.0.0.1:3128"]);
        assert!(!said.contains("hush"), "{said}");
    }

    async fn looks_at_the_installation(engine: Engine) {
        let fresh = Settings::new(&engine);
        let (said, good) = doctor(&fresh, &[]);
        if engine.database_url().is_none() {
            // Nothing is there yet, and nothing is made.
            assert!(good, "{said}");
            says(&said, &["note  master key", "note  database       there is none yet"]);
            assert!(!engine.data_dir().join("tradewind.db").exists() && !engine.data_dir().join("master.key").exists());
        }
        let server = fresh.start();
        server.service_key();
        let (said, good) = doctor(server.settings(), &[]);
        assert!(good, "{said}");
        says(&said, &["ok    version", "ok    blueprint      insurance-leads is sound", "ok    data directory", "ok    master key", "and the master key fits", "ok    egress"]);
        let path = engine.data_dir().join("master.key");
        let kept = std::fs::read(&path).unwrap();
        // Another key, a broken one, none: each is told, and nothing is put in its place.
        std::fs::write(&path, "twmk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n").unwrap();
        let (said, good) = doctor(server.settings(), &[]);
        assert!(!good, "{said}");
        says(&said, &["FAIL  database       This master key does not belong to this database"]);
        std::fs::write(&path, "nonsense\n").unwrap();
        let (said, good) = doctor(server.settings(), &[]);
        assert!(!good, "{said}");
        says(&said, &["FAIL  master key"]);
        std::fs::remove_file(&path).unwrap();
        let (said, good) = doctor(server.settings(), &[]);
        assert!(!good && !path.exists(), "{said}");
        says(&said, &["FAIL  master key", "put the key back"]);
        std::fs::write(&path, &kept).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let (said, good) = doctor(server.settings(), &[]);
        assert!(!good, "{said}");
        says(&said, &["can be read by others (mode 644)", "chmod 600"]);
    }
}
