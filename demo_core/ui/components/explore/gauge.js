// The switch at the end of the line: how even the steps are, against the threshold and against training histories.
const GAUGE_TOP = 34, GAUGE_HEIGHT = 240, PILL = 28;
const flatPen = pen(part("gauge"), ["gauge", "handle"]);

// The part of the scale that is drawn: where nearly all training histories, the threshold and this history lie.
function zoomOf(route) {
  const { histogram } = route, values = [route.trained_threshold];
  if (histogram) {
    const total = histogram.counts.reduce((sum, count) => sum + count, 0);
    let below = 0;
    const first = histogram.counts.findIndex((count) => (below += count) > 0.03 * total);
    values.push(histogram.edges[Math.max(first, 0)]);
  }
  const low = Math.max(Math.min(...values), 0), reach = route.reachable?.[0] ?? 0;
  const own = Math.max(Math.min(Math.floor((low - 0.004) * 50) / 50, 0.98), Math.min(reach, low), 0);
  // A threshold below moves the foot no farther than it has to, so that the scale stands still under the hand.
  return [Math.min(own, Math.floor(route.threshold * 50 + 1e-9) / 50), 1];
}

function bins(route, [low, high]) {
  if (!route.histogram) return [];
  const { edges, counts } = route.histogram;
  const inside = counts.map((count, index) => ({ from: edges[index], to: edges[index + 1],
    density: count / Math.max(edges[index + 1] - edges[index], 1e-9) }))
    .filter((bin) => bin.to > low + 1e-9 && bin.from < high - 1e-9);
  const most = Math.max(...inside.map((bin) => bin.density), 1e-9); // bins may differ in width: the tail is one wide bin
  return inside.map((bin) => ({ from: Math.max(bin.from, low), to: Math.min(bin.to, high), part: bin.density / most,
    above: (bin.from + bin.to) / 2 > route.threshold }));
}

const routed = (route) => route.outcome === "turning" || route.outcome === "stable";
const shares = (route) => (route.turning_share === null ? ["", ""]
  : [`${percent(route.turning_share)} go here`, `${percent(1 - route.turning_share)} go here`]);

function drawExit(ink, key, box, taken, colours, words) {
  const [fill, text] = taken ? colours : ["none", "var(--muted)"];
  ink.draw("gauge", `exit ${key}`, "rect", {
    x: box.x, y: box.y, width: box.width, height: 82, rx: 10, fill, class: taken ? "exit taken" : "exit",
    stroke: taken ? fill : "var(--line2)", "stroke-width": 1.5, ...(taken ? {} : { "stroke-dasharray": "5 5" }),
  });
  words.forEach((word, line) => ink.draw("gauge", `exit ${key} ${line}`, "text", {
    x: box.x + 10, y: box.y + [26, 47, 67][line], fill: text, class: ["exit-name", "word", "label"][line],
  }, word));
}

function drawScale(ink, route, x, zoom, gaugeX) {
  const [low] = zoom, reach = route.reachable, top = GAUGE_TOP, height = GAUGE_HEIGHT;
  const part01 = (value) => top + height * (1 - (value - reach[0]) / (reach[1] - reach[0] || 1));
  const dark = Math.min(Math.max(part01(low) - top, 4), height);
  ink.draw("gauge", "reach", "rect", { x: x + 14, y: top, width: 9, height, rx: 4.5, fill: "var(--sunk)",
    stroke: "var(--line2)" });
  ink.draw("gauge", "reach zoom", "rect", { x: x + 14, y: top, width: 9, height: dark, rx: 4.5, fill: "var(--line2)" });
  ink.draw("gauge", "fan", "path", { stroke: "var(--line)", fill: "none",
    d: ["M", x + 25, top, "L", gaugeX - 6, top, "M", x + 25, top + dark, "L", gaugeX - 6, top + height] });
  ink.draw("gauge", "reach top", "text", { x: x + 18, y: top - 9, "text-anchor": "middle", class: "label" }, "1");
  ink.draw("gauge", "reach foot", "text", { x: x + 18, y: top + height + 18, "text-anchor": "middle", class: "label" },
    cosineText(reach[0]));
  if (route.evenness !== null && route.evenness < low) {
    ink.draw("gauge", "reach dot", "circle", { cx: x + 18.5, cy: part01(route.evenness), r: 5, fill: "var(--ink)" });
  }
}

