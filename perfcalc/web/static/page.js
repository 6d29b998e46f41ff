// Everything here makes the pages quicker; without it they work as plain forms and links.
"use strict";

const DAY = 86400000;

function upload() {
  const form = document.getElementById("upload");
  if (!form) return;
  const input = form.querySelector("input[type=file]");
  const error = document.getElementById("upload-error");
  const tooLarge = () => {
    const large = [...input.files].some((file) => file.size > Number(form.dataset.most));
    error.hidden = !large;
    error.textContent = large ? form.dataset.tooLarge : "";
    return large;
  };
  input.addEventListener("change", tooLarge);
  form.addEventListener("submit", (event) => {
    if (tooLarge()) event.preventDefault();
  });
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    if (!tooLarge()) form.requestSubmit(form.querySelector("button[value=score]"));
  });
}

// Results: replaced in place when an option, the filter or the day changes, and when a run ends.
let asking = null;

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
    results.innerHTML = await answer.text(); // made by the server's templates, which escape what sheets hold
    if (remember) history.replaceState(null, "", address);
    results.setAttribute("aria-busy", "false");
    follow();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
  }
}

// What the options form does not hold: a new day keeps the search, the filter and the order.
const VIEW = ["search", "verdict", "problems", "sort", "order"];

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
    text.textContent = said.of_rows ? `${said.rows.toLocaleString()} / ${said.of_rows.toLocaleString()}` : said.rows.toLocaleString();
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

function results() {
  const form = document.getElementById("options");
  if (!form) return;
  const day = form.querySelector("#as_of");
  const slider = form.querySelector("#slider");
  const begin = Date.parse(form.dataset.begin);
  form.querySelector(".slider").hidden = false;
  let waiting = 0;
  // A long sheet is scored for the day on which the slider comes to rest, not for every day that it passes.
  const isLong = () => Number(document.getElementById("part").dataset.rows) > 20000;
  const soon = (milliseconds) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(address(form), true), milliseconds);
  };
  slider.addEventListener("input", () => {
    day.value = new Date(begin + slider.value * DAY).toISOString().slice(0, 10);
    slider.setAttribute("aria-valuetext", day.value);
    if (!isLong()) soon(150);
  });
  slider.addEventListener("change", () => soon(0));
  day.addEventListener("input", () => {
    if (!day.value) return;
    slider.value = Math.round((Date.parse(day.value) - begin) / DAY);
    slider.setAttribute("aria-valuetext", day.value);
    soon(300);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    soon(0);
  });
  document.getElementById("results").addEventListener("submit", (event) => {
    if (event.target.id !== "filter") return;
    event.preventDefault();
    show(address(event.target), true);
  });
  follow();
}

upload();
results();
