// The curve as Vega-Lite: a point for every share and model, with the quartiles of its draws.
const CURVE_VIEW = { width: 520, height: 300 };
const titleOf = (model) => answer?.lists.find((one) => one.model === model)?.title ?? model;

// `kept`: how many of the whole list stay on average; `found`: the share of the draws with the true next one in the list.
function curveRows() {
  return points.map(({ model, share, kept, low, high, found, draws }) => ({ model: titleOf(model), share, kept, kept_low: low,
    kept_high: high, found, draws }));
}

// How many of each list stay in the one draw that the page shows.
function drawRows() {
  if (lab.measure !== "kept" || lab.people) return [];
  return (answer?.lists ?? []).filter((one) => one.kept.length)
    .map((one) => ({ model: one.title, share: lab.share, kept: stay(one), draw: lab.draw }));
}

function measureScale() {
  const look = { grid: true, domain: false, ticks: false, tickCount: 5, labelPadding: 12 };
  if (lab.measure === "found") {
    return amount("found", { scale: { domain: [0, 1] },
      axis: axisOf(`draws in which the next ${noun} is among the ${size()}`, { ...look, format: "%" }) });
  }
  return amount("kept", { scale: { domain: [0, size()], nice: false }, axis: axisOf(`${noun}s of the whole list that stay`, look) });
}

function curveScales() {
  const models = [...new Set(points.map(({ model }) => model))], domain = models.map(titleOf);
  return {
    x: amount("share", { scale: { domain: [0, SHARES.at(-1)] },
      axis: axisOf(`share of the ${noun}s ${lab.kind}`, { format: "%", values: SHARES }) }),
    y: measureScale(),
    color: nominal("model", { scale: { domain, range: models.map(lightMark) } }),
    shape: nominal("model", { scale: { domain, range: models.map(vegaShape) } }),
  };
}

function curveLayers({ x, y, color, shape }) {
  const tooltip = [told("model", "model"), told("share", `${noun}s ${lab.kind}`, ".0%"), told("kept", "stay", ".2f"),
    told("kept_low", "lower quartile", ".2f"), told("kept_high", "upper quartile", ".2f"), told("found_words", "★ in the list"),
    told("draws", "draws")];
  const band = layerOf("area", { opacity: 0.12 }, { x, y: { ...y, field: "kept_low" }, y2: { field: "kept_high" }, color });
  return [
    ...(lab.measure === "kept" ? [band] : []),
    layerOf("line", { strokeWidth: 3 }, { x, y, color }),
    layerOf("point", { filled: true, size: 110, stroke: lightColour("panel"), strokeWidth: 1.5 }, { x, y, color, shape, tooltip },
      [wordsOf("found", ".0%")]),
  ];
}

function ringLayer({ x, y, color }, values) {
  const tooltip = [told("model", "model"), told("share", `${noun}s ${lab.kind}`, ".0%"), told("kept", "stay in this draw"),
    told("draw", "draw")];
  return { data: { values }, ...layerOf("point", { size: 220, strokeWidth: 2.5 }, { x, y, color, tooltip }) };
}

function curveChart() {
  if (!points.length) return null;
  const scales = curveScales(), drawn = drawRows();
  return {
    title: `Over many draws: ${part("curve-words").textContent.replace("★", `the next ${noun}`)}`,
    note: drawn.length ? `Open rings: this one draw, number ${lab.draw}.` : "",
    data: { values: curveRows() }, ...CURVE_VIEW,
    layer: [...curveLayers(scales), ...(drawn.length ? [ringLayer(scales, drawn)] : [])],
  };
}
