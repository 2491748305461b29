//! Hostile functions cost one run: they end in a fault within bounds, and the next function runs as ever.

use std::time::{Duration, Instant};

use script::{Engine, FaultKind, HARD_LIMIT};
use serde_json::json;

use crate::rig::{MOMENT, US, call, engine, function, transform};

/// What a run may take on the clock, on a busy machine.
const BOUND: Duration = Duration::from_secs(10);

async fn expect(engine: &Engine, source: &str, kinds: &[FaultKind]) {
    let began = Instant::now();
    let outcome = transform(engine, source).await;
    assert!(began.elapsed() < BOUND, "{source}: {:?}", began.elapsed());
    let fault = outcome.expect_err(source);
    assert!(kinds.contains(&fault.kind), "{source}: {fault:?}");
    assert!(fault.message.len() < 600, "{source}: {} bytes of message", fault.message.len());
    assert_eq!(call(engine, "v => v + 1", &json!([1])).await.as_deref(), Ok("2"), "after {source}");
}

#[tokio::test]
async fn endless_work_is_stopped() {
    let engine = engine(1);
    for source in [
        "() => { for (;;) {} }",
        "() => { while (true) { try { for (;;) {} } catch {} } }",
        "() => { try { for (;;) {} } finally { for (;;) {} } }",
        "() => { function f() { return f() } for (;;) { try { f() } catch {} } }",
        "for (;;) {} function handler() {}",
        "() => /^(a+)+$/.test('a'.repeat(40) + 'b')",
        "async () => { for (;;) await null }",
        "() => { const p = new Proxy({}, { get() { for (;;) {} } }); return p }",
        "() => ({ get body() { for (;;) {} } })",
        "() => ({ body: { toJSON() { for (;;) {} } } })",
        "() => { throw { toString() { for (;;) {} }, toJSON() { for (;;) {} } } }",
        "() => { const e = new Error(); Object.defineProperty(e, 'message', { get() { for (;;) {} } }); throw e }",
        "() => { throw new Proxy(new Error('x'), { get() { for (;;) {} } }) }",
        "() => { [1, 2].sort(() => { for (;;) {} }) }",
        "() => 'x'.replace(/x/, () => { for (;;) {} })",
        "function* g() { for (;;) yield 1 } function handler() { return [...g()].length }",
    ] {
        expect(&engine, source, &[FaultKind::Time, FaultKind::Memory]).await;
    }
    // Each step keeps the ones before: whether time or memory ends first depends on the machine, and without memory the promise is lost.
    let chain = "() => { const again = () => Promise.resolve().then(again); return again() }";
    expect(&engine, chain, &[FaultKind::Time, FaultKind::Memory, FaultKind::Shape]).await;
    let fault = engine.check(&function("for (;;) {} function handler() {}")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Time, "the check of a source is bounded too");
}

#[tokio::test]
async fn memory_is_bounded() {
    let engine = engine(1);
    for source in [
        "() => { const a = []; for (;;) a.push(new Array(1000).fill(a)) }",
        "() => { let s = 'x'; for (;;) s += s }",
        "() => { let s = 'x'; for (;;) { try { s += s } catch {} } }",
        "() => 'x'.repeat(1e9)",
        "() => new Uint8Array(1e9)",
        "() => { const all = []; for (;;) all.push(new ArrayBuffer(1e6)) }",
        "() => Array.from({ length: 1e9 }, () => 1)",
        "() => { let o = {}; for (;;) o = { o } }",
        "() => JSON.parse('['.repeat(5e6))",
        "() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, 'x'.repeat(100)) }",
        "() => [].concat(...Array(50000).fill(Array(50000).fill(0)))",
    ] {
        expect(&engine, source, &[FaultKind::Memory, FaultKind::Time, FaultKind::Thrown]).await;
    }
    let bomb = transform(&engine, "() => { const a = []; for (;;) a.push('x'.repeat(10000) + a.length) }").await.unwrap_err();
    assert_eq!(bomb.kind, FaultKind::Memory);
}

