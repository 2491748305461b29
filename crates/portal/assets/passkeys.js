// Passkeys (WebAuthn). A form says where its options are asked for and has a hidden field for the device's answer; this file fills the field and
// sends the form. Without it, and in browsers without passkeys, such forms stay hidden.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const known = (list) => (list || []).map((credential) => ({ ...credential, id: bytes(credential.id) }));

function creation(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
}

function request(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) };
}

function answer(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return { id: credential.id, type: credential.type, response };
}

/** What the device is asked for: made for this form, good once. */
async function asked(form) {
  const body = new URLSearchParams({ csrf: form.elements.namedItem("csrf").value });
  const response = await fetch(form.dataset.options, { method: "POST", body });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const fault = form.querySelector("[data-passkey-fault]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    fault.hidden = true;
    try {
      const options = await asked(form);
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: creation(options) })
        : await navigator.credentials.get({ publicKey: request(options) });
      form.elements.namedItem("credential").value = JSON.stringify(answer(credential));
      form.submit();
    } catch {
      fault.hidden = false;
    }
  }, { capture: true });
}