function drawGauge(ink, route, end, x) {
  if (route.pairs < 1) return;
  const zoom = zoomOf(route), [low, high] = zoom, gaugeX = x + 84, exitX = gaugeX + 92, width = GAUGE - (exitX - x) - 1;
  const bottom = GAUGE_TOP + GAUGE_HEIGHT, live = routed(route), turning = route.outcome === "turning";
  const at = (value) => bottom - ((Math.max(value, low) - low) / (high - low)) * GAUGE_HEIGHT;
  if (route.reachable) drawScale(ink, route, x, zoom, gaugeX);
  bins(route, zoom).forEach((bin, index) => ink.draw("gauge", `bin ${index}`, "rect", {
    x: gaugeX, y: at(bin.to) + 0.7, width: Math.max(bin.part * 72, 0.5), height: Math.max(at(bin.from) - at(bin.to) - 1.4, 1),
    fill: bin.above && live ? "var(--turn)" : "var(--line2)", opacity: bin.above && live ? 0.3 : 0.5,
  }));
  ink.draw("gauge", "zoom foot", "text", { x: gaugeX, y: bottom + 18, "text-anchor": "start", class: "label" },
    cosineText(low));
  if (route.histogram) ink.draw("gauge", "what", "text", { x: gaugeX, y: bottom + 36, "text-anchor": "start", class: "label" },
    "training histories");
  const [up, down] = shares(route), boxes = [{ x: exitX, y: GAUGE_TOP - 6, width }, { x: exitX, y: bottom - 76, width }];
  drawExit(ink, "turning", boxes[0], turning, ["var(--turn)", "var(--turn-ink)"], ["Turning", "re-weights", up]);
  drawExit(ink, "stable", boxes[1], live && !turning, ["var(--ink)", "var(--bg)"], ["Stable", "thins out", down]);
  if (live) drawArrival(ink, route, end, gaugeX, at(route.evenness), boxes[turning ? 0 : 1], turning);
  drawHandle(ink, route, zoom, { x1: gaugeX - 12, x2: exitX + 8, y: at(route.threshold), tick: at(route.trained_threshold),
    pill: { x: exitX + 8, width: width - 8 }, at, bottom, live });
}

function drawArrival(ink, route, end, gaugeX, y, exit, turning) {
  ink.draw("bridge", "bridge", "path", { fill: "none", stroke: "var(--ink)", "stroke-width": 3,
    "stroke-dasharray": "1 7", "stroke-linecap": "round",
    d: ["M", end.x + 14, end.y, "C", end.x + 64, end.y, gaugeX - 70, y, gaugeX, y] });
  const ey = exit.y + 41;
  ink.draw("gauge", `branch ${route.outcome}`, "path", { fill: "none", stroke: turning ? "var(--turn)" : "var(--ink)",
    "stroke-width": 7, d: ["M", gaugeX, y, "C", gaugeX + 50, y, exit.x - 46, ey, exit.x, ey] });
  ink.draw("handle", "dot", "circle", { cx: gaugeX, cy: y, r: 9, fill: "var(--ink)", stroke: "var(--panel)",
    "stroke-width": 3 });
  const above = turning || y > GAUGE_TOP + GAUGE_HEIGHT - 30;
  ink.draw("handle", "evenness", "text", { x: gaugeX - 14, y: y + (above ? -10 : 24), "text-anchor": "end",
    class: "value big" }, evennessText(route.evenness));
}

// The line lies at the threshold; the pill stays between the two exits, so that it never covers one.
function drawHandle(ink, route, zoom, place) {
  if (!place.live) return;
  const { x1, x2, y, pill } = place, moved = route.threshold !== route.trained_threshold;
  const pillY = Math.min(Math.max(y, GAUGE_TOP + 96), place.bottom - 96), middle = pill.x + pill.width / 2;
  if (moved) ink.draw("gauge", "trained", "circle", { cx: x1 + 6, cy: place.tick, r: 4.5, fill: "var(--panel)",
    stroke: "var(--ink)", "stroke-width": 2 });
  const group = ink.draw("handle", "slider", "g", { class: "slider", tabindex: "0", role: "slider",
    "aria-orientation": "vertical", "aria-label": "Threshold between stable and turning",
    "aria-valuemin": low3(zoom[0]), "aria-valuemax": "1", "aria-valuenow": low3(route.threshold),
    "aria-valuetext": evennessText(route.threshold) });
  const d = ["M", x1, y, "L", x2 - 30, y, "L", x2 - 14, pillY, "L", x2 + 4, pillY];
  for (const [key, stroke, width] of [["hit", "transparent", "24"], ["halo", "var(--panel)", "6"],
    ["line", "var(--ink)", "2.5"]]) {
    ink.draw("slider", `slider ${key}`, "path", { d, stroke, "stroke-width": width, fill: "none",
      "stroke-linejoin": "round" });
  }
  ink.draw("slider", "slider pill", "rect", { x: pill.x, y: pillY - PILL / 2, width: pill.width, height: PILL,
    rx: PILL / 2, fill: "var(--ink)", class: "pill" });
  ink.draw("slider", "slider text", "text", { x: middle, y: pillY + 5, "text-anchor": "middle", class: "pill-text",
    fill: "var(--bg)" }, `↕ ${evennessText(route.threshold)}`);
  const perPixel = -(zoom[1] - zoom[0]) / GAUGE_HEIGHT;
  group.values = { zoom, perPixel, axis: "clientY", threshold: route.threshold };
}

