// The line of the whole history in grey, and of what is left in ink on top of it.
const linePen = pen(part("line"), ["whole", "left", "stations"]);
const HEIGHT = 230, FALL = 46, MOST_COLUMNS = 16;

// What each of the two routes reads, and the columns: the newest entries, or where a route begins before them, all that
// a route reads.
function entries() {
  const read = (route, chosen) => (route?.stations.length ? answer.items.filter(chosen).slice(-route.stations.length) : []);
  const whole = read(answer.whole, (entry) => entry.position !== null), left = read(answer.route, (entry) => !entry.lost);
  const drawn = new Set([...whole, ...left]), newest = answer.items.slice(-MOST_COLUMNS);
  const own = [...drawn].every((entry) => newest.includes(entry)) ? newest : answer.items.filter((entry) => drawn.has(entry));
  const columns = new Map(own.map((entry, column) => [entry, column]));
  const placed = (chosen) => chosen.map((entry) => ({ ...entry, column: columns.get(entry) }));
  return { own: placed(own), whole: placed(whole), left: placed(left) };
}

function places(route, read, x, scale) {
  const stations = route?.stations ?? [];
  let fall = 0;
  return read.map((entry, index) => {
    const { cosine } = stations[index];
    if (index) fall += (1 - (cosine ?? 1)) * scale;
    return { x: x(entry.column), y: 26 + fall, candidate: stations[index].candidate && index > 0 };
  });
}

const fallOf = (route) => (route ? route.stations.reduce((sum, { cosine }) => sum + (cosine === null ? 0 : 1 - cosine), 0) : 0);

function drawLine() {
  const svg = part("line"), width = roomFor(svg, 240);
  setSize(svg, width, HEIGHT);
  linePen.start();
  if (answer) {
    const { own, whole, left } = entries(), x = (column) => ((column + 0.5) * width) / Math.max(own.length, 4);
    const scale = Math.min(FALL, (HEIGHT - 60) / Math.max(fallOf(answer.whole), fallOf(answer.route), 1e-9));
    const before = places(answer.whole, whole, x, scale), after = places(answer.route, left, x, scale);
    strokes("whole", before, () => "var(--line2)", 3);
    strokes("left", after, (place) => (place.candidate ? "var(--turn)" : "var(--ink)"), 5);
    before.forEach((place, index) => linePen.draw("whole", `dot ${whole[index].position}`, "circle", { cx: place.x, cy: place.y,
      r: 5, fill: "var(--panel)", stroke: "var(--line2)", "stroke-width": 2 }));
    after.forEach((place, index) => drawStation(place, left[index]));
  }
  linePen.finish();
}

function strokes(layer, line, colour, width) {
  line.slice(1).forEach((to, index) => {
    const from = line[index];
    linePen.draw(layer, `${layer} ${index}`, "line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, stroke: colour(to),
      "stroke-width": width, "stroke-linecap": "round" });
  });
}

// The number under which an item stands on Explore: what is switched off there has one too.
function numberOf(entry) {
  const { items, off } = historyInAddress(), read = items.map((_, at) => at + 1).filter((position) => !off.includes(position));
  return read[entry.position - 1] ?? entry.position;
}

function drawStation({ x, y, candidate }, entry) {
  const key = `${entry.position ?? `+${entry.column}`}`, foreign = entry.position === null;
  linePen.draw("stations", `station ${key}`, "circle", { cx: x, cy: y, r: 11, fill: candidate ? "var(--turn)" : "var(--panel)",
    stroke: candidate ? "var(--panel)" : "var(--ink)", "stroke-width": 2.5, ...(foreign ? { "stroke-dasharray": "3 3" } : {}) });
  linePen.draw("stations", `number ${key}`, "text", { x, y: y + 4.5, "text-anchor": "middle", class: "number",
    fill: candidate ? "var(--turn-ink)" : "var(--ink)" }, foreign ? "+" : String(numberOf(entry)));
}

function drawFilms() {
  keyed(part("films"), answer ? entries().own : [], (entry) => `${entry.position ?? `+${entry.column}`}`,
    () => node("li", {}), (chip, entry) => {
      chip.className = entry.lost ? "lost" : entry.position === null ? "foreign" : "";
      chip.replaceChildren(node("b", {}, entry.position === null ? "+" : String(numberOf(entry))), ` ${mainTitle(entry.item)}`);
      chip.title = `${fullTitle(entry.item)}${entry.lost ? ", lost" : entry.position === null ? ", added" : ""}`;
    });
}

function drawLists() {
  keyed(part("lists"), answer?.lists ?? [], (one) => one.model, () => node("div", { class: "left" }), (row, one) => {
    const stays = one.kept.filter(Boolean).length;
    row.style.setProperty("--mark", markOf(one.model).colour);
    row.replaceChildren(modelMark(one.model), node("b", {}, one.title), ...(one.error ? [node("span", {}, one.error)] : [
      squares(one.kept, `${one.title}: ${stays} of ${one.kept.length} stay`), node("span", {}, `${stays} of ${one.kept.length} stay`),
      node("span", { class: "rank" }, ...rankWords(one))]));
  });
}

function rankWords({ before, after }) {
  if (before === null || after === null) return [];
  const moved = before - after;
  return [`★ ${ordinal(before)} → `, node("b", {}, ordinal(after)), moved ? ` ${moved > 0 ? "▲" : "▼"}` : ""];
}
