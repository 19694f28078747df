// Draws SVG by key: the same key keeps its node and moves there in 220 ms. A value that is a number, or a list of words
// and numbers such as ["M", 0, 1, "L", 2, 3], is moved; other values change at once. Layers fix what lies on top.
function pen(svg, layers) {
  const groups = Object.fromEntries(layers.map((name) => {
    const group = document.createElementNS(SVG, "g");
    svg.append(group);
    return [name, group];
  }));
  const known = new Map();
  let seen = new Set(), running = 0, instant = false;

  const written = (value) => (Array.isArray(value) ? value.join(" ") : String(value));
  const alike = (a, b) => Array.isArray(a) && Array.isArray(b) && a.length === b.length
    && a.every((word, i) => typeof word === typeof b[i] && (typeof word === "number" || word === b[i]));
  const between = (a, b, t) => (typeof a === "number" ? a + (b - a) * t
    : a.map((word, i) => (typeof word === "number" ? word + (b[i] - word) * t : word)));
  const moves = (a, b) => (typeof a === "number" && typeof b === "number" && a !== b)
    || (alike(a, b) && written(a) !== written(b));

  function step(started, number) {
    if (number !== running) return;
    const duration = instant ? 0 : motion();
    const t = duration ? Math.min((performance.now() - started) / duration, 1) : 1;
    const eased = 1 - (1 - t) ** 3;
    for (const each of known.values()) {
      for (const [name, move] of each.moving) {
        each.now[name] = t < 1 ? between(move.from, move.to, eased) : move.to;
        each.node.setAttribute(name, written(each.now[name]));
        if (t >= 1) each.moving.delete(name);
      }
    }
    if (t < 1) requestAnimationFrame(() => step(started, number));
  }

  return {
    start(atOnce = false) {
      seen = new Set();
      instant = atOnce;
    },
    draw(layer, key, tag, attributes, text) {
      seen.add(key);
      let each = known.get(key);
      const isNew = !each;
      if (isNew) {
        each = { node: document.createElementNS(SVG, tag), now: {}, moving: new Map() };
        known.set(key, each);
        (groups[layer] ?? known.get(layer).node).append(each.node);
      }
      for (const [name, value] of Object.entries(attributes)) {
        each.moving.delete(name);
        if (!isNew && moves(each.now[name], value)) each.moving.set(name, { from: each.now[name], to: value });
        else {
          each.now[name] = value;
          each.node.setAttribute(name, written(value));
        }
      }
      for (const name of Object.keys(each.now)) {
        if (name in attributes) continue;
        each.node.removeAttribute(name);
        each.moving.delete(name);
        delete each.now[name];
      }
      if (text !== undefined && each.node.textContent !== text) each.node.textContent = text;
      return each.node;
    },
    finish() {
      for (const [key, each] of known) {
        if (seen.has(key)) continue;
        each.node.remove();
        known.delete(key);
      }
      running += 1;
      step(performance.now(), running);
    },
  };
}
