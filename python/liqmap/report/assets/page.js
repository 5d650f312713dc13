// Interactive map chart, leverage group switches and sortable tables. It makes no network requests.
"use strict";
(() => {
  const charts = document.querySelectorAll("figure.chart");
  const given = document.getElementById("map-live");
  if (charts.length && given && window.vegaEmbed) for (const figure of charts) live(figure, JSON.parse(given.textContent));
  for (const table of document.querySelectorAll("table.sortable")) sortable(table);

  async function live(figure, { drawing, frames, close }) {
    const mark = Number(figure.dataset.mark);
    const ends = [Number(figure.dataset.low), Number(figure.dataset.high)];
    const given = (name) => frames.wide.params.find((param) => param.name === name).value;
    const first = [given("low"), given("high")];
    const stills = figure.querySelector(".stills");
    const box = figure.querySelector(".live");
    const state = read(first);
    let view = null;
    let frame = null;
    let drawn = null;
    const step = figure.querySelector(".step");
    step.dataset.first = step.textContent;

    async function draw() {
      const width = figure.querySelector(".frame").clientWidth;
      const wanted = width >= 928 ? "wide" : width >= 512 ? "medium" : "narrow";
      if (wanted === frame) return;
      frame = wanted;
      if (view) view.finalize();
      // `ast` evaluates expressions without eval, which the page's policy forbids.
      const made = await window.vegaEmbed(box, {
        ...drawing, ...frames[frame], params: [...drawing.params, ...frames[frame].params],
      }, {
        mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false,
        tooltip: { disableDefaultStyle: true },
      });
      view = made.view;
      drawn = frames[frame].datasets;
      const svg = box.querySelector("svg");
      svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
      svg.setAttribute("aria-hidden", "true"); // the surrounding element has the label
      svg.removeAttribute("width");
      svg.removeAttribute("height");
      box.hidden = false;
      stills.hidden = true;
      await apply();
    }

    async function apply() {
      const shown = closer();
      view.signal("low", state.low).signal("high", state.high);
      fit(shown.bars, frames[frame].datasets.sums);
      state.show.forEach((on, group) => view.signal(`show_${group}`, on));
      await view.runAsync();
      for (const button of figure.querySelectorAll("[data-reach]")) {
        const [low, high] = reach(button.dataset.reach);
        button.setAttribute("aria-pressed", String(near(low, state.low) && near(high, state.high)));
      }
      for (const button of figure.querySelectorAll("button[data-group]"))
        button.setAttribute("aria-pressed", String(state.show[button.dataset.group]));
      write(state, first);
    }

    // Views near the mark price use finer bars.
    function closer() {
      const near = state.low >= mark * (1 - close.reach * 1.001) && state.high <= mark * (1 + close.reach * 1.001);
      const shown = near ? close.datasets : frames[frame].datasets;
      if (shown !== drawn) {
        drawn = shown;
        const names = near ? close.names[frame] : shown.names;
        for (const [layer, rows] of [["bars", shown.bars], ["columns", shown.columns], ["names", names]])
          view.data(layer, rows.map((row) => ({ ...row }))); // copies, because Vega mutates its input rows
        step.textContent = near ? close.step.toLocaleString("en") : step.dataset.first;
      }
      return shown;
    }

    // Scale the vertical axes to the visible range, so that small clusters near the mark are readable.
    function fit(bars, sums) {
      const stacks = new Map();
      for (const bar of bars)
        if (bar.high > state.low && bar.low < state.high && state.show[bar.layer % 4])
          stacks.set(bar.low, (stacks.get(bar.low) || 0) + bar.usd);
      const seen = sums.filter((point) => point.at >= state.low && point.at <= state.high);
      const [height, strip, spare] = ["height", "strip", "spare"].map((name) => view.signal(name));
      const axes = [
        ["top", "left", Math.max(...stacks.values(), 1)],
        ["total", "right", Math.max(...seen.map((point) => point.sum), 1) * spare],
      ];
      for (const [top, ticks, most] of axes)
        view.signal(top, most * height / (height - strip)).signal(ticks, round(most, 4));
    }
    function round(most, count) {
      const power = 10 ** Math.floor(Math.log10(most / count));
      const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= most / count * (1 - 1e-9));
      return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, index) => step * index);
    }

    const near = (a, b) => Math.abs(a - b) < mark * 1e-6;
    const reach = (text) => text === "all" ? ends : text === "first" ? first
      : [Math.max(ends[0], mark * (1 - text)), Math.min(ends[1], mark * (1 + Number(text)))];

    function look(low, high) {
      const span = Math.min(Math.max(high - low, mark * 0.004), ends[1] - ends[0]);
      const middle = (low + high) / 2;
      state.low = Math.min(Math.max(middle - span / 2, ends[0]), ends[1] - span);
      state.high = state.low + span;
      return apply();
    }
    const zoom = (factor, centre) =>
      look(centre - (centre - state.low) * factor, centre + (state.high - centre) * factor);

    // Turn each leverage group of the legend into a toggle button.
    for (const item of figure.querySelectorAll("[data-group]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.group = item.dataset.group;
      button.append(...item.firstElementChild.childNodes);
      item.replaceChildren(button);
      button.addEventListener("click", () => {
        state.show[button.dataset.group] = !state.show[button.dataset.group];
        apply();
      });
    }
    const ranges = figure.querySelector(".ranges");
    const furthest = Math.round(Math.max(first[1] / mark - 1, 1 - first[0] / mark) * 100);
    const offered = [["0.02", "±2 %"], ["0.05", "±5 %"], ["first", `±${furthest} %`], ["all", "All"]];
    for (const [text, name] of offered.filter(([text]) => Number(text) * 100 !== furthest)) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.reach = text;
      button.textContent = name;
      button.addEventListener("click", () => look(...reach(text)));
      ranges.append(button);
    }
    ranges.hidden = false;
    figure.querySelector(".hint").hidden = false;

    // Price under the pointer, independent of the displayed size.
    function price(event) {
      const plot = box.querySelector(".background").getBoundingClientRect();
      return state.low + (event.clientX - plot.left) / plot.width * (state.high - state.low);
    }
    const pointers = new Map();
    let held = null;
    box.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pointers.set(event.pointerId, event.clientX);
      held = { price: price(event) };
    });
    box.addEventListener("pointermove", (event) => {
      if (!held || !pointers.has(event.pointerId)) return;
      const before = [...pointers.values()];
      pointers.set(event.pointerId, event.clientX);
      if (pointers.size === 2) {
        const after = [...pointers.values()];
        const factor = Math.abs(before[0] - before[1]) / Math.max(Math.abs(after[0] - after[1]), 1);
        zoom(factor, held.price);
        return;
      }
      const moved = held.price - price(event);
      if (moved) look(state.low + moved, state.high + moved);
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"])
      box.addEventListener(name, (event) => { pointers.delete(event.pointerId); if (!pointers.size) held = null; });
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(event.deltaY * 0.002), price(event));
    }, { passive: false });
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", `${stills.getAttribute("aria-label")} Arrow keys pan, plus and minus zoom, 0 resets the view.`);
    box.addEventListener("keydown", (event) => {
      const step = (state.high - state.low) / 10;
      const keys = {
        ArrowLeft: () => look(state.low - step, state.high - step),
        ArrowRight: () => look(state.low + step, state.high + step),
        "+": () => zoom(0.8, (state.low + state.high) / 2),
        "=": () => zoom(0.8, (state.low + state.high) / 2),
        "-": () => zoom(1.25, (state.low + state.high) / 2),
        "0": () => look(...first),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    new ResizeObserver(draw).observe(figure.querySelector(".frame"));
    await draw();
  }

  // The view is stored in the URL fragment, so that it can be shared: #75000-80000;hide=0,1
  function read(first) {
    const found = /^#(?:([\d.]+)-([\d.]+))?(?:;hide=([0-3](?:,[0-3])*))?$/.exec(location.hash) || [];
    const [low, high] = [Number(found[1]), Number(found[2])];
    const hidden = (found[3] || "").split(",");
    return {
      low: low < high ? low : first[0],
      high: low < high ? high : first[1],
      show: [0, 1, 2, 3].map((group) => !hidden.includes(String(group))),
    };
  }
  let later = 0;
  function write(state, first) {
    clearTimeout(later);
    later = setTimeout(() => {
      const moved = Math.abs(state.low - first[0]) + Math.abs(state.high - first[1]) > 1e-6 * first[1];
      const digits = Math.max(0, 5 - Math.floor(Math.log10(state.high)));
      const hidden = state.show.flatMap((on, group) => on ? [] : [group]);
      const text = (moved ? `${state.low.toFixed(digits)}-${state.high.toFixed(digits)}` : "") +
        (hidden.length ? `;hide=${hidden}` : "");
      if (text || location.hash) history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    }, 250);
  }

  function sortable(table) {
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending";
        for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (row) => row.cells[column].dataset.value;
        // The mark price row is shown only when sorting by price.
        const mark = table.querySelector(".mark-row");
        if (mark) mark.hidden = column !== 0;
        const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
        rows.sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          return (up ? 1 : -1) * (x !== "" && !isNaN(x) ? x - y : x < y ? -1 : x > y ? 1 : 0);
        });
        table.tBodies[0].append(...rows);
      });
    });
  }
})();
