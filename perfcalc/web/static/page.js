// Everything here makes the pages quicker; without it they work as plain forms and links.
"use strict";

const DAY = 86400000;

function upload() {
  const form = document.getElementById("upload");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const said = document.getElementById("upload-said");
  const isTooLarge = () => {
    const large = [...input.files].some((file) => file.size > Number(form.dataset.most));
    said.textContent = large ? form.dataset.tooLarge : "";
    return large;
  };
  input.addEventListener("change", isTooLarge);
  form.addEventListener("submit", (event) => {
    if (isTooLarge()) event.preventDefault();
    else said.textContent = form.dataset.busy;
  });
  // A file may be dropped anywhere: beside the frame the browser would leave the page and show it.
  let inside = 0;
  const over = (change) => {
    inside = Math.max(0, inside + change);
    form.classList.toggle("over", inside > 0);
  };
  document.addEventListener("dragenter", () => over(1));
  document.addEventListener("dragleave", () => over(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    over(0);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    if (!isTooLarge()) form.requestSubmit(form.querySelector("button[value=score]"));
  });
  // Coming back from the results, the page says nothing of the last upload.
  window.addEventListener("pageshow", isTooLarge);
}

// Results: replaced in place when an option, the filter or the day changes, and when a run ends.
let asking = null;
let shown = { day: "", places: "", sides: new Map() }; // what was shown last: row -> verdicts

async function show(address, remember) {
  const results = document.getElementById("results");
  if (asking) asking.abort();
  asking = new AbortController();
  results.setAttribute("aria-busy", "true");
  try {
    const url = new URL(address, location.href);
    url.searchParams.set("fragment", "true");
    const answer = await fetch(url, { signal: asking.signal, headers: { accept: "text/html" } });
    if (!answer.ok) {
      location.assign(address);
      return;
    }
    const text = await answer.text();
    const shut = [...results.querySelectorAll("details.map:not([open])")].map((each) => each.id);
    results.innerHTML = text; // made by the server's templates, which escape what sheets hold
    for (const id of shut) document.getElementById(id)?.removeAttribute("open");
    if (remember) {
      history.replaceState(null, "", address);
      keepOptions(new URL(address, location.href));
    }
    results.setAttribute("aria-busy", "false");
    toTheLine();
    compare(true);
    follow();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  }
}

// What the options form does not hold: a new day keeps the search, the filter and the order.
const VIEW = ["search", "verdict", "problems", "sort", "order"];

// The other pages of the sheet are asked under the options that are shown.
function keepOptions(now) {
  const kept = new URLSearchParams(now.search);
  for (const name of [...VIEW, "page", "fragment"]) kept.delete(name);
  for (const link of document.querySelectorAll("a[data-page]")) link.search = kept.toString();
  for (const link of document.querySelectorAll(".languages a")) {
    const url = new URL(link.href);
    url.searchParams.set("back", now.pathname + now.search);
    link.href = url.pathname + url.search;
  }
  document.title = document.title.replace(/\d{4}-\d\d-\d\d/, kept.get("as_of") || "$&");
}

// Which rows have changed side since the day that was shown before; and, for screen readers, what is shown now.
function compare(isTold) {
  const part = document.getElementById("part");
  const form = document.getElementById("options");
  if (!part || part.dataset.state !== "done") return;
  const isOtherDay = part.dataset.places === shown.places && part.dataset.day !== shown.day;
  const sides = new Map();
  const moved = [];
  for (const row of part.querySelectorAll("tr[data-row]")) {
    sides.set(row.dataset.row, row.dataset.side);
    const before = shown.sides.get(row.dataset.row);
    if (!isOtherDay || before === undefined || before === row.dataset.side) continue;
    row.classList.add("moved");
    moved.push(row.querySelector("th a").textContent);
  }
  shown = { day: part.dataset.day, places: part.dataset.places, sides };
  if (!isTold) return;
  const said = document.getElementById("said");
  const names = moved.slice(0, 12).join(", ") + (moved.length > 12 ? ", …" : "");
  const words = moved.length ? form.dataset.changed : form.dataset.unchanged;
  const change = words.replace("{count}", () => moved.length).replace("{items}", () => names);
  said.textContent = `${part.dataset.heading} · ${isOtherDay ? change : part.querySelector("caption")?.textContent || ""}`;
  said.classList.toggle("hidden", !isOtherDay);
}

