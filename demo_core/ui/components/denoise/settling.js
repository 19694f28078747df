// The ten films at the end, followed back through the steps: one line a film.
const bumpPen = pen(part("bump"), ["band", "lines", "star", "words"]);
const LEAST_ROW = 40, TOP = 40, BELOW = 34;

function ranksOf(frames, id) {
  return frames.map((frame) => {
    const at = frame.items.findIndex((item) => item.id === id);
    return at < 0 ? null : at + 1;
  });
}

function drawBump() {
  const svg = part("bump"), frames = framesOf(shown.model), final = frames.at(-1)?.items ?? [];
  const width = roomFor(svg, 200), left = 16, right = Math.max(width * 0.46, 90);
  const most = Math.max(...final.map((item) => lines(`★ ${mainTitle(item)}`, width - right - 44).length), 1);
  const row = Math.max(LEAST_ROW, most * LINE + 8), below = TOP + Math.max(final.length, 1) * row + BELOW;
  svg.setAttribute("width", width);
  svg.setAttribute("height", below + 26);
  bumpPen.start(true);
  if (frames.length) {
    const x = (step) => left + (frames.length > 1 ? (step / (frames.length - 1)) * (right - left) : 0);
    const y = (rank) => (rank === null ? below : TOP + (rank - 1) * row + 12);
    drawBand(frames, x, below, right);
    const star = historyInAddress().next;
    final.forEach((item, index) => drawFilm(item, index, ranksOf(frames, item.id), { x, y, right, star, width, row }));
  }
  bumpPen.finish();
}

function drawBand(frames, x, below, right) {
  const step = Math.min(shown.step, frames.length - 1), last = frames.length - 1;
  bumpPen.draw("band", "now", "rect", { x: x(step) - 9, y: 20, width: 18, height: below - 8, rx: 6, fill: "var(--sunk)" });
  bumpPen.draw("words", "step", "text", { x: Math.max(x(step), 30), y: 14, "text-anchor": "middle", class: "strong small" },
    `step ${step}`);
  if (step < last - 1) bumpPen.draw("words", "last", "text", { x: x(last), y: 14, "text-anchor": "middle", class: "small" },
    String(last));
  bumpPen.draw("band", "floor", "path", { stroke: "var(--line2)", "stroke-dasharray": "3 5", fill: "none",
    d: `M0 ${below - 22}H${right + 8}` });
  bumpPen.draw("words", "below", "text", { x: 0, y: below + 20, class: "small" }, "below the list");
}

function curve(points) {
  return points.map(([x, y], index) => {
    if (!index) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
    const [px, py] = points[index - 1], middle = (px + x) / 2;
    return `C${middle.toFixed(1)} ${py.toFixed(1)} ${middle.toFixed(1)} ${y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
}

function drawFilm(item, index, ranks, { x, y, right, star, width, row }) {
  const isStar = item.id === star, { colour } = markOf(shown.model), points = ranks.map((rank, step) => [x(step), y(rank)]);
  const step = Math.min(shown.step, points.length - 1), first = Math.max(ranks.findIndex((rank) => rank !== null) - 1, 0);
  const layer = isStar ? "star" : "lines", key = `film ${item.id}`;
  const draw = (name, from, to, opacity) => {
    if (to <= from) return;
    const d = curve(points.slice(from, to + 1));
    if (isStar) bumpPen.draw(layer, `${key} ${name} edge`, "path", { d, fill: "none", stroke: "var(--ink)",
      "stroke-width": 9, opacity });
    bumpPen.draw(layer, `${key} ${name}`, "path", { d, fill: "none", stroke: isStar ? "var(--truth)" : colour,
      "stroke-width": isStar ? 5 : 3, opacity, "stroke-linecap": "round" });
  };
  draw("past", first, step, 1);
  draw("ahead", Math.max(step, first), points.length - 1, isStar ? 0.6 : 0.35);
  bumpPen.draw(layer, `${key} end`, "circle", { cx: right, cy: y(index + 1), r: 5, fill: isStar ? "var(--truth)" : colour,
    stroke: isStar ? "var(--ink)" : "none", "stroke-width": 2 });
  if (isStar) bumpPen.draw("band", `${key} plate`, "rect", { x: right + 34, y: y(index + 1) - row / 2 + 5, width: width - right - 34,
    height: row - 10, rx: 5, fill: "var(--truth)" });
  bumpPen.draw("words", `${key} rank`, "text", { x: right + 28, y: y(index + 1) + 5, "text-anchor": "end", class: "small" },
    String(index + 1));
  drawTitle(key, item, isStar, right + 38, y(index + 1), width - right - 44);
}

// A title is never cut: it takes as many lines as it needs, and every row is as high as the highest.
const LINE = 17;
const ruler = document.createElement("canvas").getContext("2d");
function lines(text, width) {
  ruler.font = `700 14.5px ${getComputedStyle(element).fontFamily}`;
  const fits = (words) => ruler.measureText(words).width <= width, found = [];
  let line = "";
  for (const word of text.split(/(?<=[\s-])/)) {
    if (line && !fits(line + word.trimEnd())) {
      found.push(line.trimEnd());
      line = "";
    }
    line += word;
    while (line.length > 1 && !fits(line.trimEnd())) { // one word that is wider than the whole line
      let end = line.length - 1;
      while (end > 1 && !fits(line.slice(0, end))) end -= 1;
      found.push(line.slice(0, end));
      line = line.slice(end);
    }
  }
  return [...found, line.trimEnd()].filter(Boolean);
}

function drawTitle(key, item, isStar, x, y, width) {
  const text = lines(`${isStar ? "★ " : ""}${mainTitle(item)}`, width);
  text.forEach((words, index) => bumpPen.draw("words", `${key} name ${index}`, "text", { x,
    y: y + 5 + (index - (text.length - 1) / 2) * LINE, class: isStar ? "title truth" : "title" }, words));
}
