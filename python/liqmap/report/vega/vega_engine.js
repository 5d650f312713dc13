// Runs Vega without a browser; see vega_engine.py. Text widths come from a table, because the fonts of this machine differ
// from those of the reader and measuring text with them takes most of the rendering time.
(() => {
  // Advance widths of Helvetica (identical in Arial and Liberation Sans), in thousandths of the font size.
  const given = {
    139: "\u202f", 191: "'", 200: "\u2009", 222: "ijl", 260: "|", 278: " \u00a0!,./:;I[\\]ft·", 333: "()-`r", 334: "{}", 355: '"', 389: "*",
    469: "^", 500: "Jckvsxyz↑↓", 549: "±", 584: "+<=>~−×", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm",
    889: "%", 944: "W", 1000: "…—→←", 1015: "@",
  };
  const widths = new Map(Object.entries(given).flatMap(([width, those]) => [...those].map((one) => [one, +width])));
  // Safety factor for wider fonts such as Verdana and DejaVu Sans; with narrower fonts it leaves some extra space.
  const ROOM = 1.15, BOLD = 1.06, FIGURE = 556, WIDE = 1000, FIRST_WIDE = 0x2e80;
  const advance = (one) => widths.get(one) ?? (one.codePointAt(0) < FIRST_WIDE ? FIGURE : WIDE);

  const { textMetrics, parse, View } = window.vega;
  textMetrics.width = (item, text) => {
    let sum = 0;
    for (const one of String(text ?? "")) sum += advance(one);
    const size = item.fontSize == null ? 11 : +item.fontSize || 0;
    const bold = item.fontWeight === "bold" || +item.fontWeight >= 600;
    const width = ROOM * (sum / 1000) * size * (bold ? BOLD : 1);
    return item.limit > 0 ? Math.min(width, item.limit) : width;
  };

  // Parsed specifications are cached and filled with the data of each map.
  const parsed = new Map();
  const known = (drawing) => {
    if (!parsed.has(drawing)) parsed.set(drawing, parse(JSON.parse(drawing)));
    return parsed.get(drawing);
  };
  // Keep visible elements only; the page sets the font, ids are prefixed, and Vega's ARIA roles are dropped.
  const TAG = /<(\/?)(\w+)([^>]*?)(\/?)>([^<]*)/g;
  const HIDDEN = / (?:opacity="0"|display="none"|d="(?:M0,0h0v0h0Z)?")/;
  const HOLDER = /^<(?:g|defs)(?: [^]*[^/])?>$/; // and it has no children
  const LOST = /^(?:role|style|version|pointer-events|font-family|xmlns:xlink|aria-.*|on.*)$/;
  const USUAL = new Set(['opacity="1"', 'fill-opacity="1"', 'stroke-width="1"']);
  const THEMED = /\b(?:light|dark)_marks\b/;
  // Rounding to 0.01 px also removes floating-point differences between machines.
  const short = (text) => text.replace(/-?\d+\.\d{3,}/g, (number) => String(+(+number).toFixed(2)));

  const plain = (svg, name) => {
    const ids = new Map();
    const own = (id) => {
      if (!ids.has(id)) ids.set(id, `${name}-${ids.size}`);
      return ids.get(id);
    };
    const attribute = (whole, key, value) => {
      if (LOST.test(key) || USUAL.has(whole.trim())) return "";
      if (key === "class") return THEMED.test(value) ? ` class="${THEMED.exec(value)[0]}"` : "";
      if (key === "id") return ` id="${own(value)}"`;
      if (key === "clip-path") return ` clip-path="url(#${own(value.slice("url(#".length, -1))})"`;
      if (key === "xlink:href") return ` href="${value}"`;
      return ` ${key}="${short(value)}"`;
    };
    const [root, width, height] = /^<svg[^>]* width="([^"]*)" height="([^"]*)"[^>]*>/.exec(svg);
    const kept = [];
    let hidden = 0;
    for (const [, close, tag, given, alone, text] of svg.slice(root.length, -"</svg>".length).matchAll(TAG)) {
      if (hidden) {
        hidden += close ? -1 : alone ? 0 : 1;
      } else if (close) {
        if (HOLDER.test(kept.at(-1))) kept.pop();
        else kept.push(`</${tag}>${text}`);
      } else if (HIDDEN.test(given)) {
        hidden = alone ? 0 : 1;
      } else {
        kept.push(`<${tag}${given.replace(/ ([\w:-]+)="([^"]*)"/g, attribute)}${alone}>${text}`);
      }
    }
    return `<svg viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg" aria-hidden="true">${kept.join("")}</svg>`;
  };

  // Count data marks; marks of axes and legends have other roles.
  const marks = (of) => {
    if (of.marktype && of.marktype !== "group") {
      if (of.role !== "mark" || !of.items.length) return 0;
      return /^(?:line|area|trail)$/.test(of.marktype) ? 1 : of.items.length; // a line is one mark with many points
    }
    return (of.items ?? []).reduce((sum, one) => sum + marks(one), 0);
  };

  globalThis.draw = async (name, drawing, filling) => {
    const { signals, data } = JSON.parse(filling);
    const view = new View(known(drawing), { renderer: "none" });
    try {
      for (const [signal, value] of Object.entries(signals)) view.signal(signal, value);
      for (const [rows, given] of Object.entries(data)) view.data(rows, given);
      const svg = plain(await view.toSVG(), name);
      return `${marks(view.scenegraph().root)} ${svg}`;
    } finally {
      view.finalize();
    }
  };
})();
