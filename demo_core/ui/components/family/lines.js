// Lines of descent. They run between the columns and between the lanes, where no name stands, and turn in round corners.
const TURN = 9, OUT = 7, INTO = 5;

// A path through corners, each a point; straight pieces alone.
function rounded(points) {
  const words = ["M", ...points[0]];
  for (let at = 1; at < points.length - 1; at += 1) {
    const [before, here, after] = [points[at - 1], points[at], points[at + 1]];
    const near = (to) => {
      const far = Math.hypot(to[0] - here[0], to[1] - here[1]), share = far ? Math.min(TURN, far / 2) / far : 0;
      return [here[0] + (to[0] - here[0]) * share, here[1] + (to[1] - here[1]) * share];
    };
    words.push("L", ...near(before), "Q", ...here, ...near(after));
  }
  return [...words, "L", ...points.at(-1)];
}

// Every line: from whom to whom, and of which kind.
function descentOf(systems) {
  return systems.flatMap((child) => [
    ...(child.buildsOn ? [{ parent: child.buildsOn, child: child.name, kind: "builds" }] : []),
    ...child.standsOn.map((parent) => ({ parent, child: child.name, kind: "stands" })),
  ]);
}

// Lines that are always drawn: whatever builds on something, and all of the systems that this page is about.
const isUsual = ({ child, kind }, places) => kind === "builds" || isLeading(places.get(child).system);

// Parents of one column leave it side by side: the higher one turns first. Lines to one lane come in side by side.
function offsetsOf(lines, places) {
  const columns = new Map(), lanes = new Map();
  const add = (map, key, name) => map.set(key, [...new Set([...(map.get(key) ?? []), name])]);
  for (const { parent, child, kind } of lines) {
    const [from, to] = [places.get(parent), places.get(child)];
    if (!from.column || !to.column || from.column === to.column) continue;
    add(columns, from.column.name, `${parent} ${kind}`);
    if (isUsual({ child, kind }, places)) add(lanes, to.lane.y, `${kind === "stands" ? child : parent} ${kind}`);
  }
  for (const names of columns.values()) names.sort((a, b) => places.get(a.split(" ")[0]).y - places.get(b.split(" ")[0]).y);
  for (const names of lanes.values()) names.sort((a, b) => b.endsWith("stands") - a.endsWith("stands") || places.get(a.split(" ")[0]).y - places.get(b.split(" ")[0]).y);
  return {
    out: (parent, kind) => columns.get(places.get(parent).column.name).indexOf(`${parent} ${kind}`) * OUT,
    into: (parent, child, kind) => lanes.get(places.get(child).lane.y).indexOf(`${kind === "stands" ? child : parent} ${kind}`) * INTO,
  };
}

function trackOf(parent, kind, places, offsets, leftwards = false) {
  const { column } = places.get(parent), out = offsets.out(parent, kind);
  return leftwards ? column.x + 2 - out : column.x + column.width - 4 - OUT * (column.lines - 1) + out;
}

// Lines of one child that stand on several join the first of them; drawn twice, their dots would fill each other's gaps.
function pathOf({ parent, child, kind }, places, offsets, joins) {
  const from = places.get(parent), to = places.get(child), rim = (place) => place.r + 3;
  if (!from.column) return rounded([[from.end + 6, from.y], [to.x - rim(to), to.y]]);
  if (from.column === to.column) {
    const between = [...places.values()].some((one) => one.column === from.column && one.y < from.y && one.y > to.y);
    if (!between) return rounded([[from.x, from.y - rim(from)], [to.x, to.y + rim(to)]]);
    return rounded([[from.x - rim(from), from.y], [from.x - rim(from) - 9, from.y], [from.x - rim(from) - 9, to.y], [to.x - rim(to), to.y]]);
  }
  const under = to.y + to.lane.height / 2 - 1 - offsets.into(parent, child, kind), enter = to.x + (kind === "stands" ? -6 : 0);
  const leftwards = to.column.at < from.column.at, turn = [trackOf(parent, kind, places, offsets, leftwards), under];
  const begin = [[leftwards ? from.x - rim(from) : from.end + 5, from.y], [turn[0], from.y], turn];
  return rounded(joins ? begin : [...begin, [enter, under], [enter, to.y + rim(to)]]);
}
