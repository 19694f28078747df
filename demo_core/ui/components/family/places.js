// Where everything stands: branches side by side, time upwards. Old systems need the two left columns alone, so the card of
// the chosen one has the place to their right.
const WIDTH = 1190, YEARS = 52, LANE = 40, BIG_LANE = 60, HEADING = 54, GAP = 12, FOOT = 54, IDEA = 14.5;
const NAME = { leading: 25, learned: 16.5, counted: 15.5 }, RADIUS = { leading: 13.5, learned: 8.5, counted: 8 };
const isLeading = (system) => system.colour !== "muted";
const kindOf = (system) => (isLeading(system) ? "leading" : branchOf(system).learned ? "learned" : "counted");
const brush = document.createElement("canvas").getContext("2d");

function widthOf(text, size) {
  brush.font = `700 ${size}px ${getComputedStyle(element).fontFamily}`;
  return brush.measureText(text).width;
}

// An idea in two lines that are about equally long.
function inTwo(text) {
  const words = text.split(" "), cuts = words.slice(1).map((_, at) => [words.slice(0, at + 1).join(" "), words.slice(at + 1).join(" ")]);
  const longest = (lines) => Math.max(...lines.map((line) => widthOf(line, IDEA)));
  return cuts.sort((a, b) => longest(a) - longest(b))[0] ?? [text];
}

// Branches that begin before the others have their names at the very foot; all others at one height, right above the card.
// Each is as wide as its idea, its longest name and the lines that leave it need; what is left is shared evenly.
function columnsOf(branches, systems) {
  const leaving = new Map(branches.map((one) => [one.name, new Set()]));
  for (const { parent, child, kind } of descentOf(systems)) {
    const [from, to] = [systemOf(parent), systemOf(child)];
    if (from.branch !== to.branch) leaving.get(from.branch)?.add(`${parent} ${kind}`);
  }
  const nameWidth = (one) => 17 + RADIUS[kindOf(one)] + 6 + widthOf(one.title, NAME[kindOf(one)]);
  const needed = branches.map(({ name, title }) => Math.max(4 + 10 + Math.max(...inTwo(title).map((line) => widthOf(line, IDEA))),
    10 + OUT * leaving.get(name).size + Math.max(...systems.filter((one) => one.branch === name).map(nameWidth))));
  const left = (WIDTH - YEARS - needed.reduce((sum, one) => sum + one, 0)) / branches.length;
  let x = YEARS;
  return new Map(branches.map((one, at) => {
    const column = { ...one, at, x, width: needed[at] + left, lines: leaving.get(one.name).size };
    x += column.width;
    return [one.name, column];
  }));
}

// One lane for each system of a year that its branch has; the newest year is the highest.
function lanesOf(systems) {
  const years = [...new Set(systems.map((one) => one.year))].sort((a, b) => b - a);
  return years.flatMap((year) => {
    const own = systems.filter((one) => one.year === year), numbers = new Map();
    for (const one of own) numbers.set(one.branch, (numbers.get(one.branch) ?? 0) + 1);
    return Array.from({ length: Math.max(...numbers.values()) }, (_, at) => ({ year, at, big: own.some(isLeading) }));
  });
}

// `end`: where its name ends.
function placed(system, where) {
  const r = RADIUS[kindOf(system)], size = NAME[kindOf(system)];
  return { system, ...where, r, size, end: where.x + r + 6 + widthOf(system.title, size) };
}

// `room`: the height that the card needs.
function placesOf({ branches, systems }, room) {
  const learned = branches.filter((one) => one.learned), names = new Set(learned.map((one) => one.name));
  const inTree = systems.filter((one) => names.has(one.branch)), columns = columnsOf(learned, inTree), lanes = lanesOf(inTree);
  const firstYear = (name) => Math.min(...inTree.filter((one) => one.branch === name).map((one) => one.year));
  const begins = learned.map((one) => firstYear(one.name)), late = Math.min(...begins.filter((year) => year > begins[1]));
  const oldLanes = lanes.filter((lane) => lane.year < late).length, oldLane = Math.max(LANE, (room - HEADING + GAP) / oldLanes);
  let y = 4, base = 0;
  for (const lane of lanes) {
    if (lane.year < late && !base) {
      base = y;
      y += HEADING;
    }
    lane.height = lane.year < late ? oldLane : lane.big ? BIG_LANE : LANE;
    lane.y = y + lane.height / 2;
    y += lane.height;
  }
  const foot = y;
  for (const column of columns.values()) {
    column.early = firstYear(column.name) < late;
    column.headingY = column.early ? foot : base;
  }
  const places = new Map(inTree.map((system) => {
    const same = inTree.filter((one) => one.branch === system.branch && one.year === system.year);
    const own = lanes.filter((lane) => lane.year === system.year), lane = own[own.length - same.length + same.indexOf(system)];
    const column = columns.get(system.branch);
    return [system.name, placed(system, { column, lane, x: column.x + 17, y: lane.y })];
  }));
  const early = [...columns.values()].filter((column) => column.early), right = early.at(-1).x + early.at(-1).width;
  const counted = systems.filter((one) => !names.has(one.branch)), lowest = foot + HEADING + 8;
  counted.forEach((system, at) => places.set(system.name, placed(system, { column: null, lane: null,
    x: right + 17 + (at * (WIDTH - right)) / counted.length, y: lowest + FOOT / 2 })));
  return { columns, lanes, places, base, foot, late, lowest, height: lowest + FOOT,
    card: { left: right + 4, top: base + HEADING + 2, width: WIDTH - right - 4, height: foot + HEADING - base - HEADING - 4 } };
}
