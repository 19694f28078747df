// The line as Vega-Lite; what the page shows of a film stands with it.
const COLUMN_VIEW = 112, LINE_VIEW = 260, HEAD_LINE = 15;
const LEAST_SCALE = DEEPEST / FALL; // a line that falls less than this is drawn as flat as it is

// Where the line passes what it does not stop at.
function passedAt(index, places) {
  const before = places.findLast((place) => place.index < index), after = places.find((place) => place.index > index);
  if (!before || !after) return (before ?? after).height;
  return before.height + ((after.height - before.height) * (index - before.index)) / (after.index - before.index);
}

// `height`: how far the line has fallen, the sum of 1 - cosine so far. What is not read has none of the models' values.
function filmRows(view) {
  const entries = chipEntries(view, { folded: foldedOf(view) });
  let height = 0;
  const places = entries.filter(({ station }) => station).map(({ station, index }) => {
    height += station.cosine === null ? 0 : 1 - station.cosine;
    return { index, height };
  });
  return entries.map(({ item, index, station, isNext }) => ({
    number: index + 1, title: fullTitle(item), state: isNext ? "next" : station ? "read" : "off",
    label: [...(isNext ? ["★ next"] : station ? [] : ["switched off"]), ...wrapped(nameOf(item), 15)],
    height: isNext ? null : places.find((place) => place.index === index)?.height ?? passedAt(index, places),
    cosine: station?.cosine ?? null, share_of_steps: station?.continuity ?? null, below_average: station?.candidate ?? false,
    per: station?.per ?? null, weight: station?.weight ?? null, tdm_drops: station?.removal ?? null,
  }));
}

function stepLayers(pairs, turn) {
  const color = when("datum.below_average", turn, lightColour("ink"));
  const steps = [only("datum.state === 'read'"), lagged("number", "height"), only("isValid(datum.cosine)")];
  const thickness = { calculate: `min(2.5 + 5.5 * datum.share_of_steps * ${pairs}, 13)`, as: "thickness" };
  const middle = ["number", "height"].map((name) => ({ calculate: `(datum.from_${name} + datum.${name}) / 2`, as: `middle_${name}` }));
  return [
    layerOf("rule", { strokeCap: "round" }, { x: amount("from_number"), x2: { field: "number" }, y: amount("from_height"),
      y2: { field: "height" }, color, strokeWidth: amount("thickness", { scale: null }) }, [...steps, thickness]),
    layerOf("text", { dx: 10, dy: -14, align: "left", fontSize: 15, fontWeight: "bold" }, { x: amount("middle_number"),
      y: amount("middle_height"), text: amount("cosine", { format: ".2f" }), color }, [...steps, ...middle]),
  ];
}

function stationLayers(turn) {
  const [panel, ink, line2, turnInk] = ["panel", "ink", "line2", "turn-ink"].map(lightColour);
  const read = only("datum.state === 'read'"), either = (yes, no) => when("datum.below_average", yes, no);
  const words = [wordsOf("cosine", ".2f"), wordsOf("share_of_steps", ".3f"), wordsOf("per", ".2f"), wordsOf("weight", ".2f"),
    wordsOf("tdm_drops", ".0%")];
  const tooltip = [told("title", noun), told("cosine_words", "cosine to the one before"), told("share_of_steps_words", "share of the steps"),
    told("below_average", "below-average step"), told("per_words", "PER"), told("weight_words", "weight"),
    told("tdm_drops_words", "TDM drops it")];
  return [
    layerOf("point", { size: 420, fill: panel, stroke: line2, strokeWidth: 2, strokeDash: [2, 4] },
      { tooltip: [told("title", noun), told("state", "is")] }, [only("datum.state === 'off'")]),
    layerOf("point", { strokeWidth: 3.2 }, { shape: either("diamond", "circle"), size: either(1150, 560), fill: either(turn, panel),
      stroke: either(panel, ink), tooltip }, [read, ...words]),
    layerOf("text", { fontSize: 14, fontWeight: "bold" }, { text: nominal("number"), color: either(turnInk, ink) }, [read]),
  ];
}

// Every film's title stands over its column, that of the one really chosen next on a plate, as on the page.
function headLayers(films) {
  const top = -HEAD_LINE * Math.max(...films.map(({ label }) => label.length)) - 30;
  const edges = [{ calculate: "datum.number - 0.48", as: "left" }, { calculate: "datum.number + 0.48", as: "right" }];
  return [
    layerOf("rect", { color: lightColour("truth"), cornerRadius: 6 },
      { x: amount("left"), x2: { field: "right" }, y: { value: top - 12 }, y2: { value: -18 } }, [only("datum.state === 'next'"), ...edges]),
    layerOf("text", { lineHeight: HEAD_LINE, fontWeight: "bold" },
      { text: nominal("label"), y: { value: top }, opacity: when("datum.state === 'off'", 0.6, 1) }),
  ];
}

// Below the line there is always room on the left.
function signLayers(turn) {
  const data = { values: [{ sign: "below-average step" }] }, place = { x: { value: 18 }, y: { value: LINE_VIEW - 14 } };
  return [
    { data, ...layerOf("point", { shape: "diamond", size: 130, fill: turn, strokeWidth: 0 }, place) },
    { data, ...layerOf("text", { align: "left", dx: 12, fontSize: 14, fontWeight: "bold", color: turn },
      { ...place, text: nominal("sign") }) },
  ];
}

function lineView(view, route) {
  const films = filmRows(view), turn = lightColour("turn");
  const fallen = Math.max(LEAST_SCALE, ...films.map(({ height }) => height ?? 0));
  const x = amount("number", { scale: { domain: [0.5, films.length + 0.5], nice: false, zero: false },
    axis: axisOf(`${noun}s, oldest first`, UNLABELLED) });
  const y = amount("height", { scale: { domain: [0, fallen], reverse: true, nice: false },
    axis: axisOf("the line falls by 1 − cosine at every step", { tickCount: 5 }) });
  return { data: { values: films }, width: Math.max(films.length, 4) * COLUMN_VIEW, height: LINE_VIEW, encoding: { x, y },
    layer: [...stepLayers(route.pairs, turn), ...stationLayers(turn), ...headLayers(films), ...(route.pairs > 1 ? signLayers(turn) : [])] };
}

function routeChart() {
  const route = answered?.comparison?.route;
  if (!route?.stations.length) return null;
  const views = [lineView(answered, route), ...(route.pairs > 1 ? [switchView(route)] : [])];
  return { title: route.verdict, note: route.reason, hconcat: views, spacing: 40 };
}
