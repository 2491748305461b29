//! One function's engine: a runtime and a context that nothing else uses.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::{CatchResultExt as _, Context, Ctx, Function, Object, Persistent, Runtime, Value};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;

use super::source::{LINES_BEFORE, as_expression, as_program};
use crate::fault::{Fault, FaultKind};
use crate::limits::{MAX_OUTPUT, MEMORY_LIMIT, STACK_LIMIT, TIME_LIMIT};
use crate::wire::Question;

const HARNESS: &str = include_str!("harness.js");
/// How the engine names a function's source in its traces.
const FILE: &str = "function.js";

type Built = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

/// The fields are dropped in this order: values before what they live in.
pub(super) struct Realm {
    run: Persistent<Function<'static>>,
    describe: Persistent<Function<'static>>,
    factory: Persistent<Function<'static>>,
    context: Context,
    watch: Watch,
    last_line: u32,
    /// Jobs were lost, or may have been.
    doubtful: Cell<bool>,
    runtime: Runtime,
}

/// The processor time of this thread, and the moment at which it is up.
#[derive(Clone, Default)]
struct Watch {
    until: Rc<Cell<i128>>,
    rang: Rc<Cell<bool>>,
}

impl Watch {
    fn set(&self) {
        self.until.set(used() + i128::try_from(TIME_LIMIT.as_nanos()).unwrap_or(i128::MAX));
        self.rang.set(false);
    }

    fn is_up(&self) -> bool {
        let up = used() > self.until.get();
        if up {
            self.rang.set(true);
        }
        up
    }
}

/// Processor time of this thread in nanoseconds.
fn used() -> i128 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

impl Realm {
    /// An engine for this source.
    pub(super) fn new(source: &str) -> Result<Self, Fault> {
        let broken = |_| Fault::unavailable();
        let runtime = Runtime::new().map_err(broken)?;
        runtime.set_memory_limit(MEMORY_LIMIT);
        runtime.set_max_stack_size(STACK_LIMIT);
        let watch = Watch::default();
        watch.set();
        let rings = watch.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || rings.is_up())));
        let context = Context::custom::<Built>(&runtime).map_err(broken)?;
        let last_line = u32::try_from(source.lines().count()).unwrap_or(u32::MAX).max(1);
        let (run, describe, factory) = context.with(|ctx| {
            let harness: Object<'_> = evaluate(&ctx, HARNESS, "harness.js").map_err(broken)?;
            let run: Function<'_> = harness.get("run").map_err(broken)?;
            let describe: Function<'_> = harness.get("describe").map_err(broken)?;
            let factory = factory(&ctx, source, &describe, &watch, last_line)?;
            Ok((Persistent::save(&ctx, run), Persistent::save(&ctx, describe), Persistent::save(&ctx, factory)))
        })?;
        Ok(Self { run, describe, factory, context, watch, last_line, doubtful: Cell::new(false), runtime })
    }

    /// Runs the function once.
    pub(super) fn run(&self, question: &Question<'_>) -> Result<String, Fault> {
        self.watch.set();
        self.context.with(|ctx| {
            let outcome = self.run_in(&ctx, question);
            // Whatever the run left to be done is done in its own time.
            while !self.watch.is_up() && ctx.execute_pending_job() {}
            outcome
        })
    }

    /// Whether nothing of the last run is left.
    pub(super) fn is_sound(&self) -> bool {
        !self.doubtful.get() && !self.runtime.is_job_pending()
    }

    fn run_in<'js>(&self, ctx: &Ctx<'js>, question: &Question<'_>) -> Result<String, Fault> {
        let restored = |function: &Persistent<Function<'static>>| function.clone().restore(ctx).map_err(|_| Fault::unavailable());
        let (run, factory) = (restored(&self.run)?, restored(&self.factory)?);
        #[allow(clippy::cast_precision_loss, reason = "milliseconds stay far below 2^53")]
        let now = question.now_ms as f64;
        let mut answer: Value<'js> =
            run.call((question.ask.name(), factory, question.input, now, question.seed)).map_err(|error| self.uncaught(ctx, &error))?;
        if let Some(settled) = answer.as_function() {
            while !self.watch.is_up() && ctx.execute_pending_job() {}
            answer = settled.call(()).map_err(|error| self.uncaught(ctx, &error))?;
        }
        if self.watch.rang.get() {
            return Err(Fault::time());
        }
        let Some(text) = answer.as_string() else {
            self.doubtful.set(true);
            return Err(Fault::new(
                FaultKind::Shape,
                "the function returned a promise that never settles: there is nothing to wait for here",
            ));
        };
        let text = text.to_string().map_err(|_| Fault::new(FaultKind::Shape, "the function's result is not valid Unicode"))?;
        read(text, self.last_line)
    }

    /// What the harness could not catch: a stop, or no memory even for saying so.
    fn uncaught(&self, ctx: &Ctx<'_>, error: &rquickjs::Error) -> Fault {
        let thrown = ctx.catch();
        if self.watch.rang.get() {
            return Fault::time();
        }
        if matches!(error, rquickjs::Error::Allocation) {
            return Fault::memory();
        }
        let describe = self.describe.clone().restore(ctx);
        let described = describe.and_then(|describe| describe.call::<_, String>((thrown,)));
        // Drop what was thrown while describing.
        drop(ctx.catch());
        described.map_or_else(|_| Fault::memory(), |text| read(text, self.last_line).err().unwrap_or_else(Fault::memory))
    }
}

