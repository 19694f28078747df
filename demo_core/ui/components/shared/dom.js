// Nodes are made with textContent only, so that a title is never read as HTML.
const SVG = "http://www.w3.org/2000/svg";
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const isPhone = () => matchMedia("(max-width: 700px)").matches;
const motion = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 220);

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function show(target, visible) {
  target.hidden = !visible;
}

// Whether the focus may be led on with an answer: it is nowhere, or still in `place`. Who has moved on keeps it.
const focusIsFree = (place) => document.activeElement === document.body || place.contains(document.activeElement);

// Children of `parent` become one node per entry, in order; the same key keeps its node, its focus and its place in time.
function keyed(parent, entries, keyOf, make, update) {
  const focused = document.activeElement;
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = null;
  entries.forEach((entry, index) => {
    const key = String(keyOf(entry, index));
    let child = old.get(key);
    if (child) old.delete(key);
    else {
      child = make(entry, index);
      child.dataset.key = key;
    }
    update(child, entry, index);
    const place = before ? before.nextSibling : parent.firstChild;
    if (place !== child) parent.insertBefore(child, place);
    before = child;
  });
  for (const child of old.values()) child.remove();
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

// How much a talk enlarges the page: pointers and places are told in pixels of the screen, drawings in those of the page.
const enlarged = () => element.currentCSSZoom ?? 1;

// Runs `change`, then lets the nodes slide from where they were. Nothing fades in.
function glide(nodes, change) {
  const places = new Map(nodes().map((each) => [each, each.getBoundingClientRect()]));
  change();
  const duration = motion();
  if (!duration) return;
  for (const each of nodes()) {
    const from = places.get(each);
    if (!from || !from.width) continue;
    const to = each.getBoundingClientRect();
    const x = (from.left - to.left) / enlarged(), y = (from.top - to.top) / enlarged();
    if (Math.abs(x) + Math.abs(y) < 1 || !to.width) continue;
    each.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration, easing: "ease-out" });
  }
}

function modelMark(model, size = 20) {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ width: size, height: size, viewBox: "0 0 20 20", "aria-hidden": true })) {
    drawing.setAttribute(name, value);
  }
  const shape = {
    card: "M3 10a7 7 0 1 0 14 0a7 7 0 1 0-14 0Z",
    tdm: "M3.5 3.5H16.5V16.5H3.5Z",
    globaldiff: "M10 2.5L18 16H2Z",
  }[model] ?? "M10 2L17 6V14L10 18L3 14V6Z";
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", shape);
  path.setAttribute("fill", markOf(model).colour);
  drawing.append(path);
  return drawing;
}

// A list is always a row of squares: full where it stays, empty where it goes.
function squares(kept, label) {
  const row = node("span", { class: "squares", role: "img", "aria-label": label, title: label });
  row.append(...kept.map((stays) => node("i", { class: stays ? "full" : null })));
  return row;
}
