// The interactive heatmap: pan, zoom, select a range, read a cell. It makes no network requests.
"use strict";
(() => {
  const figure = document.getElementById("heatmap");
  const given = document.getElementById("heatmap-live");
  if (figure && given && window.vegaEmbed) live(JSON.parse(given.textContent));

  async function live({ drawing, datasets, frames, parts, names, rows, top, shades, palettes }) {
    const box = figure.querySelector(".live");
    const stills = figure.querySelector(".stills");
    const readout = figure.querySelector(".readout");
    const param = (name) => frames.wide.params.find((found) => found.name === name).value;
    const [NOW, END, LEAST] = [0.86, parts[0].end, 2 * 3_600_000];
    const first = param("part");
    const whole = () => ({ start: parts[0].start, end: END, low: rows.low, high: rows.high });
    const range = (number) => {
      const [low, high] = parts[number].view;
      return { start: parts[number].start, end: END, low, high };
    };
    let state = range(first);
    let view = null;
    let frame = null;

    // Redraws run one after another, also when the page is resized during a redraw.
    let before = Promise.resolve();
    const draw = () => before = before.then(redraw);
    async function redraw() {
      const width = figure.querySelector(".frame").clientWidth;
      const wanted = width >= 928 ? "wide" : width >= 512 ? "medium" : "narrow";
      if (wanted === frame) return;
      frame = wanted;
      if (view) view.finalize();
      view = null;
      // `ast` evaluates expressions without eval, which the page's policy forbids.
      const made = await window.vegaEmbed(box, { ...drawing, ...frames[frame], datasets: copy(datasets) }, {
        mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false,
      });
      view = made.view;
      box.querySelector("svg").setAttribute("aria-hidden", "true"); // the surrounding element has the label
      box.hidden = false;
      stills.hidden = true;
      await apply();
    }
    // Vega mutates its input rows.
    const copy = (all) => Object.fromEntries(Object.entries(all).map(([name, list]) => [name, list.map((row) => ({ ...row }))]));

    // At most one redraw per animation frame.
    let waiting = null;
    const apply = () => waiting ??= new Promise((done) => requestAnimationFrame(async () => {
      waiting = null;
      if (!view) return done(); // not drawn yet: the first draw uses the current state
      const shown = parts.findLastIndex((part) => part.start <= state.start + 0.02 * (state.end - state.start));
      for (const name of ["start", "end", "low", "high"]) view.signal(name, state[name]);
      await view.signal("part", Math.max(shown, 0)).runAsync();
      for (const button of figure.querySelectorAll("[data-part]")) {
        const wanted = range(Number(button.dataset.part));
        const there = Object.keys(wanted).every((name) => Math.abs(wanted[name] - state[name]) <= 1e-6 * state[name]);
        button.setAttribute("aria-pressed", String(there));
      }
      figure.dataset.view = [state.start, state.end, state.low, state.high].map(Math.round).join(" ");
      done();
    }));

    function look(wanted) {
      const all = whole();
      const fit = (low, high, from, to, least) => {
        const span = Math.min(Math.max(high - low, least), to - from);
        const begin = Math.min(Math.max((low + high - span) / 2, from), to - span);
        return [begin, begin + span];
      };
      [state.start, state.end] = fit(wanted.start, wanted.end, all.start, all.end, LEAST);
      [state.low, state.high] = fit(wanted.low, wanted.high, all.low, all.high, 8 * rows.step);
      return apply();
    }
    const move = (time, price) => look({
      start: state.start + time, end: state.end + time, low: state.low + price, high: state.high + price,
    });
    const zoom = (factor, at) => look({
      start: at.time - (at.time - state.start) * factor, end: at.time + (state.end - at.time) * factor,
      low: at.price - (at.price - state.low) * factor, high: at.price + (state.high - at.price) * factor,
    });
    const middle = () => ({ time: (state.start + state.end) / 2, price: (state.low + state.high) / 2 });

    const ranges = figure.querySelector(".ranges");
    names.forEach((name, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.part = number;
      button.textContent = name;
      button.addEventListener("click", () => look(range(number)));
      ranges.prepend(button);
    });
    ranges.hidden = false;
    readout.hidden = false;
    figure.querySelector(".hint").hidden = false;

    // Time and price under the pointer, independent of the displayed size.
    function place(event) {
      const plot = box.querySelector(".background").getBoundingClientRect();
      const [x, y] = [(event.clientX - plot.left) / plot.width / NOW, (event.clientY - plot.top) / plot.height];
      return { x, y, time: state.start + x * (state.end - state.start), price: state.high - y * (state.high - state.low) };
    }

    // Cell values are decoded from the image: colour → shade → range of USD.
    const sheets = await Promise.all(datasets.pictures.map(async (row) => {
      const image = new Image();
      image.src = row.light;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height);
    }));
    const known = new Map(palettes.light.map((colour, index) => [parseInt(colour.slice(1), 16), index]));
    function read(at) {
      const number = parts.findLastIndex((part) => part.start <= at.time);
      if (number < 0) return null;
      const [sheet, part] = [sheets[number], parts[number]];
      const column = Math.floor((at.time - part.start) / part.step);
      const row = Math.floor((at.price - rows.low) / rows.step);
      if (column < 0 || column >= sheet.width || row < 0 || row >= sheet.height) return null;
      const pixel = 4 * ((sheet.height - 1 - row) * sheet.width + column);
      const [red, green, blue, alpha] = sheet.data.slice(pixel, pixel + 4);
      const index = alpha ? known.get(red << 16 | green << 8 | blue) ?? 0 : 0;
      return { time: part.start + column * part.step, low: rows.low + row * rows.step, index };
    }
    const dollars = (value) => value >= 1e9 ? `$${(value / 1e9).toPrecision(3)}B`
      : value >= 1e6 ? `$${(value / 1e6).toPrecision(2)}M` : `$${Math.round(value / 1e3)}K`;
    const price = (value) => value.toLocaleString("en", { maximumFractionDigits: param("digits") });
    const when = new Intl.DateTimeFormat("en-GB", {
      day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
    });
    function tell(event) {
      const at = place(event);
      const cell = at.x >= 0 && at.x <= 1 && at.y >= 0 && at.y <= 1 ? read(at) : null;
      if (!cell) return;
      const shade = (cell.index - 1) % shades;
      const amount = cell.index === 0 ? "no liquidations"
        : `${cell.index > shades ? "shorts" : "longs"}, ` + (shade === shades - 1 ? `over ${dollars(top * shade / shades)}`
          : `${dollars(top * shade / shades)} to ${dollars(top * (shade + 1) / shades)}`);
      readout.textContent = `${when.format(cell.time)} UTC · ${price(cell.low)}–${price(cell.low + rows.step)} · ${amount}`;
    }

    const pointers = new Map();
    const spread = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); };
    let held = null;
    box.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pointers.set(event.pointerId, event);
      held = place(event);
    });
    box.addEventListener("pointermove", (event) => {
      tell(event);
      if (!held || !pointers.has(event.pointerId)) return;
      const apart = pointers.size === 2 ? spread() : 0;
      pointers.set(event.pointerId, event);
      if (apart) { zoom(apart / Math.max(spread(), 1), held); return; }
      const now = place(event);
      // Vertical touch gestures scroll the page, so touch pans the chart in time only.
      move(held.time - now.time, event.pointerType === "touch" ? 0 : held.price - now.price);
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"])
      box.addEventListener(name, (event) => { pointers.delete(event.pointerId); if (!pointers.size) held = null; });
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(event.deltaY * 0.002), place(event));
    }, { passive: false });
    box.tabIndex = 0;
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", `${stills.getAttribute("aria-label")} Arrow keys pan, plus and minus zoom, 0 resets the view.`);
    box.addEventListener("keydown", (event) => {
      const [time, price] = [(state.end - state.start) / 10, (state.high - state.low) / 10];
      const keys = {
        ArrowLeft: () => move(-time, 0), ArrowRight: () => move(time, 0),
        ArrowUp: () => move(0, price), ArrowDown: () => move(0, -price),
        "+": () => zoom(0.8, middle()), "=": () => zoom(0.8, middle()), "-": () => zoom(1.25, middle()),
        "0": () => look(range(first)),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
    new ResizeObserver(draw).observe(figure.querySelector(".frame"));
    await draw();
  }
})();
