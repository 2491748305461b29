// What the documentation does beyond reading: a key for this tab, requests that are really sent, one language for all samples.
// It asks this server only. A key is kept in sessionStorage, which ends with the tab.
"use strict";

const KEPT = ["key", "secret", "tenant"];
const kept = (name) => sessionStorage.getItem(`docs.${name}`) ?? "";

/** The headers that the kept key adds to a request. */
function credentials() {
  const headers = {};
  if (kept("key")) headers.Authorization = `Bearer ${kept("key")}`;
  if (kept("secret")) headers["X-API-Secret"] = kept("secret");
  if (kept("tenant")) headers["Tradewind-Tenant"] = kept("tenant");
  return headers;
}

/** Where a reader who signs in comes back to. */
const CALLBACK = "/docs/signed-in";

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** What this server says about its authorization. */
async function authorizationServer() {
  const response = await fetch("/.well-known/oauth-authorization-server");
  if (!response.ok) throw new Error(`${response.status} /.well-known/oauth-authorization-server`);
  return response.json();
}

/** Begins to sign in: the authorization server is this server, and leads back to CALLBACK in this tab (RFC 7636, RFC 9207). */
async function signIn(form) {
  const state = form.querySelector(".sign-in-state");
  try {
    const callback = new URL(form.dataset.callback);
    if (callback.origin !== location.origin) {
      state.textContent = `${state.dataset.elsewhere} ${callback.origin}/docs`;
      return;
    }
    if (!crypto.subtle) {
      state.textContent = state.dataset.insecure;
      return;
    }
    const server = await authorizationServer();
    const back = location.pathname === CALLBACK ? "/docs" : location.pathname + location.search + location.hash;
    const flow = { state: random(), verifier: random(), client: form.elements.client.value.trim(), callback: callback.href, back };
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(flow.verifier));
    sessionStorage.setItem("docs.flow", JSON.stringify(flow));
    const query = new URLSearchParams({
      response_type: "code",
      client_id: flow.client,
      redirect_uri: flow.callback,
      state: flow.state,
      code_challenge: base64url(new Uint8Array(digest)),
      code_challenge_method: "S256",
    });
    location.assign(`${server.authorization_endpoint}?${query}`);
  } catch (error) {
    state.textContent = String(error);
  }
}

/** Ends it: the code becomes a token, which is used as a key is, and the reader is back where it began. */
async function signedIn() {
  const state = document.querySelector("main .sign-in-state");
  const answer = new URLSearchParams(location.search);
  const flow = JSON.parse(sessionStorage.getItem("docs.flow") ?? "null");
  // Good once, and not to be found in the tab's history.
  sessionStorage.removeItem("docs.flow");
  history.replaceState(null, "", CALLBACK);
  try {
    const server = await authorizationServer();
    if (!flow || answer.get("state") !== flow.state || answer.get("iss") !== server.issuer) {
      state.textContent = state.dataset.mismatch;
      return;
    }
    if (answer.has("error")) {
      state.textContent = `${answer.get("error")}: ${answer.get("error_description") ?? ""}`;
      return;
    }
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code") ?? "",
      redirect_uri: flow.callback,
      client_id: flow.client,
      code_verifier: flow.verifier,
    });
    const response = await fetch(server.token_endpoint, { method: "POST", body });
    const tokens = await response.json();
    if (!response.ok) {
      state.textContent = `${tokens.error}: ${tokens.error_description ?? ""}`;
      return;
    }
    for (const name of KEPT) sessionStorage.removeItem(`docs.${name}`);
    sessionStorage.setItem("docs.key", tokens.access_token);
    sessionStorage.setItem("docs.client", flow.client);
    location.replace(flow.back);
  } catch (error) {
    state.textContent = String(error);
  }
}

/** Ends what a sign-in gave, also at the server: nobody else is to find it good. */
async function revoke() {
  const [token, client] = [kept("key"), kept("client")];
  sessionStorage.removeItem("docs.client");
  if (!token || !client) return;
  const server = await authorizationServer();
  await fetch(server.revocation_endpoint, { method: "POST", body: new URLSearchParams({ token, client_id: client }) });
}

/** The same page as this key sees it: the server leaves out what the key may not call, and adds what is its tenant's own. */
async function personalize() {
  const state = document.getElementById("credential-state");
  const headers = credentials();
  let response = await fetch(location.pathname + location.search, { headers });
  if (response.status === 404) response = await fetch("/docs", { headers });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    state.textContent = `${response.status} ${problem.detail ?? problem.error ?? ""}`;
    return;
  }
  state.textContent = headers.Authorization ? "✓" : "";
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["nav", "main"]) {
    document.getElementById(id).replaceChildren(...document.adoptNode(page.getElementById(id)).childNodes);
  }
  enhance();
}