#[tokio::test]
async fn depth_is_bounded() {
    let engine = engine(1);
    for source in [
        "function handler(w) { return handler(w) }",
        "() => { const f = () => [1].map(f); return f() }",
        "() => { let s = ''; for (let i = 0; i < 20000; i++) s += '['; return JSON.parse(s) }",
        "() => { const p = new Proxy({}, { get(t, k, r) { return r[k] } }); return p.x }",
        "() => { let o = 1; for (let i = 0; i < 50000; i++) o = [o]; return { body: o } }",
        "() => new RegExp('('.repeat(5000))",
        "() => ({ headers: (() => { let o = 'x'; for (let i = 0; i < 300; i++) o = { o }; return o })() })",
    ] {
        expect(&engine, source, &[FaultKind::Thrown, FaultKind::Shape, FaultKind::Time, FaultKind::Memory]).await;
    }
    let nested = format!("() => {}1{}", "[".repeat(30_000), "]".repeat(30_000));
    expect(&engine, &nested, &[FaultKind::Syntax, FaultKind::Thrown, FaultKind::Memory]).await;
}

#[tokio::test]
async fn output_is_bounded() {
    let engine = engine(1);
    for source in [
        "() => ({ body: 'x'.repeat(2e6) })",
        "() => ({ body: { x: 'x'.repeat(2e6) } })",
        "() => ({ headers: { x: 'x'.repeat(2e6) } })",
        "() => ({ url: 'x'.repeat(2e6) })",
        "() => ({ body: { toJSON() { return 'x'.repeat(2e6) } } })",
        "() => ({ body: Array(400000).fill('\\u0001') })",
    ] {
        expect(&engine, source, &[FaultKind::Output, FaultKind::Memory]).await;
    }
    let long = transform(&engine, "() => { throw new Error('x'.repeat(1e6)) }").await.unwrap_err();
    assert!(long.kind == FaultKind::Thrown && long.message.len() < 600);
    let name =
        transform(&engine, "() => { const e = new Error('m'); e.name = 'x'.repeat(1e6); e.stack = 'function.js:99:99'; throw e }").await;
    let name = name.unwrap_err();
    assert!(name.message.len() < 600 && name.line == Some(1), "a made-up place stays inside of the source: {name:?}");
}

/// What no engine interrupts: a built-in operation that loops by itself. The worker goes, the others stay.
#[tokio::test]
async fn a_worker_that_cannot_be_stopped_is_ended() {
    let engine = engine(1);
    let stuck = "() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })";
    let began = Instant::now();
    expect(&engine, stuck, &[FaultKind::Time]).await;
    assert!(began.elapsed() >= HARD_LIMIT, "the engine has learnt to interrupt this one: find another");
    let began = Instant::now();
    let again = engine.call(US, &function(stuck), "[]", MOMENT).await.unwrap_err();
    assert!(again.kind == FaultKind::Time && began.elapsed() < Duration::from_secs(1), "it is not run again at once: {again:?}");
}

#[tokio::test]
async fn games_with_results_and_prototypes_change_only_themselves() {
    let engine = engine(1);
    for source in [
        "() => new Proxy({ body: 1 }, {})",
        "() => Object.assign(Object.create(null), { body: 1 })",
        "() => ({ body: { toJSON: () => 1 } })",
        "() => ({ get body() { return 1 } })",
        "() => { class W { get body() { return 1 } } return new W() }",
        "() => ({ body: new Number(1) })",
        "w => { w.__proto__ = { cancel: true }; delete w.body; w.body = 1; return { body: w.body } }",
    ] {
        let done = transform(&engine, source).await.unwrap_or_else(|fault| panic!("{source}: {fault}"));
        assert_eq!(done.body, script::NewBody::Json("1".into()), "{source}");
    }
    // An object with a `then` of its own is a value like any other.
    let thenable = transform(&engine, "() => ({ then(f) { f({ cancel: true }) }, body: 1 })").await.unwrap();
    assert!(!thenable.cancel);
    for source in [
        "() => Object.create(Promise.prototype)",
        "() => { const p = Promise.resolve(1); p.constructor = { get [Symbol.species]() { throw 1 } }; return p }",
    ] {
        expect(&engine, source, &[FaultKind::Thrown, FaultKind::Shape]).await;
    }
}

