// One row a model on one axis from 0: a dashed ring, which means "run here", and one standard error to either side.
const chartPen = pen(part("chart"), ["grid", "bars", "rings", "words"]);
const ROW = 44, LEFT = 130, RIGHT = 150, AXIS = 34;


function drawChart() {
  const svg = part("chart"), width = roomFor(svg, 260), rows = progress?.rows ?? [];
  const narrow = width < 520, left = narrow ? 96 : LEFT, right = narrow ? 84 : RIGHT, height = AXIS + rows.length * ROW;
  setSize(svg, width, height);
  const top = Math.max(...rows.map((row) => (row.mean ?? 0) + (row.standard_error ?? 0)), 0.01) * 1.08;
  const x = (value) => left + (Math.min(value, top) / top) * (width - left - right);
  chartPen.start();
  drawGrid(top, x, height);
  rows.forEach((row, index) => drawRow(row, AXIS + index * ROW + ROW / 2, x, { left, width, right, narrow }));
  chartPen.finish();
}

function drawGrid(top, x, height) {
  const step = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2].find((size) => top / size <= 6) ?? 0.5;
  for (let value = 0; value <= top; value += step) {
    chartPen.draw("grid", `line ${value.toFixed(3)}`, "path", { d: `M${x(value)} ${AXIS - 6}V${height}`, stroke: "var(--line)", fill: "none" });
    chartPen.draw("words", `tick ${value.toFixed(3)}`, "text", { x: x(value), y: AXIS - 12, "text-anchor": "middle", class: "small" },
      (100 * value).toFixed(step < 0.01 ? 1 : 0));
  }
}

function drawRow(row, y, x, { left, width, right, narrow }) {
  const { colour } = markOf(row.model), key = row.model;
  chartPen.draw("words", `name ${key}`, "text", { x: left - 14, y: y + 5, "text-anchor": "end", class: "name" }, row.title);
  if (row.mean === null) {
    chartPen.draw("words", `none ${key}`, "text", { x: left, y: y + 5, class: "small" }, row.error ?? "nothing yet");
    return;
  }
  const error = row.standard_error ?? 0;
  chartPen.draw("bars", `error ${key}`, "path", { d: `M${x(Math.max(row.mean - error, 0))} ${y}H${x(row.mean + error)}`, stroke: colour,
    "stroke-width": 3, fill: "none" });
  chartPen.draw("rings", `ring ${key}`, "circle", { cx: x(row.mean), cy: y, r: 9, fill: "var(--panel)", stroke: colour, "stroke-width": 3,
    "stroke-dasharray": "4 3" });
  chartPen.draw("words", `value ${key}`, "text", { x: width - right + 16, y: y + 5, class: "value" },
    row.standard_error === null || narrow ? asPercent(row.mean) : `${asPercent(row.mean)} ± ${asPercent(row.standard_error)}`);
}
