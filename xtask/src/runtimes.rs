//! The languages of docs/verify: the small ones are installed where that is possible. What is missing then is passed over by the tests.

use std::process::Command;

use crate::{servers, shell};

/// Programs and the packages that they are in; Chromium is for the tests of pages. Go, Java, Node and Mono are large: their snippets are run where
/// they are there.
const SMALL: &[(&str, &str)] = &[("ruby", "ruby"), ("php", "php-cli"), ("perl", "perl"), ("chromium", "chromium")];

/// Installs what is missing; says what stays so.
pub(crate) fn prepare() {
    let missing: Vec<&str> =
        SMALL.iter().filter(|(program, _)| !shell::succeeds(Command::new(program).arg("--version"))).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return;
    }
    if servers::can_install() {
        println!("installing {}", missing.join(" "));
        if let Err(error) = servers::install(&missing) {
            println!("could not install them ({error:#}): their snippets, or the tests of pages, are not run");
        }
    } else {
        println!("not installed: {}; their snippets are not run", missing.join(" "));
    }
}
