// Passkeys. Every page that asks for one says what to do without scripts; here the button appears.
// Nothing is decided in the browser: it answers a challenge of the server's and sends the answer.

const decode = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const isPossible = window.isSecureContext && "PublicKeyCredential" in window;

async function ask(button, address) {
  const form = button.form;
  const body = new URLSearchParams({ _csrf_token: form.elements._csrf_token.value });
  if (button.dataset.act) body.set("act", button.dataset.act);
  const response = await fetch(address, { method: "POST", body, credentials: "same-origin" });
  if (response.redirected) { location.reload(); throw new Error("signed out"); }
  if (!response.ok) throw new Error(`asked in vain: ${response.status}`);
  if (form.elements.challenge) form.elements.challenge.value = response.headers.get("x-challenge");
  return response.json();
}

function named(list) {
  return (list ?? []).map((each) => ({ ...each, id: decode(each.id) }));
}

function answered(held) {
  const { response } = held;
  const said = { clientDataJSON: encode(response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[part]) said[part] = encode(response[part]);
  }
  if (response.getTransports) said.transports = response.getTransports();
  return JSON.stringify({
    id: held.id,
    rawId: encode(held.rawId),
    type: held.type,
    response: said,
    clientExtensionResults: held.getClientExtensionResults(),
    authenticatorAttachment: held.authenticatorAttachment ?? undefined,
  });
}

async function use(button) {
  const options = await ask(button, button.dataset.passkey);
  return navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      allowCredentials: named(options.allowCredentials),
    },
  });
}

async function make(button) {
  const options = await ask(button, button.dataset.makePasskey);
  return navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
      excludeCredentials: named(options.excludeCredentials),
    },
  });
}

// While the passkey is asked for, what was pressed cannot be pressed again. That takes the focus from
// it, and where nothing is sent it is given back: there one tries again.
async function answer(form, act, source, pressed = source) {
  const error = form.querySelector("[data-passkey-error]");
  let isGiven = true;
  if (error) error.hidden = true;
  if (pressed) pressed.disabled = true;
  try {
    form.elements.passkey.value = answered(await act(source));
  } catch {
    isGiven = false;
  }
  if (error) error.hidden = isGiven;
  if (pressed) pressed.disabled = false;
  if (!isGiven) pressed?.focus();
  return isGiven;
}

function listen(button, act) {
  button.addEventListener("click", async () => {
    const form = button.form;
    if (form.elements.label && !form.elements.label.reportValidity()) return;
    if (await answer(form, act, button)) form.requestSubmit();
  });
}

// Whoever gave no other factor is asked for the passkey by the button that sends the form. Before
// console.js and htmx hear of it, for the form goes only with the answer.
async function askFirst(event) {
  const form = event.target;
  const factor = form.querySelector("fieldset[data-passkey]");
  const sent = event.submitter;
  if (!isPossible || !factor || form.elements.passkey.value || sent?.hasAttribute("formaction")) return;
  if (form.elements.code?.value || form.elements.recovery_code?.value) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (await answer(form, use, factor, sent)) form.requestSubmit(sent);
}

function enhance(root) {
  for (const zone of root.querySelectorAll("[data-time-zone]")) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  }
  if (!isPossible) {
    for (const part of root.querySelectorAll("[data-passkey-none]")) part.hidden = false;
    return;
  }
  for (const part of root.querySelectorAll("[data-passkey-form], [data-with-passkey]")) {
    part.hidden = false;
  }
  for (const button of root.querySelectorAll("button[data-passkey]")) {
    button.hidden = false;
    listen(button, use);
  }
  for (const button of root.querySelectorAll("[data-make-passkey]")) listen(button, make);
}

enhance(document);
document.addEventListener("submit", askFirst, true);
document.addEventListener("htmx:afterSwap", (event) => {
  // As in console.js: where the target was replaced, what stands there now.
  enhance(event.detail.target.isConnected ? event.detail.target : event.target);
});
