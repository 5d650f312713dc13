// Runs Vega without a browser; see vega_engine.py. Text widths come from a table, because the fonts of this machine differ
// from those of the reader and measuring text with them takes most of the rendering time.
(() => {
  // Advance widths of Helvetica (identical in Arial and Liberation Sans), in thousandths of the font size.
  const characters = {
    139: "\u202f", 191: "'", 200: "\u2009", 222: "ijl", 260: "|", 278: " \u00a0!,./:;I[\\]ft·", 333: "()-`r", 334: "{}", 355: '"', 389: "*",
    469: "^", 500: "Jckvsxyz↑↓", 549: "±", 584: "+<=>~−×", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm",
    889: "%", 944: "W", 1000: "…—→←", 1015: "@",
  };
  const widths = new Map(Object.entries(characters).flatMap(([width, list]) => [...list].map((character) => [character, +width])));
  // Safety factor for wider fonts such as Verdana and DejaVu Sans; with narrower fonts it leaves some extra space.
  const FONT_MARGIN = 1.15, BOLD = 1.06, DIGIT = 556, CJK = 1000, FIRST_CJK = 0x2e80;
  const advance = (character) => widths.get(character) ?? (character.codePointAt(0) < FIRST_CJK ? DIGIT : CJK);

  const { textMetrics, parse, View } = window.vega;
  textMetrics.width = (item, text) => {
    let sum = 0;
    for (const character of String(text ?? "")) sum += advance(character);
    const size = item.fontSize == null ? 11 : +item.fontSize || 0;
    const bold = item.fontWeight === "bold" || +item.fontWeight >= 600;
    const width = FONT_MARGIN * (sum / 1000) * size * (bold ? BOLD : 1);
    return item.limit > 0 ? Math.min(width, item.limit) : width;
  };

  // Parsed specifications are cached and filled with the data of each map.
  const parsed = new Map();
  const parsedSpec = (spec) => {
    if (!parsed.has(spec)) parsed.set(spec, parse(JSON.parse(spec)));
    return parsed.get(spec);
  };
  // Keep visible elements only; the page sets the font, ids are prefixed, and Vega's ARIA roles are dropped.
  const TAG = /<(\/?)(\w+)([^>]*?)(\/?)>([^<]*)/g;
  const INVISIBLE = / (?:opacity="0"|display="none"|d="(?:M0,0h0v0h0Z)?")/;
  const EMPTY_CONTAINER = /^<(?:g|defs)(?: [^]*[^/])?>$/; // and it has no children
  const DROPPED = /^(?:role|style|version|pointer-events|font-family|xmlns:xlink|aria-.*|on.*)$/;
  const DEFAULTS = new Set(['opacity="1"', 'fill-opacity="1"', 'stroke-width="1"']);
  const THEMED = /\b(?:light|dark)_marks\b/;
  // Rounding to 0.01 px also removes floating-point differences between machines.
  const rounded = (text) => text.replace(/-?\d+\.\d{3,}/g, (number) => String(+(+number).toFixed(2)));

  const simplified = (svg, name) => {
    const ids = new Map();
    const prefixed = (id) => {
      if (!ids.has(id)) ids.set(id, `${name}-${ids.size}`);
      return ids.get(id);
    };
    const attribute = (whole, key, value) => {
      if (DROPPED.test(key) || DEFAULTS.has(whole.trim())) return "";
      if (key === "class") return THEMED.test(value) ? ` class="${THEMED.exec(value)[0]}"` : "";
      if (key === "id") return ` id="${prefixed(value)}"`;
      if (key === "clip-path") return ` clip-path="url(#${prefixed(value.slice("url(#".length, -1))})"`;
      if (key === "xlink:href") return ` href="${value}"`;
      return ` ${key}="${rounded(value)}"`;
    };
    const [root, width, height] = /^<svg[^>]* width="([^"]*)" height="([^"]*)"[^>]*>/.exec(svg);
    const kept = [];
    let depth = 0; // nesting below an invisible element
    for (const [, close, tag, attributes, selfClosing, text] of svg.slice(root.length, -"</svg>".length).matchAll(TAG)) {
      if (depth) {
        depth += close ? -1 : selfClosing ? 0 : 1;
      } else if (close) {
        if (EMPTY_CONTAINER.test(kept.at(-1))) kept.pop();
        else kept.push(`</${tag}>${text}`);
      } else if (INVISIBLE.test(attributes)) {
        depth = selfClosing ? 0 : 1;
      } else {
        kept.push(`<${tag}${attributes.replace(/ ([\w:-]+)="([^"]*)"/g, attribute)}${selfClosing}>${text}`);
      }
    }
    return `<svg viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg" aria-hidden="true">${kept.join("")}</svg>`;
  };

  // Count data marks; marks of axes and legends have other roles.
  const countMarks = (item) => {
    if (item.marktype && item.marktype !== "group") {
      if (item.role !== "mark" || !item.items.length) return 0;
      return /^(?:line|area|trail)$/.test(item.marktype) ? 1 : item.items.length; // a line is one mark with many points
    }
    return (item.items ?? []).reduce((sum, child) => sum + countMarks(child), 0);
  };

  globalThis.draw = async (name, spec, values) => {
    const { signals, data } = JSON.parse(values);
    const view = new View(parsedSpec(spec), { renderer: "none" });
    try {
      for (const [signal, value] of Object.entries(signals)) view.signal(signal, value);
      for (const [dataset, rows] of Object.entries(data)) view.data(dataset, rows);
      const svg = simplified(await view.toSVG(), name);
      return `${countMarks(view.scenegraph().root)} ${svg}`;
    } finally {
      view.finalize();
    }
  };
})();
