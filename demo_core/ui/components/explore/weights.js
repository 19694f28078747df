// What CARD makes of each film, and TDM's chance to drop it, in the film's column.
const WEIGHT_UNIT = 52; // pixels of a whole weight step; the baseline is weight 1
const NO_FUTURE = "no future yet";

function weightTexts(station, outcome) {
  if (outcome === "turning" && !station.has_future) return { kind: "last", value: NO_FUTURE };
  const known = station.per !== null && station.has_future && outcome !== "unrouted";
  const per = known ? `PER ${decimal(station.per, 2).replace(/^(?!−)/, "+")}` : "";
  if (outcome !== "turning" || station.weight === null || !station.candidate) return { kind: "flat", value: "×1", per };
  return { kind: "weighed", value: `×${station.weight.toFixed(2)}`, per };
}

function updateWeight(cell, station, outcome, saturated) {
  const { kind, value, per } = weightTexts(station, outcome), lift = ((station.weight ?? 1) - 1) * WEIGHT_UNIT;
  const [, bar, number, note] = cell.children;
  cell.className = `weight ${kind} ${lift < 0 ? "down" : "up"}${saturated && kind === "weighed" ? " gate" : ""}`;
  cell.setAttribute("aria-label", `${mainTitle(station.item)}: ${value === NO_FUTURE ? value : `weight ${value}`}`
    + `${per ? `, ${per}` : ""}`);
  bar.style.height = kind === "weighed" ? `${Math.max(Math.abs(lift), 1)}px` : "";
  cell.style.setProperty("--lift", kind === "weighed" ? `${Math.abs(lift)}px` : "0px");
  number.textContent = value;
  note.textContent = per ?? "";
}

function placeCell(cell, index, layout, desktopRow, phoneColumn) {
  place(cell, layout.phone ? PHONE_ROWS * index + 2 : desktopRow, layout.phone ? phoneColumn : index + 1);
  cell.dataset.column = index;
}

function drawWeights(view, layout) {
  const route = view.comparison?.route, entries = readEntries(view, layout);
  const stations = route ? route.stations : [], outcome = route?.outcome;
  const weights = stations.map((station) => station.weight).filter((weight) => weight !== null && weight !== 1);
  const saturated = weights.length > 0 && weights.every((weight) => Math.min(weight, 2 - weight) < 0.02);
  const make = () => node("div", { class: "weight", role: "group" }, node("i", { class: "base" }),
    node("i", { class: "tower" }), node("span", { class: "number" }), node("span", { class: "per" }));
  keyed(part("weights"), entries, (entry) => entry.key, make, (cell, { station, index }) => {
    updateWeight(cell, station, outcome, saturated);
    placeCell(cell, index, layout, 4, "2");
  });
  drawWeightsTitle(route);
  drawHeaviest(stations, outcome);
  drawDrops(entries, layout, outcome);
}

function drawWeightsTitle(route) {
  const title = part("weights-title"), weighs = route?.outcome === "turning";
  show(title, Boolean(route?.stations.length));
  part("grid").classList.toggle("unweighed", Boolean(route) && !weighs);
  title.replaceChildren(node("p", { class: "eyebrow" }, `What CARD makes of each ${noun} `, node("span", {}, weighs
    ? `Weight 0 to 2; the bar starts at 1. Only ◆ ${noun}s are weighed. PER: prediction error reduction.`
    : route?.outcome === "unrouted" ? `Weights begin with three ${noun}s` : "Not used on this route. PER: prediction error reduction.")));
}

function drawHeaviest(stations, outcome) {
  const side = part("weights-side"), weighed = outcome === "turning"
    ? stations.filter((station) => station.candidate && station.has_future && station.weight !== null) : [];
  side.replaceChildren();
  if (!weighed.length) return;
  const heaviest = weighed.reduce((best, station) => (station.weight > best.weight ? station : best));
  const name = `${mainTitle(heaviest.item)}, ×${heaviest.weight.toFixed(2)}`;
  side.append(node("p", {}, "Heaviest: ", node("b", {}, name), heaviest.per > 0
    ? `. Knowing it makes the next ${noun}s easier to predict.` : "."));
}

function drawDrops(entries, layout, outcome) {
  const known = entries.some(({ station }) => station.removal !== null), side = part("drops-side");
  keyed(part("drops"), known ? entries : [], (entry) => entry.key,
    () => node("div", { class: "drop" }, node("span", { class: "who" }, "TDM drops "), node("b", {})),
    (cell, { station: { removal }, index }) => {
      cell.lastChild.textContent = removal === null ? "–" : removal === 0 ? "never" : percent(removal);
      placeCell(cell, index, layout, 5, "3 / -1");
    });
  part("drops").classList.toggle("leading", outcome === "stable");
  side.replaceChildren(...(known ? [modelMark("tdm", 14),
    ` chance that TDM drops the ${noun} in training`] : []));
}
