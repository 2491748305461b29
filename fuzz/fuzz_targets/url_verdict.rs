//! Any text as a webhook's address, and any address behind its name: a verdict, never a panic, and no yes to an address that the policy
//! refuses.

#![no_main]

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use web::outbound::{Client, ClientConfig, MAX_URL, Resolve, Resolving, UrlPolicy, to_uri};

/// Every name has the address that its first bytes spell, so that the fuzzer chooses it.
struct Chosen;

impl Resolve for Chosen {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        let mut address = [0; 16];
        for (slot, byte) in address.iter_mut().zip(host.bytes()) {
            *slot = byte;
        }
        let long = host.len() > 16;
        let address = if long { IpAddr::from(address) } else { IpAddr::from([address[0], address[1], address[2], address[3]]) };
        Box::pin(async move { Ok(vec![address]) })
    }
}

fn client() -> &'static (tokio::runtime::Runtime, Client) {
    static CLIENT: OnceLock<(tokio::runtime::Runtime, Client)> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let policy = UrlPolicy { allow_http: true, allow_networks: Vec::new() };
        let config = ClientConfig { resolver: Arc::new(Chosen), ..ClientConfig::new(policy) };
        let client = runtime.block_on(async { Client::new(config).expect("no extra roots, none of which could be bad") });
        (runtime, client)
    })
}

fuzz_target!(|bytes: &[u8]| {
    let policy = UrlPolicy { allow_http: true, allow_networks: Vec::new() };
    if let Ok(address) = <[u8; 16]>::try_from(bytes) {
        // The IPv4 form and its mapped form are judged alike.
        let v4 = [address[0], address[1], address[2], address[3]];
        let mapped = std::net::Ipv4Addr::from(v4).to_ipv6_mapped();
        assert_eq!(policy.check(IpAddr::from(v4)).is_ok(), policy.check(IpAddr::V6(mapped)).is_ok());
        let _ = policy.check(IpAddr::from(address));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (runtime, client) = client();
    let syntax = client.verdict_on_syntax(text);
    let whole = runtime.block_on(client.verdict(text));
    let Ok(url) = whole else { return };
    assert_eq!(syntax.as_ref().ok(), Some(&url), "the whole verdict is the stricter one");
    assert!(text.len() <= MAX_URL && matches!(url.scheme(), "http" | "https"));
    assert!(url.username().is_empty() && url.password().is_none() && url.port() != Some(0));
    // A literal that was let pass is public by the policy's own word.
    if let Some(address) = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok()) {
        assert!(policy.check(address).is_ok(), "{url}");
        assert!(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast(), "{url}");
    }
    let uri = to_uri(&url).expect("a good URL can be sent to");
    assert_eq!(uri.host().map(str::to_owned), url.host_str().map(str::to_owned), "what is vetted is what is connected to");
    // Reading what was read changes nothing: the stored form gets the same verdict.
    if url.as_str().len() <= MAX_URL {
        assert_eq!(runtime.block_on(client.verdict(url.as_str())).ok().as_ref(), Some(&url));
    }
});
