// The filter by platform. Without this script everything is shown, and the filter is not.
"use strict";
const filter = document.getElementById("filter");
const said = document.getElementById("shown");
function show(chosen) {
  for (const part of document.querySelectorAll("[data-platform]")) {
    part.hidden = chosen !== "all" && part.dataset.platform !== chosen;
  }
  for (const part of document.querySelectorAll("[data-figures-of]")) {
    part.hidden = part.dataset.figuresOf !== chosen;
  }
  for (const instead of document.querySelectorAll("[data-instead]")) {
    const table = instead.previousElementSibling;
    table.hidden = !table.querySelector("tr[data-platform]:not([hidden])");
    instead.hidden = !table.hidden;
  }
  said.textContent = chosen === "all" ? "All platforms are shown." : `Only ${chosen} is shown.`;
}
filter.hidden = false;
filter.addEventListener("change", (event) => {
  show(event.target.value);
  history.replaceState(null, "", event.target.value === "all" ? " " : `#platform=${event.target.value}`);
});
const named = new URLSearchParams(location.hash.slice(1)).get("platform");
const wanted = [...filter.querySelectorAll("input")].find((one) => one.value === named);
if (wanted) { wanted.checked = true; show(named); }
