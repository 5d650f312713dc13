// Vega without a page, as report/v8.py runs it. Widths of text come from a table: the fonts of the machine that draws are
// not those of the reader, and to shape a text in them takes longer than all the rest of a drawing.
(() => {
  // Advance widths of Helvetica (and of Arial and Liberation Sans, which copy them) in thousandths of the font's size.
  const given = {
    139: "\u202f", 191: "'", 200: "\u2009", 222: "ijl", 260: "|", 278: " \u00a0!,./:;I[\\]ft·", 333: "()-`r", 334: "{}", 355: '"', 389: "*",
    469: "^", 500: "Jckvsxyz↑↓", 549: "±", 584: "+<=>~−×", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm",
    889: "%", 944: "W", 1000: "…—→←", 1015: "@",
  };
  const widths = new Map(Object.entries(given).flatMap(([width, those]) => [...those].map((one) => [one, +width])));
  // Verdana and DejaVu Sans are wider by so much; a reader who has the one sees a little more air than one who has the other.
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

  // A drawing is parsed once and then filled for one map after the other.
  const parsed = new Map();
  const known = (drawing) => {
    if (!parsed.has(drawing)) parsed.set(drawing, parse(JSON.parse(drawing)));
    return parsed.get(drawing);
  };
  // What shows, and no more: a page has its own font, its own ids and no use for Vega's roles.
  const TAG = /<(\/?)(\w+)([^>]*?)(\/?)>([^<]*)/g;
  const HIDDEN = / (?:opacity="0"|display="none"|d="(?:M0,0h0v0h0Z)?")/;
  const HOLDER = /^<(?:g|defs)(?: [^]*[^/])?>$/; // and nothing was put into it
  const LOST = /^(?:role|style|version|pointer-events|font-family|xmlns:xlink|aria-.*|on.*)$/;
  const USUAL = new Set(['opacity="1"', 'fill-opacity="1"', 'stroke-width="1"']);
  const THEMED = /\b(?:light|dark)_marks\b/;
  // A hundredth of a pixel is enough, and hides the last bits in which machines differ.
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

  // Marks of data; those of axes and legends have other roles.
  const marks = (of) => {
    if (of.marktype && of.marktype !== "group") {
      if (of.role !== "mark" || !of.items.length) return 0;
      return /^(?:line|area|trail)$/.test(of.marktype) ? 1 : of.items.length; // a line is one, through many points
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
