// Offers the browser's own time zone; whoever has no script types it.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const button of document.querySelectorAll("[data-zone-for]")) {
  const field = document.getElementById(button.dataset.zoneFor);
  if (!zone || zone === (field.value || button.dataset.default)) continue;
  button.querySelector("[data-zone]").textContent = zone;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.value = zone;
    button.hidden = true;
    field.focus();
  });
}
