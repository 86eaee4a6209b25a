// Makes an Ed25519 key pair in the browser. The private key is shown here and sent nowhere: it is in
// no form field, so nothing that is submitted can hold it.

const pem = (label, bytes) => {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return `-----BEGIN ${label}-----\n${text.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----`;
};

const place = document.querySelector("[data-keygen]");
const madeHere = place?.querySelector("[name=made_here]");
const unsaved = place?.querySelector("[data-unsaved]");
const area = document.getElementById("public_key");
let made = "";  // The public half of the pair that was made here.
const radios = [...document.querySelectorAll('input[name="key_type"]')];

async function isPossible() {
  try {
    await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

const possible = Boolean(place) && await isPossible();

function showFields() {
  const chosen = radios.find((radio) => radio.checked)?.value;
  for (const part of document.querySelectorAll("[data-for]")) {
    const fits = part.dataset.for.split(" ").includes(chosen);
    part.hidden = !fits || (part === place && !possible);
  }
}

// A pair made here is for its own type: of another it is not sent, and what was wrong is no more.
function changeType() {
  showFields();
  madeHere.disabled = place.hidden;
  if (place.hidden && area.value === made) area.value = "";
  if (!place.hidden && !area.value) area.value = made;
  document.getElementById("public_key-error")?.remove();
  area.removeAttribute("aria-invalid");
  area.setAttribute("aria-describedby", "public_key-hint");
}

if (radios.length) {
  for (const radio of radios) radio.addEventListener("change", changeType);
  showFields();
} else if (place) {
  place.hidden = !possible;
}

place?.querySelector("[data-generate]").addEventListener("click", async () => {
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
  const [secret, open] = await Promise.all([
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
    crypto.subtle.exportKey("spki", pair.publicKey),
  ]);
  place.querySelector("#private-key").textContent = pem("PRIVATE KEY", secret);
  place.querySelector("[data-private]").hidden = false;
  made = area.value = pem("PUBLIC KEY", open);
  madeHere.value = "1";
  unsaved.hidden = true;
  place.querySelector("#private-key").focus();
});

// Saved, or another public key in its place: then nothing is lost with this page.
const forget = () => { madeHere.value = ""; unsaved.hidden = true; };
for (const button of place?.querySelectorAll("[data-copy-from], [data-download-from]") ?? []) {
  button.addEventListener("click", forget);
}
if (place) area.addEventListener("input", forget);

// Before all else that listens for it: no passkey is asked for while the form stays here.
window.addEventListener("submit", (event) => {
  if (!place || place.hidden || event.target !== place.closest("form")) return;
  if (place.querySelector("[data-private]").hidden) return;
  const label = event.target.elements.label;
  const isComplete = !label || label.reportValidity();
  if (isComplete && (!madeHere.value || !unsaved.hidden)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!isComplete) return;
  unsaved.hidden = false;
  place.querySelector("[data-download-from]").focus();
}, true);
