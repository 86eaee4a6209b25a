// What makes the pages quicker for those who let scripts run. Every page does without.

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

function enhance(root) {
  for (const button of $$("[data-copy]", root)) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      flash(button);
    });
  }
  for (const button of $$("[data-copy-from]", root)) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copyFrom).textContent);
      flash(button);
    });
  }
  for (const button of $$("[data-download-from]", root)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.downloadFrom).textContent;
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "text/plain" }));
      link.download = button.dataset.name;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
  for (const button of $$("[data-add-to]", root)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const area = document.getElementById(button.dataset.addTo);
      // The signs that the server takes between addresses, see edits.py.
      const entries = area.value.split(/[\s,;\uff0c\u3001\uff1b]+/).filter(Boolean);
      for (const entry of button.dataset.entries.split(" ")) {
        if (!entries.includes(entry)) entries.push(entry);
      }
      area.value = entries.join("\n");
      const radio = document.querySelector('input[name="access"][value="trusted"]');
      if (radio) radio.click();
      flash(button);
    });
  }
  for (const part of $$("[data-shown-with]", root)) {
    const radio = document.querySelector(part.dataset.shownWith);
    const show = () => { part.hidden = !radio.checked; };
    for (const each of $$(`input[name="${radio.name}"]`)) each.addEventListener("change", show);
    show();
  }
  for (const dialog of $$("dialog[data-open]", root)) {
    dialog.removeAttribute("open");
    dialog.showModal();
    dialog.addEventListener("close", () => dialog.remove());
    for (const button of $$("[data-close]", dialog)) {
      button.addEventListener("click", (event) => { event.preventDefault(); dialog.close(); });
    }
  }
  for (const output of $$("output[data-days]", root)) {
    const range = document.getElementById(output.htmlFor[0] ?? output.getAttribute("for"));
    const show = () => { output.textContent = range.value; };
    range.addEventListener("input", show);
    show();
  }
  // Where there is something to mend, there one goes on: the button that sent the form is gone.
  (root.querySelector("[aria-invalid=true]") ?? root.querySelector("[role=alert][tabindex]"))?.focus();
}

function flash(button) {
  if (button.dataset.flashed) return;
  const before = [...button.childNodes];
  button.dataset.flashed = "1";
  button.replaceChildren("✓");
  setTimeout(() => { button.replaceChildren(...before); delete button.dataset.flashed; }, 1200);
}

// The second click of a double one would send the form again, and be told that it had been done.
// Held back before htmx hears of it; passkey.js is loaded first, and holds back what asks for one.
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.sent = "1";
  // Not for good: an answer may be a file, or fail to come, and then the page still stands there.
  setTimeout(() => { delete form.dataset.sent; }, 2000);
}

// An answer that changes the page is there at once; one that leads to another still has to lead.
function mayBeSent(event) {
  const { elt, xhr } = event.detail;
  if (!xhr.getResponseHeader("hx-redirect")) delete elt.dataset.sent;
}

enhance(document);
document.addEventListener("submit", sendOnce, true);
document.addEventListener("htmx:afterRequest", mayBeSent);
document.addEventListener("htmx:afterSwap", (event) => {
  // What was put in the place of its target is the event's own; the target is no longer there.
  enhance(event.detail.target.isConnected ? event.detail.target : event.target);
});
