// Both lines as Vega-Lite: the whole history in grey, and what is read now on top of it.
const COLUMN_VIEW = 92, LINE_VIEW = 230, HEAD_LINE = 15;
const LEAST_SCALE = 3.5; // a line that falls less than this is drawn as flat as it is

// `height`: how far a line has fallen, the sum of 1 - cosine so far.
function lineRows(line, route, read) {
  const stations = route?.stations ?? [];
  let height = 0;
  return read.map((entry, index) => {
    const { cosine, candidate } = stations[index], added = entry.position === null;
    if (index) height += 1 - (cosine ?? 1);
    return { line, column: entry.column + 1, number: added ? "+" : String(numberOf(entry)), title: fullTitle(entry.item), added,
      cosine: index ? cosine : null, below_average: candidate && index > 0, height };
  });
}

function strokeLayer(own, color, strokeWidth) {
  return layerOf("rule", { strokeCap: "round", strokeWidth }, { x: amount("from_column"), x2: { field: "column" },
    y: amount("from_height"), y2: { field: "height" }, color }, [own, lagged("column", "height"), only("isValid(datum.from_column)")]);
}

function wholeLayers(own) {
  const [panel, grey] = ["panel", "line2"].map(lightColour);
  const tooltip = [told("title", noun), told("cosine_words", "cosine to the one before")];
  return [strokeLayer(own, { value: grey }, 3),
    layerOf("point", { size: 90, fill: panel, stroke: grey, strokeWidth: 2 }, { tooltip }, [own, wordsOf("cosine", ".2f")])];
}

function readLayers(own) {
  const [ink, panel, turn, turnInk] = ["ink", "panel", "turn", "turn-ink"].map(lightColour);
  const either = (yes, no) => when("datum.below_average", yes, no);
  const tooltip = [told("title", noun), told("cosine_words", "cosine to the one before"), told("below_average", "below-average step"),
    told("added", "added at random")];
  return [
    strokeLayer(own, either(turn, ink), 5),
    layerOf("point", { strokeWidth: 2.5 }, { shape: either("diamond", "circle"), size: either(760, 400), fill: either(turn, panel),
      stroke: either(panel, ink), strokeDash: when("datum.added && !datum.below_average", [3, 3], []), tooltip },
      [own, wordsOf("cosine", ".2f")]),
    layerOf("text", { fontSize: 12.5, fontWeight: "bold" }, { text: nominal("number"), color: either(turnInk, ink) }, [own]),
  ];
}

function headLayer(all) {
  const values = all.map((entry) => ({ column: entry.column + 1, label: wrapped(mainTitle(entry.item), 12),
    state: entry.lost ? "lost" : entry.position === null ? "added" : "read" }));
  const most = Math.max(...values.map(({ label }) => label.length));
  return { data: { values }, ...layerOf("text", { lineHeight: HEAD_LINE }, { x: amount("column"), y: { value: -HEAD_LINE * most - 18 },
    text: nominal("label"), opacity: when("datum.state === 'lost'", 0.45, 1) }) };
}

function bothLines() {
  const { whole, left } = entries();
  return [...lineRows("whole", answer.whole, whole), ...lineRows("read now", answer.route, left)];
}

function lineTable() {
  const heads = ["line", "number", "title", "cosine to the one before", "below-average step", "height"];
  const rows = (answer ? bothLines() : []).map(({ line, number, title, cosine, below_average, height }) =>
    [line, number, title, cosine ?? "", below_average ? "yes" : "", height.toFixed(4)]);
  return [heads, ...rows];
}

function linesChart() {
  if (!answer) return null;
  const { own } = entries(), values = bothLines();
  if (!values.length) return null;
  const columns = Math.max(own.length, 4), deepest = Math.max(LEAST_SCALE, ...values.map(({ height }) => height));
  const x = amount("column", { scale: { domain: [0.5, columns + 0.5], nice: false, zero: false },
    axis: axisOf(`${noun}s, oldest first`, UNLABELLED) });
  const y = amount("height", { scale: { domain: [0, deepest], reverse: true, nice: false },
    axis: axisOf("the line falls by 1 − cosine at every step", { tickCount: 5 }) });
  return {
    title: "The line: grey for the whole history, ink for what is read now", note: `${reasonOf()} Draw ${lab.draw}.`,
    data: { values }, width: columns * COLUMN_VIEW, height: LINE_VIEW, encoding: { x, y },
    layer: [...wholeLayers(only("datum.line === 'whole'")), ...readLayers(only("datum.line === 'read now'")), headLayer(own)],
  };
}
