//! What is given as a file and is none.

use std::process::Command;
use std::time::Duration;

use blueprint::load;

/// The error of a path, which must come without waiting for anybody.
fn refused(path: String) -> String {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(load(&path).unwrap_err().to_string()));
    told.recv_timeout(Duration::from_secs(20)).expect("an answer at once")
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("blueprint.toml").display().to_string();
    // Nobody ever writes to it: whoever opens it waits.
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let link = dir.path().join("link.toml");
    std::os::unix::fs::symlink(&fifo, &link).unwrap();
    for path in [fifo, link.display().to_string(), "/dev/zero".to_owned()] {
        assert!(refused(path.clone()).contains("it is no regular file (a FIFO, a socket or a device)"), "{path}");
    }
    assert!(refused(dir.path().display().to_string()).contains("it is a directory"));
    assert!(refused(dir.path().join("none.toml").display().to_string()).contains("No such file"));
}

#[test]
fn a_huge_file_is_not_read_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge.toml");
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(refused(path.display().to_string()).contains("bytes"));
}
