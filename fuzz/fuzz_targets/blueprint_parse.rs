//! Any text as a blueprint: a blueprint or faults, never a panic, in bounded time; and a blueprint that is read is usable.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match blueprint::parse(text, "fuzz") {
        Ok(read) => {
            for event in &read.events {
                let schema = blueprint::Schema::compile(&event.schema).expect("the schemas of a good blueprint compile");
                assert!(schema.check(&event.example, "").is_empty(), "an example breaks its own schema");
            }
            let names: Vec<String> = read.scopes.iter().map(|scope| scope.name.clone()).collect();
            assert!(names.iter().all(|name| read.expand_scopes(&names).contains(name)));
            assert!(read.endpoints.iter().all(|endpoint| read.resource(&endpoint.resource).is_some()));
            assert!(read.tier(&read.default_tier).is_some());
        }
        Err(faults) => assert!(!faults.to_string().is_empty(), "a refusal says why"),
    }
});