const low3 = (value) => String(Math.round(value * 1000) / 1000);

// On the phone the same scale lies flat.
function drawFlatGauge(route, layout) {
  const svg = part("gauge"), visible = layout.phone && route && route.pairs > 1;
  svg.style.display = visible ? "block" : "none";
  if (!visible) return;
  const width = layout.width - 4, zoom = zoomOf(route), [low, high] = zoom, base = 100, live = routed(route);
  const at = (value) => ((Math.max(value, low) - low) / (high - low)) * width;
  svg.setAttribute("width", layout.width);
  svg.setAttribute("height", 158);
  flatPen.start();
  bins(route, zoom).forEach((bin, index) => flatPen.draw("gauge", `bin ${index}`, "rect", {
    x: at(bin.from) + 0.7, y: base - bin.part * 58, width: Math.max(at(bin.to) - at(bin.from) - 1.4, 1),
    height: bin.part * 58, fill: bin.above ? "var(--turn)" : "var(--line2)", opacity: bin.above ? 0.3 : 0.5,
  }));
  flatPen.draw("gauge", "base", "path", { d: `M0 ${base}H${width}`, stroke: "var(--line2)" });
  const turning = route.outcome === "turning", colour = turning ? "var(--turn)" : "var(--ink)", [up, down] = shares(route);
  flatPen.draw("gauge", "stable", "text", { x: 0, y: 20, class: turning ? "word" : "word strong" },
    `stable ${down.replace(" go here", "")}`);
  flatPen.draw("gauge", "turning", "text", { x: width, y: 20, "text-anchor": "end", class: turning ? "word strong" : "word",
    ...(turning ? { fill: "var(--turn)" } : {}) }, `turning ${up.replace(" go here", "")}`);
  const group = drawFlatHandle(route, zoom, Math.min(Math.max(at(route.threshold), 64), width - 64), at, width);
  group.style.display = live ? "" : "none";
  flatPen.draw("handle", "dot", "circle", { cx: Math.max(at(route.evenness), 9), cy: base, r: 9, fill: colour,
    stroke: "var(--panel)", "stroke-width": 3 });
  const line = at(route.threshold), beside = turning ? Math.max(at(route.evenness), line + 28)
    : Math.min(at(route.evenness), line - 28);
  flatPen.draw("handle", "evenness", "text", { x: Math.min(Math.max(beside, 24), width - 24), y: base - 64 + 24,
    "text-anchor": "middle", class: "value big", fill: colour }, evennessText(route.evenness));
  flatPen.finish();
}

function drawFlatHandle(route, zoom, x, at, width) {
  const group = flatPen.draw("handle", "slider", "g", { class: "slider", tabindex: "0", role: "slider",
    "aria-label": "Threshold between stable and turning", "aria-valuemin": low3(zoom[0]), "aria-valuemax": "1",
    "aria-valuenow": low3(route.threshold), "aria-valuetext": evennessText(route.threshold) });
  const line = at(route.threshold);
  flatPen.draw("slider", "slider line", "line", { x1: line, x2: line, y1: 30, y2: 112, stroke: "var(--ink)",
    "stroke-width": "2.5" });
  flatPen.draw("slider", "slider hit", "rect", { x: x - 64, y: 104, width: 128, height: 46, fill: "transparent" });
  flatPen.draw("slider", "slider pill", "rect", { x: x - 64, y: 112, width: 128, height: 30, rx: 15, fill: "var(--ink)",
    class: "pill" });
  flatPen.draw("slider", "slider text", "text", { x, y: 132, "text-anchor": "middle", class: "pill-text",
    fill: "var(--bg)" }, `↔ split at ${evennessText(route.threshold)}`);
  group.values = { zoom, perPixel: (zoom[1] - zoom[0]) / width, axis: "clientX", threshold: route.threshold };
  return group;
}

function drawGaugeTexts(route) {
  if (route?.reachable) {
    part("entropy").textContent = `Evenness is the entropy of the steps, ${route.entropy.toFixed(3)} nats, ÷ its maximum, `
      + `${Math.log(route.pairs).toFixed(3)}. With ${plural(route.pairs + 1, noun)} it lies between `
      + `${cosineText(route.reachable[0])} and 1.`;
  }
  const moved = route && routed(route) && route.threshold !== route.trained_threshold;
  show(part("moved"), Boolean(moved));
  if (moved) {
    const own = evennessText(route.trained_threshold);
    part("moved").textContent = `Moved from ${own}: the model was trained at ${own}. Double-click or Enter moves it back.`;
  }
}
