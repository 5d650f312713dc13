// Vega without a page, as report/v8.py runs it. Widths of text come from a table: the fonts of the machine that draws are
// not those of the reader, and to shape a text in them takes longer than all the rest of a drawing.
(() => {
  // Advance widths of Helvetica (and of Arial and Liberation Sans, which copy them) in thousandths of the font's size.
  const given = {
    191: "'", 200: "\u2009\u202f", 222: "ijl", 260: "|", 278: " \u00a0!,./:;I[\\]ft·", 333: "()-`r", 334: "{}", 355: '"', 389: "*",
    469: "^", 500: "Jckvsxyz", 584: "+<=>~−×±", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm",
    889: "%", 944: "W", 1000: "…—→←↑↓", 1015: "@",
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
  // A hundredth of a pixel is enough, and hides the last bits in which machines differ.
  const rounded = (tag) => tag.replace(/-?\d+\.\d{3,}/g, (number) => String(+(+number).toFixed(2)));

  globalThis.draw = async (drawing, filling) => {
    const { signals, data } = JSON.parse(filling);
    const view = new View(known(drawing), { renderer: "none" });
    try {
      for (const [name, value] of Object.entries(signals)) view.signal(name, value);
      for (const [name, rows] of Object.entries(data)) view.data(name, rows);
      return (await view.toSVG()).replace(/<[^>]*\.[^>]*>/g, rounded);
    } finally {
      view.finalize();
    }
  };
})();