/// A worker that loses its server in the middle of such a run ends by itself: the kernel counts its processor time.
#[test]
fn a_worker_without_a_server_ends() {
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::os::unix::process::ExitStatusExt as _;

    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut worker = std::process::Command::new(env!("CARGO_BIN_EXE_script-worker")).stdin(OwnedFd::from(theirs)).spawn().unwrap();
    let source = b"() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })";
    let mut question = vec![3];
    question.extend_from_slice(&[0; 28]);
    question.extend_from_slice(&u32::try_from(source.len()).unwrap().to_le_bytes());
    question.extend_from_slice(source);
    question.extend_from_slice(b"[]");
    ours.write_all(&u32::try_from(question.len()).unwrap().to_le_bytes()).unwrap();
    ours.write_all(&question).unwrap();
    drop(ours);
    let status = worker.wait().unwrap();
    assert!(status.signal().is_some(), "{status:?}");
}

/// While hostile functions fill their places, a good one still gets its turn.
#[tokio::test]
async fn others_get_their_turn() {
    let engine = engine(2);
    let hostile: Vec<_> = (0..6)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move { call(&engine, &format!("() => {{ for (;;) {{ {n} }} }}"), &json!([])).await })
        })
        .collect();
    let began = Instant::now();
    assert_eq!(call(&engine, "v => v + 1", &json!([1])).await.as_deref(), Ok("2"));
    assert!(began.elapsed() < BOUND);
    for one in hostile {
        assert_eq!(one.await.unwrap().unwrap_err().kind, FaultKind::Time);
    }
}

/// Garbage that functions leave in their engines does not gather: a worker that has grown is replaced.
#[tokio::test]
async fn memory_of_many_functions_is_bounded() {
    let engine = engine(1);
    let mut sizes = Vec::new();
    for n in 0..40 {
        // Ten megabytes in a circle, which only a collection would find.
        let source = format!("() => {{ const o = {{ data: new Uint8Array(10e6).fill({n}) }}; o.self = o; return 1 }}");
        assert_eq!(call(&engine, &source, &json!([])).await.as_deref(), Ok("1"));
        sizes.extend(children().iter().map(|pid| resident(*pid)));
    }
    let (most, limit) = (sizes.iter().max().unwrap(), 192 * 1024);
    assert!(sizes.len() >= 20 && *most < limit, "{most} KB");
}

/// This process's children.
fn children() -> Vec<u32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let list = std::fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default();
        found.extend(list.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    found
}

/// Kilobytes of a process in memory; none if it has ended.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A function that takes too much every time is not run every time.
#[tokio::test]
async fn a_function_that_always_takes_too_much_is_left_alone_for_a_while() {
    let engine = engine(1);
    let (mut refused, source) = (0, "() => { for (;;) {} }");
    for _ in 0..8 {
        let fault = call(&engine, source, &json!([])).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Time);
        refused += u32::from(fault.message.contains("not run again"));
    }
    assert!(refused >= 2, "{refused}");
    assert_eq!(call(&engine, "v => v", &json!([1])).await.as_deref(), Ok("1"), "others are");
}

/// A call that nobody waits for any more takes its worker with it, and the next one has a new one.
#[tokio::test]
async fn a_call_can_be_given_up() {
    let engine = engine(1);
    assert_eq!(call(&engine, "v => v", &json!([1])).await.as_deref(), Ok("1"));
    let nothing = json!([]);
    let stuck = call(&engine, "() => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })", &nothing);
    assert!(tokio::time::timeout(Duration::from_millis(50), stuck).await.is_err());
    assert_eq!(call(&engine, "v => v", &json!([2])).await.as_deref(), Ok("2"));
}
