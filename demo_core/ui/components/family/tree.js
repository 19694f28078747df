// The tree: nodes that are buttons, the lines between them, years at the side, an idea under each branch.
let places = null;
const paper = pen(part("tree"), ["bands", "texts", "casings", "lines", "related", "nodes"]);

const lineColour = (place) => (isLeading(place.system) ? colourOf(place.system) : "var(--line2)");
const speech = (system) => [system.title, yearOf(system), branchOf(system).idea, system.health].filter(Boolean).join(", ");

function drawBands({ lanes, columns, lowest, base, foot }) {
  const years = [...new Set(lanes.map((lane) => lane.year))];
  years.forEach((year, at) => {
    const own = lanes.filter((lane) => lane.year === year), top = own[0].y - own[0].height / 2, bottom = own.at(-1).y + own.at(-1).height / 2;
    if (at % 2 === 0) paper.draw("bands", `band ${year}`, "rect", { x: 0, y: top, width: WIDTH, height: bottom - top, fill: "var(--bg)", rx: 6 });
    paper.draw("texts", `year ${year}`, "text", { class: "year", x: 8, y: (top + bottom) / 2 + 5, "font-size": 14, fill: "var(--muted)" }, String(year));
  });
  for (const column of columns.values()) {
    const shown = shownSystem().branch === column.name, lines = inTwo(column.title);
    lines.forEach((words, at) => paper.draw("texts", `idea ${column.name} ${at}`, "text", { x: column.x + 4, y: column.headingY + 19 + 18 * at,
      "font-size": IDEA, "font-weight": 700, fill: "var(--ink)" }, words));
    paper.draw("texts", `rule ${column.name}`, "path", { d: ["M", column.x + 4, column.headingY + 2, "H", column.x + column.width - 10],
      stroke: shown ? "var(--ink)" : "var(--line2)", "stroke-width": shown ? 3 : 1.5 });
  }
  const counted = tree.branches.find((one) => !one.learned);
  paper.draw("texts", "counted rule", "path", { d: ["M", 0, lowest, "H", WIDTH], stroke: "var(--line)", "stroke-width": 1 });
  if (counted) paper.draw("texts", "counted", "text", { x: YEARS + 4, y: lowest + FOOT / 2 + 5, "font-size": 15, "font-weight": 700, fill: "var(--muted)" }, counted.title);
}

function drawNode(name, { system, x, y, r, size, end, column }) {
  const isShown = shownSystem().name === name, isChosen = chosenSystem().name === name, key = `node ${name}`;
  const group = paper.draw("nodes", key, "g", { class: "node", role: "button", tabindex: isChosen ? "0" : "-1", "aria-pressed": isChosen,
    "aria-label": speech(system), "data-system": name });
  if (!group.dataset.wired) wire(group, name);
  const width = end - x + r + 16;
  paper.draw(key, `box ${name}`, "rect", { class: "box", x: x - r - 7, y: y - 19, width, height: 38, rx: 9, fill: isShown ? "var(--panel)" : "transparent",
    stroke: isShown ? "var(--ink)" : "transparent", "stroke-width": 2 });
  paper.draw(key, `mark ${name}`, "path", { d: OUTLINES[system.shape](x, y, r), fill: insideOf(system), stroke: colourOf(system), "stroke-width": 2.4,
    "stroke-linejoin": "round" });
  if (system.fill === "half") paper.draw(key, `half ${name}`, "path", { d: LEFT_HALVES[system.shape](x, y, r), fill: colourOf(system) });
  paper.draw(key, `name ${name}`, "text", { x: x + r + 6, y: y + size * 0.35, "font-size": size, "font-weight": 700,
    fill: !column ? "var(--muted)" : "var(--ink)" }, system.title);
}

function drawLine(line, offsets, kin, first) {
  const { parent, child, kind } = line, to = places.places.get(child), from = places.places.get(parent), name = `${kind} ${parent} ${child}`;
  const shown = shownSystem().name, near = child === shown || parent === shown;
  const related = near || (kind === "builds" && kin.has(child) && kin.has(parent)), layer = related ? "related" : "lines";
  if (!related && !isUsual(line, places.places)) return;
  const joins = kind === "stands" && parent !== first.get(child) && (child === shown || isUsual(line, places.places));
  if (!to.column !== !from.column) return; // the baselines stand apart
  const d = pathOf(line, places.places, offsets, joins), width = (isLeading(to.system) ? 4 : 2.6) - (kind === "stands" ? 1.4 : 0) + (related ? 1 : 0);
  const dash = kind === "stands" ? { "stroke-dasharray": "2 6" } : {};
  paper.draw("casings", `casing ${name}`, "path", { d, fill: "none", stroke: "var(--panel)", "stroke-width": width + 4, class: kind });
  paper.draw(layer, `${layer} ${name}`, "path", { d, fill: "none", stroke: related && !isLeading(to.system) ? "var(--ink)" : lineColour(to), "stroke-width": width,
    "stroke-linecap": "round", ...dash });
}

const leftOf = ({ parent, kind, child }, offsets) => (kind === "stands" && places.places.get(parent).column && places.places.get(child).column ? trackOf(parent, kind, places.places, offsets) : Infinity);

function drawTree(atOnce = false) {
  part("tree").setAttribute("viewBox", `0 0 ${WIDTH} ${places.height}`);
  setSize(part("tree"), WIDTH, Math.round(places.height));
  paper.start(atOnce);
  drawBands(places);
  for (const [name, place] of places.places) drawNode(name, place);
  const lines = descentOf(tree.systems), offsets = offsetsOf(lines, places.places), kin = kinOf(shownSystem());
  const first = new Map([...lines].reverse().sort((a, b) => leftOf(b, offsets) - leftOf(a, offsets)).map((line) => [line.child, line.parent]));
  for (const line of lines) drawLine(line, offsets, kin, first);
  paper.finish();
}

// The next system in a direction: in the same column first, then the nearest in the next one that has any.
function neighbour(name, key) {
  const all = [...places.places.entries()], here = places.places.get(name), sign = ["ArrowUp", "ArrowLeft"].includes(key) ? -1 : 1;
  const upright = ["ArrowUp", "ArrowDown"].includes(key), ahead = all.filter(([, one]) => sign * (upright ? one.y - here.y : one.x - here.x) > 4);
  const far = ([, one]) => (upright ? Math.abs(one.y - here.y) + 4 * Math.abs(one.x - here.x) : Math.abs(one.x - here.x) + 2 * Math.abs(one.y - here.y));
  return ahead.sort((a, b) => far(a) - far(b))[0]?.[0] ?? null;
}

function wire(group, name) {
  group.dataset.wired = "yes";
  group.addEventListener("click", () => {
    choose(name);
    focusSystem(name);
  });
  group.addEventListener("focus", () => choose(name));
  group.addEventListener("mouseenter", () => preview(name));
  group.addEventListener("mouseleave", () => preview(null));
  group.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = event.key.startsWith("Arrow") ? neighbour(name, event.key) : null;
    if (next) focusSystem(next);
    else if (["Enter", " "].includes(event.key)) choose(name);
    else return;
    event.preventDefault();
  });
}

// Where the pointer only passes on its way to the card, nothing changes.
let resting = 0;
function preview(name) {
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (hovered === name) return;
    hovered = name;
    drawChoice();
  }, 140);
}
