//! Nothing that a run does is seen by another.

use script::{FaultKind, Function};
use serde_json::json;

use crate::rig::{MOMENT, US, call, engine};

/// Everything that can be reached by name or by syntax is frozen: walked from inside, as a script would.
#[tokio::test]
async fn all_that_a_script_can_reach_is_frozen() {
    let engine = engine(1);
    let walk = r"
        function handler() {
          const roots = { globalThis, generator: Object.getPrototypeOf(function* () {}),
            async: Object.getPrototypeOf(async function () {}), asyncGenerator: Object.getPrototypeOf(async function* () {}),
            array: Object.getPrototypeOf([].values()),
            map: Object.getPrototypeOf(new Map().entries()), set: Object.getPrototypeOf(new Set().entries()),
            text: Object.getPrototypeOf(''[Symbol.iterator]()), match: Object.getPrototypeOf('a'.matchAll(/a/g)),
            regexp: Object.getPrototypeOf(/a/), promise: Object.getPrototypeOf((async () => 1)()),
            typed: Object.getPrototypeOf(Uint8Array), symbol: Object.getPrototypeOf(Object(Symbol())),
            thrower: Object.getOwnPropertyDescriptor((function () { 'use strict'; return arguments })(), 'callee').get,
            helper: typeof Iterator === 'function' ? Object.getPrototypeOf([].values().map((x) => x)) : null,
            wrapped: typeof Iterator === 'function' ? Object.getPrototypeOf(Iterator.from({ next() {} })) : null };
          const seen = new Set(), open = [], todo = Object.entries(roots);
          while (todo.length) {
            const [path, one] = todo.pop();
            if (one === null || (typeof one !== 'object' && typeof one !== 'function') || one === roots || seen.has(one)) continue;
            seen.add(one);
            if (!Object.isFrozen(one)) open.push(path);
            todo.push([path + '.__proto__', Object.getPrototypeOf(one)]);
            for (const key of Reflect.ownKeys(one)) {
              const d = Object.getOwnPropertyDescriptor(one, key);
              for (const part of ['value', 'get', 'set']) todo.push([path + '.' + String(key) + '.' + part, d[part]]);
            }
          }
          return { open, many: seen.size > 500 };
        }";
    assert_eq!(call(&engine, walk, &json!([])).await.as_deref(), Ok(r#"{"open":[],"many":true}"#));
}

#[tokio::test]
async fn no_run_leaves_anything_for_the_next() {
    let engine = engine(1);
    // Each is run twice in the same engine and must give the same both times.
    for source in [
        "let n = 0; function handler() { n += 1; return n }",
        "function handler() { handler.n = (handler.n ?? 0) + 1; return handler.n }",
        "() => { try { globalThis.leak = (globalThis.leak ?? 0) + 1 } catch {} return globalThis.leak ?? null }",
        "() => { try { Array.prototype.map = () => 'poisoned' } catch {} return [1].map((x) => x) }",
        "() => { try { Object.prototype.leak = 1 } catch {} return ({}).leak ?? null }",
        "() => { try { Object.prototype.toString = () => 'poisoned' } catch {} return String({}) }",
        "() => { try { ({}).__proto__.x = 1 } catch {} return ({}).x ?? null }",
        "() => { try { Error.prepareStackTrace = () => 'poisoned'; Error.stackTraceLimit = 0 } catch {} return typeof Error.prepareStackTrace }",
        "() => { try { JSON.stringify = () => '\"poisoned\"' } catch {} return JSON.stringify(1) }",
        "() => { try { Math.x = (Math.x ?? 0) + 1 } catch {} return Math.x ?? null }",
        "() => { try { RegExp.prototype.exec = () => null } catch {} return /a/.test('a') }",
        "() => { const r = /a/g; r.test('aa'); return r.lastIndex }",
        "() => { const t = (s) => s; const a = t`x`; try { a.n = 1 } catch {} return a.n ?? null }",
        "() => { try { Promise.prototype.then = () => 1 } catch {} return typeof Promise.prototype.then }",
        "() => { try { (function* () {})().__proto__.__proto__.next = 1 } catch {} return [...(function* () { yield 1 })()] }",
        "() => { Promise.resolve().then(() => { try { globalThis.late = 1 } catch {} }); return globalThis.late ?? null }",
        "}, ((globalThis.escaped = 1), function () { return globalThis.escaped ?? null }), function () {",
    ] {
        let first = call(&engine, source, &json!([])).await;
        let second = call(&engine, source, &json!([])).await;
        assert_eq!(first, second, "{source}");
        assert!(first.as_ref().is_ok_and(|text| !text.contains("poisoned")) || first.is_err(), "{source}: {first:?}");
    }
}

#[tokio::test]
async fn code_cannot_be_made_out_of_text() {
    let engine = engine(1);
    for source in [
        "() => eval('1')",
        "() => (0, eval)('let leak = 1')",
        "() => new Function('return 1')()",
        "() => (function () {}).constructor('return 1')()",
        "() => Object.getPrototypeOf(function* () {}).constructor('yield 1')()",
        "() => Object.getPrototypeOf(async function () {}).constructor('return 1')()",
        "() => import('x')",
    ] {
        let fault = call(&engine, source, &json!([])).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Thrown | FaultKind::Syntax | FaultKind::Shape), "{source}: {fault:?}");
    }
    let absent = "() => ['require', 'process', 'fetch', 'setTimeout', 'std', 'os', 'Deno', 'performance', 'Atomics', 'WeakRef', 'eval', 'XMLHttpRequest']\
                  .filter((name) => name in globalThis)";
    assert_eq!(call(&engine, absent, &json!([])).await.as_deref(), Ok("[]"));
}

#[tokio::test]
async fn two_owners_of_one_source_share_nothing() {
    let engine = engine(1);
    let source = "() => 1";
    let (ours, theirs) = (Function::new("ours", source).unwrap(), Function::new("theirs", source).unwrap());
    assert_ne!(format!("{ours:?}"), source, "a source is not for logs");
    for function in [&ours, &theirs, &ours] {
        assert_eq!(engine.call(US, function, "[]", MOMENT).await.as_deref(), Ok("1"));
    }
}

/// More functions than a worker keeps engines for.
#[tokio::test]
async fn many_functions_take_turns() {
    let engine = engine(1);
    for round in 0..2 {
        for n in 0..80 {
            let source = format!("(v) => v + {n}");
            assert_eq!(call(&engine, &source, &json!([round])).await, Ok((n + round).to_string()));
        }
    }
}