/** The request that a form describes: method, path with its query, headers, body. */
function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const headers = form.dataset.guarded === "true" ? credentials() : {};
  let body;
  for (const field of form.elements) {
    if (!field.name) continue;
    const [place, ...rest] = field.name.split(".");
    const name = rest.join(".");
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(field.value));
    if (field.value === "") continue;
    if (place === "query") query.append(name, field.value);
    if (place === "header") headers[name] = field.value;
    if (field.name === "body") {
      body = field.value;
      headers["Content-Type"] = field.dataset.media;
    }
  }
  return { method: form.dataset.method, path: query.size ? `${path}?${query}` : path, headers, body };
}

function block(text) {
  const pre = document.createElement("pre");
  pre.dir = "ltr";
  pre.tabIndex = 0;
  pre.textContent = text;
  return pre;
}

/** Longest answer that is shown; streams would never end. */
const SHOWN = 200_000;

async function read(response) {
  const reader = response.body?.getReader();
  if (!reader) return response.text();
  const decoder = new TextDecoder();
  const until = Date.now() + 10_000;
  let text = "";
  while (text.length < SHOWN && Date.now() < until) {
    const late = new Promise((resolve) => setTimeout(resolve, until - Date.now(), { done: true }));
    const { done, value } = await Promise.race([reader.read(), late]);
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  reader.cancel().catch(() => {});
  return text;
}

async function send(form) {
  const output = form.querySelector("output");
  const button = form.querySelector("button");
  const { method, path, headers, body } = requestOf(form);
  button.disabled = true;
  const begun = performance.now();
  try {
    const response = await fetch(path, { method, headers, body, redirect: "manual", cache: "no-store" });
    const text = await read(response);
    const took = Math.round(performance.now() - begun);
    let shown = text;
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Not JSON: shown as it is.
    }
    const status = document.createElement("p");
    status.dir = "ltr";
    status.textContent = `${response.status} ${response.statusText} · ${took} ms`;
    const fields = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = `${method} ${path}`;
    summary.dir = "ltr";
    details.append(summary, block(fields));
    output.replaceChildren(status, details, ...(shown ? [block(shown)] : []));
  } catch (error) {
    output.replaceChildren(block(String(error)));
  } finally {
    button.disabled = false;
  }
}

/** Shows samples in one language everywhere, from now on too. */
function speak(language) {
  localStorage.setItem("docs.language", language);
  for (const radio of document.querySelectorAll(`.samples input[value="${CSS.escape(language)}"]`)) radio.checked = true;
}

/** Only operations with all the words, in the list at the side. */
function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of document.querySelectorAll("#nav details")) {
    let any = false;
    for (const item of group.querySelectorAll("[data-find]")) {
      item.hidden = !words.every((word) => item.dataset.find.includes(word));
      any ||= !item.hidden;
    }
    group.hidden = !any;
    if (words.length > 0) group.open = any;
  }
}

/** A button that copies each sample. */
function copyable() {
  for (const pre of document.querySelectorAll("pre.code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "⧉";
    button.setAttribute("aria-label", "Copy");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.querySelector("code").textContent);
      button.textContent = "✓";
    });
    pre.append(button);
  }
}

/** What has to be done again when the content was replaced. */
function enhance() {
  const language = localStorage.getItem("docs.language");
  if (language) speak(language);
  copyable();
  document.getElementById("find")?.addEventListener("input", (event) => find(event.target.value));
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.id === "sign-in") {
    signIn(form);
    return;
  }
  if (form.id !== "credential") {
    send(form);
    return;
  }
  sessionStorage.removeItem("docs.client");
  for (const name of KEPT) sessionStorage.setItem(`docs.${name}`, form.elements[name]?.value.trim() ?? "");
  personalize();
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".samples input")) speak(event.target.value);
});

document.addEventListener("click", async (event) => {
  if (!event.target.matches("[data-forget]")) return;
  await revoke().catch(() => {});
  for (const name of KEPT) sessionStorage.removeItem(`docs.${name}`);
  event.target.form.reset();
  personalize();
});

enhance();
if (location.pathname === CALLBACK && location.search) {
  signedIn();
} else if (kept("key")) {
  for (const name of KEPT) {
    const field = document.getElementById("credential").elements[name];
    if (field) field.value = kept(name);
  }
  personalize();
}
