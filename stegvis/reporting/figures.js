"use strict";
// The value on a curve under the pointer, by keyboard or touch, and a choice among the curves of a figure.
// Everything shown is in the drawing already; without this script the figure shows its first choice.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const make = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const drawn = (parent, tag, attributes) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    parent.append(made);
    return made;
  };
  const numbers = (text) => text.split(" ").map(Number);

  for (const svg of document.querySelectorAll("svg.plot[data-range]")) {
    const [first, last] = numbers(svg.dataset.range);
    const [low, high] = numbers(svg.dataset.domain);
    const [top, height] = numbers(svg.dataset.area);
    const { unit, label, interval } = svg.dataset;
    const id = svg.getAttribute("aria-labelledby").split(" ")[0];
    const series = [...svg.querySelectorAll(".series")].map((group) => ({
      group,
      ...group.dataset,
      points: new Map(group.dataset.points.split(";").map((point) => point.split(" ")).map(([value, ...rest]) => [Number(value), rest])),
    }));
    const x = (value) => `${(100 * (value - first)) / (last - first)}%`;
    const y = (ratio) => top + height * (1 - Math.log(Math.min(high, Math.max(low, ratio)) / low) / Math.log(high / low));

    // ---- what is chosen ----

    const choices = {};
    const isShown = (one) => Object.entries(choices).every(([name, select]) => !select.value || one[name] === select.value);
    const visible = () => series.filter(isShown);
    const controls = make("div", { className: "filters" });
    const choose = (name, text, all) => {
      const values = [...new Set(series.map((one) => one[name]).filter(Boolean))];
      if (values.length < 2) return;
      const select = make("select", { id: `${id}-${name}` }, ...(all ? [new Option(all, "")] : []), ...values.map((value) => new Option(value, value)));
      choices[name] = select;
      controls.append(make("div", {}, make("label", { htmlFor: select.id, textContent: text }), select));
      select.addEventListener("change", show);
    };

    // ---- the value under the pointer ----

    const cursor = drawn(svg, "g", { "pointer-events": "none", display: "none" });
    const slider = make("input", { type: "range", id: `${id}-value`, min: 0, step: 1 });
    slider.style.marginLeft = svg.style.marginLeft;
    slider.style.width = svg.style.width;
    const reading = make("p", { className: "reading" });
    let values = [];

    const said = (one, value) => {
      const [ratio, from, to] = one.points.get(value);
      const name = one.name ? `${one.name}: ` : "";
      return from ? `${name}${ratio} (${interval} ${from} to ${to})` : `${name}${ratio}, the reference`;
    };
    const read = () => {
      const value = values[slider.value];
      const found = visible().filter((one) => one.points.has(value));
      const text = `risk ratio ${found.map((one) => said(one, value)).join("; ")}`;
      const place = `${value} ${unit}`;
      reading.replaceChildren(make("strong", { textContent: place }), `: ${text}`);
      slider.setAttribute("aria-valuetext", `${place}: ${text}`);
      cursor.replaceChildren();
      drawn(cursor, "line", { x1: x(value), x2: x(value), y1: top, y2: top + height, class: "cursor" });
      for (const one of found) {
        drawn(cursor, "circle", { cx: x(value), cy: y(Number(one.points.get(value)[0])), r: 5, fill: one.color });
      }
      cursor.removeAttribute("display");
    };
    const show = () => {
      const before = values[slider.value];
      // Not every wave has every model.
      if (!visible().length) choices.name.value = "";
      for (const one of series) {
        if (isShown(one)) one.group.removeAttribute("display");
        else one.group.setAttribute("display", "none");
      }
      const shown = visible();
      for (const one of shown) {
        const band = one.group.querySelector(".band");
        if (band.dataset.several) band.setAttribute("display", shown.length > 1 ? "none" : "inline");
      }
      // Where every curve that is shown has a value.
      values = [...(shown[0]?.points.keys() ?? [])].filter((value) => shown.every((one) => one.points.has(value)));
      slider.max = values.length - 1;
      const near = values.reduce((best, value, place) => (Math.abs(value - before) < Math.abs(values[best] - before) ? place : best), 0);
      slider.value = before === undefined ? Math.floor(values.length / 2) : near;
      if (cursor.hasAttribute("display")) slider.setAttribute("aria-valuetext", `${values[slider.value]} ${unit}`);
      else read();
    };
    const point = (event) => {
      const box = svg.getBoundingClientRect();
      const wanted = first + ((event.clientX - box.left) / box.width) * (last - first);
      slider.value = values.reduce((best, value, place) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? place : best), 0);
      read();
    };

    choose("name", "Wave", "All");
    choose("model", "Adjusted");
    slider.addEventListener("input", read);
    slider.addEventListener("focus", read);
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    if (controls.children.length) svg.before(controls);
    reading.textContent = `Point at the curve, or move along it here, to read its value.`;
    svg.after(make("label", { className: "unseen", htmlFor: slider.id, textContent: `${label}, ${unit}: read the curve` }), slider, reading);
    show();
  }
})();
