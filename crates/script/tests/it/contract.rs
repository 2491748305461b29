//! What a function gets and gives.

use script::{FaultKind, Function, MAX_SOURCE, NewBody};
use serde_json::{Value, json};

use crate::rig::{call, engine, function, transform};

#[tokio::test]
async fn every_accepted_form_of_a_function() {
    let engine = engine(1);
    let body = "webhook.body.data.name = 'Grace'; return webhook;";
    for source in [
        format!("function handler(webhook) {{ {body} }}"),
        format!("const help = () => 1;\nfunction handler(webhook) {{ help(); {body} }}\n"),
        format!("const handler = (webhook) => {{ {body} }};"),
        format!("(webhook) => {{ {body} }};\n"),
        format!("function (webhook) {{ {body} }}"),
        format!("async function handler(webhook) {{ await null; {body} }}"),
        format!("// a comment\nexport default function handler(webhook) {{ {body} }}"),
        format!("export default (webhook) => {{ {body} }}"),
        format!("export function handler(webhook) {{ {body} }} // the end"),
    ] {
        engine.check(&function(&source)).await.unwrap_or_else(|fault| panic!("{source}: {fault}"));
        let done = transform(&engine, &source).await.unwrap_or_else(|fault| panic!("{source}: {fault}"));
        let NewBody::Json(body) = &done.body else { panic!("{source}: {done:?}") };
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["data"]["name"], &body["data"]["amount"], done.cancel), (&json!("Grace"), &json!(5), false), "{source}");
    }
}

#[tokio::test]
async fn what_comes_back_is_told_member_by_member() {
    let engine = engine(1);
    let same = transform(&engine, "w => w").await.unwrap();
    assert_eq!((same.body, same.cancel, same.method.as_deref()), (NewBody::Unchanged, false, Some("POST")));
    assert_eq!(Value::Object(same.headers.unwrap()), json!({"x-mine": "1"}));
    let little = transform(&engine, "w => ({ cancel: true })").await.unwrap();
    assert_eq!((little.body, little.cancel, little.headers, little.url, little.method), (NewBody::Unchanged, true, None, None, None));
    let text = transform(&engine, "w => ({ body: 'a=1\\nb=2', url: 'https://b.example/', method: 'PUT' })").await.unwrap();
    assert_eq!(
        (text.body, text.url.as_deref(), text.method.as_deref()),
        (NewBody::Text("a=1\nb=2".into()), Some("https://b.example/"), Some("PUT"))
    );
    let null = transform(&engine, "w => ({ body: null })").await.unwrap();
    assert_eq!(null.body, NewBody::Json("null".into()));
    let written = transform(&engine, "w => ({ body: w.body.data, headers: { 'X-A': 1 } })").await.unwrap();
    assert_eq!(written.body, NewBody::Json(r#"{"amount":5,"name":"Ada"}"#.into()).clone_if(&written.body));
    assert_eq!(Value::Object(written.headers.unwrap()), json!({"X-A": 1}));
}

/// The order of members depends on how the test builds its input, not on the engine.
trait CloneIf {
    fn clone_if(self, other: &NewBody) -> NewBody;
}

impl CloneIf for NewBody {
    fn clone_if(self, other: &NewBody) -> NewBody {
        let value = |body: &NewBody| match body {
            NewBody::Json(text) => serde_json::from_str::<Value>(text).ok(),
            _ => None,
        };
        if value(&self) == value(other) { other.clone() } else { self }
    }
}

#[tokio::test]
async fn faults_name_their_line_and_column() {
    let engine = engine(1);
    let thrown = transform(&engine, "function handler(webhook) {\n  const a = 1;\n  return webhook.nothing.there;\n}").await.unwrap_err();
    assert_eq!((thrown.kind, thrown.line), (FaultKind::Thrown, Some(3)), "{thrown:?}");
    assert!(thrown.message.starts_with("TypeError: ") && thrown.column.is_some_and(|column| column > 1), "{thrown:?}");
    let inner =
        transform(&engine, "const deep = (x) => {\n\n  throw new Error('no ' + x);\n};\nconst handler = () => deep(1);").await.unwrap_err();
    assert_eq!((inner.message.as_str(), inner.line), ("Error: no 1", Some(3)), "the innermost place");
    for (source, line) in
        [("function handler(w) {\n  return w +;\n}", 2), ("w => {\n\n  if (", 3), ("function handler(w) {\n return w;\n", 2), ("%", 1)]
    {
        let fault = engine.check(&function(source)).await.unwrap_err();
        assert_eq!((fault.kind, fault.line), (FaultKind::Syntax, Some(line)), "{source}: {fault:?}");
        assert!(fault.message.starts_with("SyntaxError: "), "{fault:?}");
    }
    for source in ["", "const x = 1;", "42", "function other(w) { return w }\nlet y;", "({})"] {
        let fault = engine.check(&function(source)).await.unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Shape | FaultKind::Syntax), "{source}: {fault:?}");
    }
    let top = engine.check(&function("let x = y;\nfunction handler(w) { return w }")).await.unwrap_err();
    assert_eq!((top.kind, top.line), (FaultKind::Thrown, Some(1)), "what stands outside of the function runs too: {top:?}");
    assert_eq!(Function::new("o", &"x".repeat(MAX_SOURCE + 1)).unwrap_err().kind, FaultKind::Syntax);
    assert_eq!(Function::new("o", "\0").unwrap_err().kind, FaultKind::Syntax);
}