function address(form) {
  const said = new URLSearchParams();
  const now = new URLSearchParams(location.search);
  if (form.id === "options") for (const name of VIEW) if (now.get(name)) said.append(name, now.get(name));
  for (const [name, value] of new FormData(form)) if (value) said.append(name, value);
  return `${form.getAttribute("action")}?${said}`;
}

let source = null;

function follow() {
  if (source) source.close();
  source = null;
  const part = document.getElementById("part");
  if (!part || !part.dataset.events) return;
  source = new EventSource(part.dataset.events);
  let seen = false;
  source.addEventListener("progress", (event) => {
    const said = JSON.parse(event.data);
    const bar = document.getElementById("progress");
    const text = document.getElementById("progress-text");
    if (!bar) return;
    if (said.of_rows) bar.max = said.of_rows;
    if (said.of_rows) bar.value = said.rows;
    const rows = [said.rows, said.of_rows].filter(Boolean).map((count) => count.toLocaleString("en"));
    text.textContent = text.dataset.words.replace("{rows}", rows.join(" / "));
    if (said.rows && !seen && !part.querySelector("table")) {
      seen = true; // the first rows are there
      show(location.href, false);
    }
  });
  source.addEventListener("end", () => {
    source.close();
    show(location.href, false);
  });
}

// A map that is wider than the screen begins where the principal paragraph does.
function toTheLine() {
  for (const box of document.querySelectorAll(".map [data-middle]")) {
    box.scrollLeft = box.dataset.middle * box.scrollWidth - box.clientWidth / 2;
  }
}

// The arrow keys go from point to point of a map, so that the tab key does not have to pass all of them.
function arrows(event) {
  const mark = event.target.closest?.("a.mark");
  if (!mark) return;
  const marks = [...mark.closest("svg").querySelectorAll("a.mark")];
  const at = marks.indexOf(mark);
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length - 1 }[event.key];
  if (to === undefined || !marks[to]) return;
  event.preventDefault();
  mark.setAttribute("tabindex", "-1");
  marks[to].removeAttribute("tabindex");
  marks[to].focus();
}

function results() {
  const form = document.getElementById("options");
  if (!form) return;
  const part = document.getElementById("results");
  const day = form.querySelector("#as_of");
  const slider = form.querySelector("#slider");
  const begin = Date.parse(form.dataset.begin);
  form.querySelector(".slider").hidden = false;
  // With a script a new day needs no button; the other options keep theirs.
  document.getElementById("more-options").append(form.querySelector("button"));
  let waiting = 0;
  // A long sheet is scored for the day on which the slider comes to rest, not for every day that it passes.
  const isLong = () => Number(document.getElementById("part").dataset.rows) > 20000;
  const soon = (milliseconds) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(address(form), true), milliseconds);
  };
  const move = () => {
    slider.value = Math.round((Date.parse(day.value) - begin) / DAY);
    slider.setAttribute("aria-valuetext", day.value);
  };
  slider.addEventListener("input", () => {
    day.value = new Date(begin + slider.value * DAY).toISOString().slice(0, 10);
    slider.setAttribute("aria-valuetext", day.value);
    if (!isLong()) soon(200);
  });
  slider.addEventListener("change", () => soon(isLong() ? 0 : 200));
  day.addEventListener("input", () => {
    if (!day.value) return;
    move();
    soon(300);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(0);
  });
  part.addEventListener("submit", (event) => {
    if (event.target.id !== "filter") return;
    event.preventDefault();
    show(address(event.target), true);
  });
  part.addEventListener("click", (event) => {
    const step = event.target.closest?.("a[data-day]");
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    day.value = step.dataset.day;
    move();
    show(step.getAttribute("href"), true).then(() => part.querySelector(".stepper a")?.focus());
  });
  part.addEventListener("keydown", arrows);
  toTheLine();
  compare(false);
  follow();
}

upload();
results();