fn evaluate<'js, V: rquickjs::FromJs<'js>>(ctx: &Ctx<'js>, text: &str, file: &str) -> rquickjs::Result<V> {
    let mut options = EvalOptions::default();
    options.filename = Some(file.to_owned());
    ctx.eval_with_options(text, options)
}

/// The source as a function that gives the tenant's function: as an expression, or else as a program.
fn factory<'js>(ctx: &Ctx<'js>, source: &str, describe: &Function<'js>, watch: &Watch, last_line: u32) -> Result<Function<'js>, Fault> {
    watch.set();
    if let Ok(function) = evaluate::<Value<'js>>(ctx, &as_expression(source), FILE).catch(ctx)
        && let Some(function) = function.into_function()
    {
        return Ok(function);
    }
    let fault = match evaluate::<Value<'js>>(ctx, &as_program(source), FILE) {
        Ok(value) => match value.into_function() {
            Some(function) => return Ok(function),
            None => Fault::new(FaultKind::Syntax, "the source is not one function or a program that declares one"),
        },
        Err(_) => {
            let text = describe.call::<_, String>((ctx.catch(),));
            let found = text.map_or_else(|_| Fault::memory(), |text| read(text, last_line).err().unwrap_or_else(Fault::memory));
            if watch.rang.get() { Fault::time() } else { found }
        }
    };
    Err(if fault.kind == FaultKind::Thrown { Fault { kind: FaultKind::Syntax, ..fault } } else { fault })
}

#[derive(Deserialize)]
struct Failed {
    kind: FaultKind,
    message: String,
    #[serde(default)]
    stack: String,
}

/// The harness's answer.
fn read(mut text: String, last_line: u32) -> Result<String, Fault> {
    if text.len() > MAX_OUTPUT + 1 {
        return Err(Fault::output());
    }
    if text.starts_with('0') {
        text.remove(0);
        return Ok(text);
    }
    let failed: Failed = serde_json::from_str(text.get(1..).unwrap_or_default()).map_err(|_| Fault::memory())?;
    if failed.kind == FaultKind::Memory {
        return Err(Fault::memory());
    }
    let place = place(&failed.stack);
    let line = place.map(|(line, _)| line.saturating_sub(LINES_BEFORE).clamp(1, last_line));
    Err(Fault { kind: failed.kind, message: failed.message, line, column: place.map(|(_, column)| column) })
}

/// The innermost place in the function's source that a trace names: `    at handler (function.js:3:12)`.
fn place(stack: &str) -> Option<(u32, u32)> {
    stack.lines().find_map(|line| {
        let after = line.split_once(&format!("{FILE}:"))?.1;
        let mut numbers = after.trim_end_matches(')').split(':').map(str::parse::<u32>);
        let line = numbers.next()?.ok()?;
        Some((line, numbers.next().and_then(Result::ok).unwrap_or(1)))
    })
}
