// Squares kept, or the true item found, against the share of items lost: mean and quartiles over many draws.
const curvePen = pen(part("curve"), ["grid", "bands", "lines", "marks", "words"]);
const CHART = { left: 44, right: 12, top: 16, bottom: 44, height: 300 };
const MARK_PATHS = { card: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0Z", tdm: "M-5-5H5V5H-5Z", globaldiff: "M0-6L6 5H-6Z" };

const size = () => answer?.lists.find((one) => one.kept.length)?.kept.length ?? 10;
const hasTruth = () => lab.people || historyInAddress().next !== null;
const measureOf = (point) => (lab.measure === "found" ? point.found : point.kept / size());

function scales(width) {
  const { left, right, top, bottom, height } = CHART;
  return { x: (share) => left + (share / 0.6) * (width - left - right), y: (value) => height - bottom - value * (height - top - bottom) };
}

function drawCurve() {
  const svg = part("curve"), width = roomFor(svg, 240), { x, y } = scales(width);
  setSize(svg, width, CHART.height);
  curvePen.start(true);
  drawAxes(width, x, y);
  const models = [...new Set(points.map((point) => point.model))];
  for (const model of models) {
    const own = points.filter((point) => point.model === model && measureOf(point) !== null);
    if (own.length) drawModel(model, own, x, y);
  }
  if (answer && lab.measure === "kept" && !lab.people) answer.lists.forEach((one) => drawDot(one, x, y));
  curvePen.finish();
  drawCurveWords(models);
}

function drawAxes(width, x, y) {
  for (const value of [0, 0.25, 0.5, 0.75, 1]) {
    curvePen.draw("grid", `line ${value}`, "path", { d: `M${CHART.left} ${y(value)}H${width - CHART.right}`, stroke: "var(--line)",
      fill: "none" });
    const words = lab.measure === "found" ? percent(value) : decimal(value * size(), value * size() % 1 ? 1 : 0).replace(/^\./, "0.");
    curvePen.draw("words", `y ${value}`, "text", { x: CHART.left - 8, y: y(value) + 4, "text-anchor": "end", class: "small" }, words);
  }
  for (const share of SHARES) {
    curvePen.draw("words", `x ${share}`, "text", { x: x(share), y: CHART.height - CHART.bottom + 20, "text-anchor": "middle",
      class: "small" }, String(Math.round(100 * share)));
  }
  curvePen.draw("words", "x title", "text", { x: (CHART.left + width - CHART.right) / 2, y: CHART.height - 6, "text-anchor": "middle",
    class: "small" }, `share of the ${noun}s ${lab.kind}, %`);
}

function drawModel(model, own, x, y) {
  const { colour } = markOf(model), at = (point) => [x(point.share), y(measureOf(point))];
  if (lab.measure === "kept") {
    const edge = (name) => own.map((point) => `${x(point.share)} ${y(point[name] / size())}`);
    curvePen.draw("bands", `band ${model}`, "path", { d: `M${edge("low").join("L")}L${edge("high").reverse().join("L")}Z`,
      fill: colour, opacity: 0.12 });
  }
  curvePen.draw("lines", `line ${model}`, "path", { d: `M${own.map((point) => at(point).join(" ")).join("L")}`, fill: "none",
    stroke: colour, "stroke-width": 3 });
  own.forEach((point) => curvePen.draw("marks", `mark ${model} ${point.share}`, "path", { d: MARK_PATHS[model] ?? MARK_PATHS.card,
    transform: `translate(${at(point).join(",")})`, fill: colour, stroke: "var(--panel)", "stroke-width": 1.5 }));
}

// This draw, as an open ring.
function drawDot(one, x, y) {
  if (!one.kept.length) return;
  curvePen.draw("marks", `dot ${one.model}`, "circle", { cx: x(lab.share), cy: y(one.kept.filter(Boolean).length / one.kept.length),
    r: 7, fill: "none", stroke: markOf(one.model).colour, "stroke-width": 2.5 });
}

function drawCurveWords(models) {
  const draws = Math.max(0, ...points.map((point) => point.draws));
  const whose = lab.people ? `${draws} draws over example people` : `${draws} draws of this history`;
  const what = lab.measure === "found" ? `how often ★ is among the ${size()}` : `${noun}s of the whole list that stay, with quartiles`;
  const asked = curveFor && (lab.people || historyInAddress().items.length);
  part("curve-words").textContent = draws ? `${what}; ${whose} at each share` : asked ? "computing …" : "";
  keyed(part("legend"), models, (model) => model, () => node("li", {}), (entry, model) => {
    entry.replaceChildren(modelMark(model, 14), ` ${answer?.lists.find((one) => one.model === model)?.title ?? model}`);
  });
  const rows = points.map((point) => [point.model, percent(point.share), point.kept.toFixed(2), `${point.low} to ${point.high}`,
    point.found === null ? "–" : percent(point.found), String(point.draws)]);
  const heads = ["model", `${noun}s ${lab.kind}`, "stay", "quartiles", "★ in the list", "draws"];
  part("table").replaceChildren(tableOf(heads, rows));
}
