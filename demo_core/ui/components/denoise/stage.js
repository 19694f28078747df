// The map of one model's items, the history as a thin line, and the path of the guess.
const stagePen = pen(part("stage"), ["around", "line", "films", "path", "words"]);
const MARGIN = 26;

function scaleOf(points, width, height) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const low = [Math.min(...xs), Math.min(...ys)], high = [Math.max(...xs), Math.max(...ys)];
  const unit = Math.min((width - 2 * MARGIN) / (high[0] - low[0] || 1), (height - 2 * MARGIN) / (high[1] - low[1] || 1));
  const offset = [0, 1].map((axis) => ([width, height][axis] - unit * (high[axis] - low[axis])) / 2);
  return ([x, y]) => ({ x: offset[0] + unit * (x - low[0]), y: height - offset[1] - unit * (y - low[1]) });
}

// The numbers under which the films stand on the Explore page.
function filmNumbers(count) {
  const { items, off } = historyInAddress();
  const read = items.map((_, at) => at + 1).filter((position) => !off.includes(position)), own = read.slice(-count);
  const folded = read.at(-count - 1) ?? 0; // Explore folds away what stands before the window
  return own.map((position) => position - folded);
}

function drawStage() {
  const svg = part("stage"), walk = walks.get(shown.model), frames = framesOf(shown.model);
  const width = roomFor(svg, 200), height = Math.min(Math.max(width * 0.72, 300), 520);
  setSize(svg, width, height);
  stagePen.start(true);
  if (walk && !walk.model.error) {
    const { around, history } = walk.model;
    const at = scaleOf([...around, ...history, ...frames.map((frame) => frame.place)], width, height);
    around.forEach((place, index) => {
      const { x, y } = at(place);
      stagePen.draw("around", `item ${index}`, "circle", { cx: x, cy: y, r: 2.3, fill: "var(--line2)", opacity: 0.45 });
    });
    drawHistory(history.map(at));
    drawPath(frames, frames.map((frame) => at(frame.place)));
  }
  stagePen.finish();
}

function drawHistory(places) {
  if (places.length > 1) {
    stagePen.draw("line", "history", "path", { fill: "none", stroke: "var(--ink)", "stroke-width": 1.4, opacity: 0.55,
      d: places.flatMap(({ x, y }, index) => [index ? "L" : "M", x, y]) });
  }
  const numbers = filmNumbers(places.length);
  places.forEach(({ x, y }, index) => {
    stagePen.draw("films", `film ${index}`, "circle", { cx: x, cy: y, r: 10, fill: "var(--panel)", stroke: "var(--ink)",
      "stroke-width": 1.6 });
    stagePen.draw("films", `number ${index}`, "text", { x, y: y + 4.5, "text-anchor": "middle", class: "number" },
      String(numbers[index]));
  });
}

const pathOf = (places) => places.flatMap(({ x, y }, index) => [index ? "L" : "M", x, y]);

function drawPath(frames, places) {
  if (!places.length) return;
  const step = Math.min(shown.step, places.length - 1), { colour } = markOf(shown.model);
  const now = places[step], begin = places[0], end = places.at(-1);
  const line = { fill: "none", stroke: colour, "stroke-linecap": "round", "stroke-linejoin": "round" };
  if (step < places.length - 1) {
    stagePen.draw("path", "ahead", "path", { ...line, "stroke-width": 2.5, "stroke-dasharray": "1 6",
      d: pathOf(places.slice(step)) });
    stagePen.draw("path", "end", "circle", { cx: end.x, cy: end.y, r: 6, fill: "var(--panel)", stroke: colour,
      "stroke-width": 2.4, opacity: 0.7 });
  }
  if (step) stagePen.draw("path", "so far", "path", { ...line, "stroke-width": 4.5, d: pathOf(places.slice(0, step + 1)) });
  places.slice(1, step).forEach(({ x, y }, index) => {
    stagePen.draw("path", `past ${index}`, "circle", { cx: x, cy: y, r: 3.4, fill: colour });
  });
  stagePen.draw("path", "cross", "path", { stroke: "var(--ink)", "stroke-width": 4.5, "stroke-linecap": "round", fill: "none",
    d: `M${begin.x - 9} ${begin.y - 9}l18 18m0 -18l-18 18` });
  if (step) stagePen.draw("path", "now", "circle", { cx: now.x, cy: now.y, r: 11, fill: colour, stroke: "var(--panel)",
    "stroke-width": 2.4 });
  drawNear(frames[step], now, step);
}

const NEAR_LETTER = 8.4, NEAR_LINE = 18; // pixels, of the words beside the guess

// On the side with more room, in as many lines as that room asks for, which grow away from the edge that is nearer.
function drawNear(frame, { x, y }, step) {
  const svg = part("stage"), width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
  const right = x > width * 0.6, room = (right ? x : width - x) - 24;
  const words = step ? `near ${mainTitle(frame.nearest)} ${decimal(frame.likeness, 2)}` : "start";
  const lines = wrapped(words, Math.floor(room / NEAR_LETTER)), above = y > height / 2 ? (lines.length - 1) * NEAR_LINE : 0;
  lines.forEach((line, at) => {
    stagePen.draw("words", at ? `near ${at}` : "near", "text", { x: x + (right ? -18 : 18), y: Math.max(y - 12, 14) - above + at * NEAR_LINE,
      "text-anchor": right ? "end" : "start", class: "near" }, line);
  });
}
