// The line: it falls by 1 - cosine at every step. Stations stand in their film's column.
const LINE_HEIGHT = 336, LINE_TOP = 40, FALL = 62, DEEPEST = 214;
const linePen = pen(part("line"), ["bridge", "steps", "stations", "labels", "words", "gauge", "handle"]);

function stationPlaces(entries, layout) {
  const rows = layout.phone ? [...chips.children].map((chip) => chip.offsetTop + 15) : [];
  const stations = entries.map((entry) => entry.station);
  const total = stations.reduce((sum, { cosine }) => sum + (cosine === null ? 0 : 1 - cosine), 0);
  const scale = layout.phone ? Math.min(15, 40 / (total || 1)) : Math.min(FALL, DEEPEST / (total || 1));
  let fall = 0;
  const places = entries.map(({ station: { cosine }, index }) => {
    fall += cosine === null ? 0 : (1 - cosine) * scale;
    return layout.phone ? { x: 18 + fall, y: rows[index] } : { x: layout.column * (index + 0.5), y: LINE_TOP + fall };
  });
  return { places, shrunk: layout.phone ? 1 : scale / FALL };
}

function drawStep({ station, key }, from, to, pairs, phone) {
  const colour = station.candidate ? "var(--turn)" : "var(--ink)";
  const share = station.continuity === null ? 1 : station.continuity * pairs;
  linePen.draw("steps", `step ${key}`, "line", {
    x1: from.x, y1: from.y, x2: to.x, y2: to.y, stroke: colour, "stroke-linecap": "round",
    "stroke-width": Math.min(2.5 + (phone ? 4.5 : 5.5) * share, 13),
  });
  const steep = to.y - from.y > 40;
  linePen.draw("labels", `cosine ${key}`, "text", {
    x: (from.x + to.x) / 2 + (phone ? 12 : steep ? 12 : 4), y: (from.y + to.y) / 2 + (phone ? 5 : steep ? -6 : -14),
    "text-anchor": phone || steep ? "start" : "middle", class: "value", fill: colour,
  }, cosineText(station.cosine));
}

function drawStation({ station, key, index }, place, phone) {
  const size = phone ? 12 : 19, at = linePen.draw("stations", `station ${key}`, "g", {
    transform: ["translate(", place.x, ",", place.y, ")"], "data-column": index,
  });
  at.style.cursor = "default";
  const shape = station.candidate
    ? { d: `M0 ${-size}L${size} 0L0 ${size}L${-size} 0Z`, fill: "var(--turn)", stroke: "var(--panel)", "stroke-width": 3 }
    : { d: phone ? "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0Z" : "M-13 0a13 13 0 1 0 26 0a13 13 0 1 0-26 0Z",
        fill: "var(--panel)", stroke: "var(--ink)", "stroke-width": 3.5 };
  linePen.draw(`station ${key}`, `shape ${key}`, "path", shape);
  if (!phone) {
    linePen.draw(`station ${key}`, `number ${key}`, "text", {
      y: 5, "text-anchor": "middle", class: "number", fill: station.candidate ? "var(--turn-ink)" : "var(--ink)",
    }, String(index + 1));
  }
}

// What is switched off stands as a dotted ring on the line that passes it by.
function drawOff(entries, read, places, layout) {
  const { phone } = layout;
  for (const { item, index, key } of entries) {
    if (!item.off) continue;
    const next = read.findIndex((entry) => entry.index > index), after = places[next < 0 ? read.length - 1 : next];
    const before = places[next < 0 ? read.length - 1 : Math.max(next - 1, 0)];
    const span = next > 0 ? (index - read[next - 1].index) / (read[next].index - read[next - 1].index) : 0;
    const chip = chips.children[index];
    linePen.draw("stations", `off ${key}`, "circle", {
      cx: phone ? before.x + (after.x - before.x) * span : layout.column * (index + 0.5),
      cy: phone ? chip.offsetTop + 15 : before.y + (after.y - before.y) * span,
      r: phone ? 7 : 11, fill: "var(--panel)", stroke: "var(--line2)", "stroke-width": 2, "stroke-dasharray": "2 4",
      "data-column": index,
    });
  }
}

function drawWords(layout, route, shrunk) {
  const y = LINE_HEIGHT - 40, fallen = shrunk < 0.999 ? ` Drawn at ${percent(shrunk)} of the usual height.` : "";
  linePen.draw("words", "rule", "text", { x: 4, y, class: "word strong" },
    `The line falls by 1 − cosine at every step.${fallen}`);
  linePen.draw("words", "meaning", "text", { x: 4, y: y + 21, class: "word" }, "Flat: same taste. Steep: a jump.");
  if (route.pairs > 1) {
    linePen.draw("words", "sign", "text", { x: 222, y: y + 21, class: "word strong", fill: "var(--turn)" },
      "◆ below-average step");
  }
}

function drawRoute(view, layout) {
  const svg = part("line"), route = view.comparison?.route, stations = route?.stations ?? [];
  svg.style.display = stations.length ? "" : "none";
  if (!stations.length) return;
  const entries = readEntries(view, layout);
  const { places, shrunk } = stationPlaces(entries, layout);
  const width = layout.phone ? 104 : layout.columns * layout.column + GAUGE;
  svg.setAttribute("width", width);
  svg.setAttribute("height", layout.phone ? places.at(-1).y + 40 : LINE_HEIGHT);
  linePen.start(drawRoute.phone !== layout.phone);
  drawRoute.phone = layout.phone;
  entries.forEach((entry, at) => {
    if (at) drawStep(entry, places[at - 1], places[at], route.pairs, layout.phone);
    drawStation(entry, places[at], layout.phone);
  });
  drawOff(chipEntries(view, layout), entries, places, layout);
  if (!layout.phone) {
    drawWords(layout, route, shrunk);
    drawGauge(linePen, route, places.at(-1), layout.columns * layout.column);
  }
  linePen.finish();
}

function drawTable(route) {
  show(part("as-table"), Boolean(route?.stations.length));
  if (!route) return;
  const heads = ["", noun, "year", "cosine to the one before", "share of the steps", "below average", "PER", "weight",
    "TDM drops it"];
  const figure = (value, digits) => (value === null ? "–" : decimal(value, digits));
  const rows = route.stations.map((station) => [
    String(station.position), station.item.title, station.item.year ?? "–", figure(station.cosine, 2),
    figure(station.continuity, 3), station.candidate ? "yes" : "no", figure(station.per, 2),
    station.weight === null ? "–" : `×${station.weight.toFixed(2)}`,
    station.removal === null ? "–" : percent(station.removal),
  ]);
  part("table").replaceChildren(tableOf(heads, rows, `${route.verdict} ${route.reason}`));
}
