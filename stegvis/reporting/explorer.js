"use strict";
// The explorer: choose among the estimates of a release. The state is in the address, so that a link leads to it.
(() => {
  const data = JSON.parse(document.getElementById("rows").textContent);
  const place = document.getElementById("explorer");
  const names = Object.keys(data.columns);
  const filters = Object.keys(data.filters);
  const size = data.columns[names[0]].rows.length;
  const AT_ONCE = 100;

  const cell = (name, row) => {
    const column = data.columns[name];
    return column.texts ? column.texts[column.rows[row]] : column[row];
  };
  const named = (name, value) => data.names[name]?.[value] ?? value.replaceAll("_", " ").replaceAll(":", ": ");
  const level = (text) => text.replace(">=", "≥").replace(/(\d)-(?=\d)/g, "$1–");
  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const drawn = (tag, properties = {}) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(properties)) made.setAttribute(name, value);
    return made;
  };

  // ---- what is chosen ----

  let chosen = {};
  let shown = AT_ONCE;

  const fromAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const known = filters.filter((name) => data.columns[name].texts.includes(given.get(name)));
    chosen = known.length || given.has("all")
      ? Object.fromEntries(known.map((name) => [name, given.get(name)]))
      : { ...data.start };
    shown = AT_ONCE;
  };
  const address = () => {
    const text = new URLSearchParams(chosen).toString();
    return `#${text || "all"}`;
  };
  const fits = (row, but) => filters.every((name) => name === but || !(name in chosen) || cell(name, row) === chosen[name]);
  const rowsThatFit = (but) => Array.from({ length: size }, (_, row) => row).filter((row) => fits(row, but));

  // ---- the controls ----

  const selects = Object.fromEntries(filters.map((name) => {
    const select = make("select", { id: `choose-${name}` });
    select.addEventListener("change", () => {
      if (select.value === "") delete chosen[name];
      else chosen[name] = select.value;
      shown = AT_ONCE;
      history.replaceState(null, "", address());
      show();
    });
    return [name, select];
  }));
  const controls = make("div", { className: "filters" }, ...filters.map((name) =>
    make("div", {}, make("label", { htmlFor: `choose-${name}`, textContent: data.filters[name] }), selects[name])));
  const count = make("p", { className: "note" });
  count.setAttribute("role", "status");
  const state = make("a", { textContent: "Link to this selection" });
  const file = make("a", { textContent: "This selection as csv", download: "selection.csv" });
  const everything = make("a", { textContent: "All estimates", href: "#all" });
  const region = make("div", { className: "table-region", tabIndex: 0 });
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", "The chosen estimates");
  const more = make("button", { type: "button", textContent: "Show more rows" });
  more.addEventListener("click", () => { shown += AT_ONCE * 5; show(); });

  const fill = () => {
    for (const name of filters) {
      const counts = new Map();
      for (const row of rowsThatFit(name)) counts.set(cell(name, row), (counts.get(cell(name, row)) ?? 0) + 1);
      const options = data.columns[name].texts.filter((value) => counts.has(value) || value === chosen[name]);
      const total = [...counts.values()].reduce((sum, each) => sum + each, 0);
      selects[name].replaceChildren(
        make("option", { value: "", textContent: `any (${total})` }),
        ...options.map((value) => make("option", {
          value, textContent: `${named(name, value) || "none"} (${counts.get(value) ?? 0})`, selected: value === chosen[name],
        })),
      );
    }
  };

  // ---- the table ----

  const isDrawn = (row) => cell("status", row) === "ok" && ["estimate", "ci_low", "ci_high"].every((n) => cell(n, row) !== null);
  const decimals = (value) => (String(value).split(".")[1] ?? "").length;
  const group = (row) => `${named("exposure", cell("exposure", row))}: ${level(cell("level", row) || cell("term", row).replaceAll("_", " "))}`;

  const scaleOf = (rows) => {
    const measures = new Set(rows.map((row) => cell("measure", row)));
    const all = (listed) => [...measures].every((each) => listed.includes(each));
    const values = rows.filter(isDrawn).flatMap((row) => [cell("ci_low", row), cell("ci_high", row)]);
    if (!values.length) return null;
    if (all(data.ratios) && values.every((each) => each > 0)) {
      const low = Math.max(0.05, Math.min(0.8, ...values)), high = Math.min(20, Math.max(1.25, ...values));
      const ticks = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 4, 10, 20].filter((each) => each >= low && each <= high);
      return { none: 1, ticks, at: (v) => (Math.log(Math.min(high, Math.max(low, v))) - Math.log(low)) / Math.log(high / low) };
    }
    if (all(data.differences)) {
      const far = Math.max(...values.map(Math.abs)) || 1;
      const round = Number((far / 2).toPrecision(1));
      return { none: 0, ticks: [-round, 0, round], at: (v) => (v + far) / (2 * far) };
    }
    return null;
  };
  const WIDE = 200, HIGH = 22;
  const x = (scale, value) => 6 + scale.at(value) * (WIDE - 12);
  const picture = (scale, row) => {
    const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, "aria-hidden": "true", class: "line" });
    svg.append(drawn("line", { x1: x(scale, scale.none), x2: x(scale, scale.none), y1: 0, y2: HIGH, class: "none" }));
    if (isDrawn(row)) {
      const [low, middle, high] = ["ci_low", "estimate", "ci_high"].map((name) => x(scale, cell(name, row)));
      svg.append(
        drawn("line", { x1: low, x2: high, y1: HIGH / 2, y2: HIGH / 2, class: "interval" }),
        drawn("rect", { x: middle - 4, y: HIGH / 2 - 4, width: 8, height: 8, class: "point" }),
      );
    }
    return svg;
  };
  const axis = (scale) => {
    const svg = drawn("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, "aria-hidden": "true", class: "line" });
    let last = -99;
    for (const tick of scale.ticks) {
      const at = x(scale, tick);
      if (at - last < 26 && tick !== scale.none) continue;
      const text = drawn("text", { x: Math.min(WIDE - 14, Math.max(14, at)), y: HIGH - 5, "text-anchor": "middle" });
      text.textContent = tick;
      svg.append(text);
      last = at;
    }
    return svg;
  };

  const valueOf = (row, digits) => {
    if (cell("status", row) !== "ok") return cell("status", row).replaceAll("_", " ");
    const [estimate, low, high] = ["estimate", "ci_low", "ci_high"].map((name) => cell(name, row));
    if (estimate === null) return "";
    if (low === null || high === null) {
      const isReference = cell("level", row) !== "" && cell("level", row) === cell("reference", row);
      return isReference ? "reference" : String(estimate);
    }
    return `${estimate.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
  };

  const show = () => {
    fill();
    const rows = rowsThatFit();
    const visible = rows.slice(0, shown);
    const scale = scaleOf(rows);
    const open = filters.filter((name) => !(name in chosen) && name !== "exposure" && new Set(rows.map((row) => cell(name, row))).size > 1);
    const digits = Math.min(2, Math.max(0, ...rows.filter(isDrawn).flatMap((row) => ["estimate", "ci_low", "ci_high"].map((n) => decimals(cell(n, row))))));
    const column = (text) => make("th", { scope: "col", textContent: text });
    const head = make("tr", {}, column("Exposure and category"), column("Estimate (interval)"));
    if (scale) head.append(make("th", { scope: "col" }, make("span", { className: "unseen", textContent: "Drawn" }), axis(scale)));
    head.append(...[...open.map((name) => data.filters[name]), "People", "Cases", "P value"].map(column));
    const lines = visible.map((row) => {
      const numbers = ["n", "events"].map((name) => cell(name, row)?.toLocaleString("en") ?? "");
      const cells = [...open.map((name) => level(named(name, cell(name, row)))), ...numbers, cell("p_value", row) ?? ""];
      const line = make("tr", {}, make("th", { scope: "row", textContent: group(row) }),
        make("td", { className: "value", textContent: valueOf(row, digits) }));
      if (scale) line.append(make("td", {}, picture(scale, row)));
      line.append(...cells.map((text) => make("td", { textContent: text })));
      return line;
    });
    const caption = make("caption", {}, make("span", { textContent: "The chosen estimates as published" }));
    region.replaceChildren(make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...lines)));
    count.textContent = `${rows.length.toLocaleString("en")} of ${size.toLocaleString("en")} estimates` +
      (visible.length < rows.length ? `, the first ${visible.length} shown` : "");
    more.hidden = visible.length >= rows.length;
    state.href = address();
    if (file.href) URL.revokeObjectURL(file.href);
    file.href = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
  };

  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const csv = (rows) => [names, ...rows.map((row) => names.map((name) => String(cell(name, row) ?? "")))]
    .map((line) => line.map(quoted).join(",") + "\n").join("");

  place.append(controls, make("p", { className: "ways" }, state, " ", file, " ", everything), count, region, more);
  place.hidden = false;
  window.addEventListener("hashchange", () => { fromAddress(); show(); });
  fromAddress();
  show();
})();
