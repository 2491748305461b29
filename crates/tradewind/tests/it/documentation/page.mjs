// The interactive page in jsdom: a key is used, the page narrows to what it may call, a request is sent and its answer shown.
// node page.mjs <directory with node_modules> <base url> <key that may only read leads>
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const [, , directory, base, key] = process.argv;
const require = createRequire(pathToFileURL(`${directory}/`));
const { JSDOM, VirtualConsole } = require("jsdom");

const faults = [];
const console_ = new VirtualConsole();
console_.on("jsdomError", (error) => faults.push(String(error.detail ?? error)));

async function open(path, asked) {
  const dom = await JSDOM.fromURL(base + path, {
    runScripts: "dangerously",
    resources: "usable",
    virtualConsole: console_,
    beforeParse(window) {
      window.fetch = (target, options) => {
        const url = new URL(target, base);
        asked.push({ url: url.href, key: options?.headers?.Authorization ?? null });
        return fetch(url, options);
      };
      window.TextDecoder = TextDecoder;
      window.CSS = { escape: (text) => text };
    },
  });
  await new Promise((resolve) => dom.window.addEventListener("load", resolve));
  return dom.window;
}

/** Waits until `probe` gives something. */
async function until(what, probe) {
  for (const end = Date.now() + 15_000; Date.now() < end; ) {
    const found = probe();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`not within 15 seconds: ${what}`);
}

const submit = (window, form) => form.dispatchEvent(new window.Event("submit", { bubbles: true, cancelable: true }));

const asked = [];
const window = await open("/docs/reference/leads", asked);
const { document } = window;
const forms = (method) => document.querySelectorAll(`form[data-method="${method}"]`);
assert.ok(forms("POST").length > 0, "without a key everything is shown");

// One language for all samples, by the keyboard's own means: radio buttons.
const radio = document.querySelector('.samples input[value="python"]');
radio.checked = true;
radio.dispatchEvent(new window.Event("change", { bubbles: true }));
assert.ok([...document.querySelectorAll('.samples input[value="python"]')].every((one) => one.checked), "all samples follow");

// Finding an operation.
const find = document.getElementById("find");
find.value = "get /api/v1/agents";
find.dispatchEvent(new window.Event("input", { bubbles: true }));
const shown = [...document.querySelectorAll("#nav [data-find]")].filter((item) => !item.hidden && !item.closest("details").hidden);
assert.ok(shown.length > 0 && shown.every((item) => item.dataset.find.includes("/api/v1/agents")), "only what was looked for is shown");

// A key narrows the page to what it may call.
const credential = document.getElementById("credential");
credential.elements.key.value = key;
submit(window, credential);
await until("the page without what the key may not call", () => forms("POST").length === 0 && forms("GET").length > 0);

// A request is sent with the key, and its answer is shown.
const list = [...forms("GET")].find((form) => form.dataset.path === "/api/v1/leads");
list.elements["query.limit"].value = "1";
submit(window, list);
const answer = await until("the answer", () => (list.querySelector("output p") ? list.querySelector("output").textContent : null));
assert.match(answer, /^200 /);
assert.match(answer, /"pagination"/);
const sent = asked.at(-1);
assert.deepEqual(sent, { url: `${base}/api/v1/leads?limit=1`, key: `Bearer ${key}` });
assert.ok(asked.every((one) => one.url.startsWith(base)), "no other host was asked");

// A wrong key is said to be wrong, and the page stays.
credential.elements.key.value = "nonsense";
submit(window, credential);
await until("the refusal", () => document.getElementById("credential-state").textContent.startsWith("401"));
assert.ok(forms("GET").length > 0);

// Forgotten, the page is whole again.
document.querySelector("[data-forget]").dispatchEvent(new window.MouseEvent("click", { bubbles: true }));
await until("the whole page", () => forms("POST").length > 0);
assert.equal(window.sessionStorage.getItem("docs.key"), null);
assert.deepEqual(faults, []);
window.close();
console.log("ok");