#[tokio::test]
async fn a_result_of_another_shape_is_a_fault() {
    let engine = engine(1);
    for (source, kind, part) in [
        ("w => { }", FaultKind::Shape, "returned undefined"),
        ("w => null", FaultKind::Shape, "returned null"),
        ("w => 5", FaultKind::Shape, "returned number"),
        ("w => ({ body: () => 1 })", FaultKind::Shape, "body"),
        ("w => ({ body: 5n })", FaultKind::Thrown, "BigInt"),
        ("w => { w.body.self = w.body; return w }", FaultKind::Thrown, "circular"),
        ("w => ({ headers: [1] })", FaultKind::Shape, "headers"),
        ("w => ({ headers: 'x' })", FaultKind::Shape, "headers"),
        ("w => ({ url: 1 })", FaultKind::Shape, "url"),
        ("w => ({ method: {} })", FaultKind::Shape, "method"),
        ("w => ({ cancel: 'yes' })", FaultKind::Shape, "cancel"),
        ("w => new Promise(() => {})", FaultKind::Shape, "never settles"),
        ("async w => { throw new RangeError('late') }", FaultKind::Thrown, "RangeError: late"),
        ("w => { throw 'a text' }", FaultKind::Thrown, "threw a text"),
        ("w => { throw null }", FaultKind::Thrown, "threw null"),
        ("w => { throw undefined }", FaultKind::Thrown, "threw undefined"),
        ("w => { throw { toJSON() { throw 1 } } }", FaultKind::Thrown, "cannot be shown"),
    ] {
        let fault = transform(&engine, source).await.unwrap_err();
        assert!(fault.kind == kind && fault.message.contains(part), "{source}: {fault:?}");
    }
}

#[tokio::test]
async fn values_are_transformed_one_by_one() {
    let engine = engine(1);
    for (source, arguments, result) in [
        ("v => v.trim()", json!(["  a "]), r#""a""#),
        ("function (v) { return v * 2 }", json!([21]), "42"),
        ("(a, b) => ({ both: [a, b] })", json!([1, "x"]), r#"{"both":[1,"x"]}"#),
        ("v => undefined", json!([1]), "null"),
        ("async v => v + 1", json!([1]), "2"),
        ("v => v.toUpperCase()", json!(["straße\u{1F600}"]), "\"STRASSE\u{1F600}\""),
    ] {
        assert_eq!(call(&engine, source, &arguments).await.as_deref(), Ok(result), "{source}");
    }
    let fault = call(&engine, "v => v.trim()", &json!([5])).await.unwrap_err();
    assert_eq!((fault.kind, fault.line), (FaultKind::Thrown, Some(1)));
}

#[tokio::test]
async fn time_and_chance_are_the_callers() {
    let engine = engine(1);
    let source = "() => [Date.now(), new Date().getTime(), new Date().toISOString(), new Date(5).getTime(), Math.random(), Math.random()]";
    let first = call(&engine, source, &json!([])).await.unwrap();
    let again = call(&engine, source, &json!([])).await.unwrap();
    assert_eq!(first, again, "the same moment, the same result");
    let values: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (&values[0], &values[1], &values[2], &values[3]),
        (&json!(1_700_000_000_123_i64), &values[0], &json!("2023-11-14T22:13:20.123Z"), &json!(5))
    );
    let chance = |at: usize| values[at].as_f64().unwrap();
    assert!(chance(4) != chance(5) && (0.0..1.0).contains(&chance(4)) && (0.0..1.0).contains(&chance(5)), "{first}");
    let ordinary = "() => [new Date(2020, 0, 1) instanceof Date, Date.UTC(1970, 0, 2), Date.parse('1970-01-01T00:00:01Z'), typeof Date()]";
    assert_eq!(call(&engine, ordinary, &json!([])).await.as_deref(), Ok(r#"[true,86400000,1000,"string"]"#));
}

/// What frozen built-in objects would forbid, and people write.
#[tokio::test]
async fn ordinary_code_runs_as_it_does_elsewhere() {
    let engine = engine(1);
    for (source, result) in [
        (
            "() => { class Mine extends Error { constructor(m) { super(m); this.name = 'Mine'; } } try { throw new Mine('x') } catch (e) { return String(e) } }",
            r#""Mine: x""#,
        ),
        (
            "() => { const o = {}; o.toString = () => 'mine'; o.constructor = 1; o.valueOf = 2; return [String(o), Object.keys(o)] }",
            r#"["mine",["toString","constructor","valueOf"]]"#,
        ),
        ("() => { const e = new TypeError('a'); e.message = 'b'; e.name = 'C'; return e.toString() }", r#""C: b""#),
        ("() => JSON.parse('{\"__proto__\":1,\"toString\":2}').toString", "2"),
        ("() => { const a = [3, 1, 2]; a.extra = 1; a.sort(); return a.map(x => x * 2).filter(x => x > 2) }", "[4,6]"),
        ("() => [...new Set([1, 1, 2])].concat([...new Map([[1, 2]]).values()])", "[1,2,2]"),
        ("() => { function* g() { yield* [1, 2] } return [...g()] }", "[1,2]"),
        ("() => 'a-b-c'.replace(/-(.)/g, (_, c) => c.toUpperCase())", r#""aBC""#),
        (
            "() => { console.log('quiet'); const { a, ...rest } = { a: 1, b: 2, c: null }; return { ...rest, d: rest?.x ?? 9 } }",
            r#"{"b":2,"c":null,"d":9}"#,
        ),
        ("async () => { const all = await Promise.all([1, Promise.resolve(2)]); return all }", "[1,2]"),
        (
            "() => { const o = Object.create({ a: 1 }); o.hasOwnProperty = 5; return [o.a, o.hasOwnProperty, ({}).hasOwnProperty('x')] }",
            "[1,5,false]",
        ),
    ] {
        assert_eq!(call(&engine, source, &json!([])).await.as_deref(), Ok(result), "{source}");
    }
}
