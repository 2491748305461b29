// What stands between a function and the engine. Evaluated once in each engine, before anything of a tenant's.
(function () {
  "use strict";
  const { parse, stringify } = JSON;
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const { freeze } = Object;
  const { then } = Promise.prototype;
  const owns = Object.hasOwn;
  const refused = (what) => function () { throw new TypeError(what); };

  // Time and chance are inputs.
  let clock = 0;
  let state = 0;
  const RealDate = Date;
  function FixedDate(...parts) {
    if (new.target === undefined) return new RealDate(clock).toString();
    return construct(RealDate, parts.length === 0 ? [clock] : parts, new.target);
  }
  FixedDate.now = function now() { return clock; };
  FixedDate.UTC = RealDate.UTC;
  FixedDate.parse = RealDate.parse;
  FixedDate.prototype = RealDate.prototype;
  RealDate.prototype.constructor = FixedDate;
  defineProperty(FixedDate, "name", { value: "Date" });
  globalThis.Date = FixedDate;
  // A linear congruential sequence, its high bits mixed down.
  Math.random = function random() {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state ^ (state >>> 16)) >>> 0) / 4294967296;
  };

  // No code out of text, nothing shared between threads, nothing that waits or watches the collector, no hooks into errors.
  const kinds = [function () {}, function* () {}, async function () {}, async function* () {}];
  const NoFunction = refused("code cannot be made out of text here");
  NoFunction.prototype = Function.prototype;
  for (const one of kinds) {
    defineProperty(getPrototypeOf(one), "constructor", { value: NoFunction, writable: true, configurable: true });
  }
  globalThis.Function = NoFunction;
  for (const name of ["eval", "Atomics", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry", "queueMicrotask", "performance", "gc"]) {
    delete globalThis[name];
  }
  delete Error.prepareStackTrace;
  delete Error.stackTraceLimit;
  const quiet = () => undefined;
  globalThis.console = { log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet };

  // A frozen prototype would forbid `error.name = …` and `object.toString = …`, which is how people write: such members become pairs of
  // functions that define the member on the object itself.
  function mend(proto) {
    for (const key of ownKeys(proto)) {
      const found = getOwnPropertyDescriptor(proto, key);
      if (typeof key !== "string" || !found.configurable || !("value" in found)) continue;
      const value = found.value;
      defineProperty(proto, key, {
        get() { return value; },
        set(next) {
          if (this === proto || this === null || (typeof this !== "object" && typeof this !== "function")) {
            throw new TypeError("built-in objects cannot be changed");
          }
          defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true });
        },
        enumerable: false,
        configurable: false,
      });
    }
  }
  mend(Object.prototype);
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  for (const one of errors) mend(one.prototype);

  // Everything that a script can reach by name or by syntax.
  const iterators = [[][Symbol.iterator](), new Map().keys(), new Set().keys(), ""[Symbol.iterator](), "".matchAll(/a/g)];
  const reach = [globalThis, ...kinds, ...iterators.map(getPrototypeOf), (function* () {})(), (async function* () {})(), then];
  if (typeof Iterator === "function") reach.push([].values().map(quiet), Iterator.from({ next: quiet }));
  const seen = new Set();
  while (reach.length > 0) {
    const one = reach.pop();
    if (one === null || (typeof one !== "object" && typeof one !== "function") || seen.has(one)) continue;
    seen.add(one);
    reach.push(getPrototypeOf(one));
    for (const key of ownKeys(one)) {
      const found = getOwnPropertyDescriptor(one, key);
      reach.push(found.value, found.get, found.set);
    }
  }
  for (const one of seen) freeze(one);

  // Answers are texts: 0 and the result, or 1 and the fault.
  const failed = (kind, message, stack) => "1" + stringify({ kind, message, stack });
  const cut = (text, most) => (text.length > most ? text.slice(0, most) + "…" : text);

  function describe(thrown) {
    try {
      if (!(thrown instanceof Error)) {
        const shown = typeof thrown === "string" ? thrown : stringify(thrown);
        return failed("thrown", cut("threw " + String(shown), 500));
      }
      const message = String(thrown.message);
      if (message === "out of memory") return failed("memory", "");
      const stack = typeof thrown.stack === "string" ? cut(thrown.stack, 4000) : "";
      return failed("thrown", cut(String(thrown.name) + ": " + message, 500), stack);
    } catch {
      return failed("thrown", "threw something that cannot be shown");
    }
  }

  function head(cancel, url, method, headers, body) {
    return "0" + stringify({ body, cancel, url, method, headers });
  }

  function transformed(result, before) {
    if (result === null || typeof result !== "object") {
      return failed("shape", "the function returned " + (result === null ? "null" : typeof result) + "; it must return the webhook object");
    }
    const { cancel, url, method, headers, body } = result;
    if (body === undefined) return head(cancel, url, method, headers, "same");
    const after = stringify(body);
    if (after === before) return head(cancel, url, method, headers, "same");
    if (typeof body === "string") return head(cancel, url, method, headers, "text") + "\n" + body;
    if (after === undefined) return failed("shape", "body cannot be written as JSON");
    return head(cancel, url, method, headers, "json") + "\n" + after;
  }

  function value(result) {
    const text = stringify(result);
    return "0" + (text === undefined ? "null" : text);
  }

  // A promise is followed; the answer is had by calling what is returned then.
  function settle(result, finish) {
    if (!(result instanceof Promise)) return finish(result);
    let answer;
    const guarded = (then) => (given) => {
      try { answer = then(given); } catch (thrown) { answer = describe(thrown); }
    };
    apply(then, result, [guarded(finish), guarded(describe)]);
    return () => answer;
  }

  function run(ask, factory, text, now, seed) {
    clock = now;
    state = seed;
    try {
      const given = factory();
      if (typeof given !== "function") return failed("shape", "the source must declare function handler(webhook), or be one function");
      if (ask === "check") return "0";
      const input = parse(text);
      if (ask === "call") return settle(given(...input), value);
      const before = stringify(input.body);
      return settle(given(input), (result) => transformed(result, before));
    } catch (thrown) {
      return describe(thrown);
    }
  }

  return { run, describe };
})()
