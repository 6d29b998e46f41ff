"use strict";
// Filters, sorts and pages the rows. Every text is set as text: nothing of the sheet is ever read as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const body = document.querySelector("#table tbody");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const heads = [...document.querySelectorAll("#table thead th")];
  const first = 2 + data.figures;
  const fields = Object.fromEntries(["q", "kind", "where", "verdict"].map(id => [id, document.getElementById(id)]));
  const folded = data.rows.map(row => row.slice(0, -1).join("\n").toLowerCase());
  let limit = data.page, sort = null, down = false;

  const number = text => {
    const found = /-?[0-9][0-9,.]*(e-?[0-9]+)?/.exec(text.replace("\u2212", "-"));
    return found ? parseFloat(found[0].replace(/,/g, "")) : null;
  };
  const isVerdict = column => column >= first && (column - first) % 3 === 0;

  function chosen() {
    const words = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const groups = fields.where.value === "" ? data.groups.map((_, at) => at) : [Number(fields.where.value)];
    const rows = [];
    data.rows.forEach((row, at) => {
      if (fields.kind.value && row[1] !== fields.kind.value) return;
      if (fields.verdict.value && !groups.some(group => row[first + 3 * group] === fields.verdict.value)) return;
      if (words.every(word => folded[at].includes(word))) rows.push(row);
    });
    if (sort !== null) {
      const numeric = sort >= 2 && (sort < first || (sort - first) % 3 === 2);
      const key = row => numeric ? number(row[sort]) : row[sort].toLowerCase();
      rows.sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        // What has no value stands last, whichever way the others run.
        if (x === null || y === null) return (x === null) - (y === null);
        return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
      });
    }
    return rows;
  }

  function cell(row, column) {
    const made = document.createElement(column ? "td" : "th");
    if (!column) made.scope = "row";
    const text = row[column];
    if (isVerdict(column)) {
      const span = document.createElement("span");
      span.className = "v " + text;
      const sign = document.createElement("span");
      sign.setAttribute("aria-hidden", "true");
      sign.textContent = data.signs[text];
      span.append(sign, " " + data.words[text]);
      made.append(span);
    } else if (!column && row[row.length - 1] >= 0) {
      const link = document.createElement("a");
      link.href = "#t" + row[row.length - 1];
      link.textContent = text;
      made.append(link);
    } else {
      made.textContent = text;
    }
    return made;
  }

  function show() {
    const rows = chosen(), part = rows.slice(0, limit);
    body.replaceChildren(...part.map(row => {
      const line = document.createElement("tr");
      for (let column = 0; column < row.length - 1; column++) line.append(cell(row, column));
      return line;
    }));
    const all = data.rows.length.toLocaleString("en");
    count.textContent = part.length < rows.length
      ? `${part.length.toLocaleString("en")} of the ${rows.length.toLocaleString("en")} items that match are shown, of ${all}.`
      : `${rows.length.toLocaleString("en")} of ${all} items.`;
    more.hidden = part.length === rows.length;
    more.textContent = `Show ${Math.min(5 * data.page, rows.length - part.length).toLocaleString("en")} more`;
  }

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      down = sort === column ? !down : false;
      sort = column;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      show();
    });
  });
  const filters = document.getElementById("filters");
  filters.hidden = false;
  filters.addEventListener("submit", event => event.preventDefault());
  for (const field of Object.values(fields)) field.addEventListener("input", () => { limit = data.page; show(); });
  more.addEventListener("click", () => { limit += 5 * data.page; show(); });

  // A link to a trace opens it. Printed are the traces that stand open.
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  const all = document.getElementById("all");
  all.hidden = false;
  all.addEventListener("click", () => {
    const traces = [...document.querySelectorAll("#traces details")];
    const closed = traces.some(each => !each.open);
    traces.forEach(each => { each.open = closed; });
    all.textContent = closed ? "Close all" : "Open all";
  });
  open();
  show();
})();
