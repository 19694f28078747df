// Marks: hue and shape say which system, fill says how well it is known.
const OUTLINES = {
  circle: (x, y, r) => ["M", x - r, y, "A", r, r, 0, 0, 1, x + r, y, "A", r, r, 0, 0, 1, x - r, y, "Z"],
  square: (x, y, r) => ["M", x - 0.9 * r, y - 0.9 * r, "H", x + 0.9 * r, "V", y + 0.9 * r, "H", x - 0.9 * r, "Z"],
  triangle: (x, y, r) => ["M", x, y - 1.1 * r, "L", x + 1.1 * r, y + 0.85 * r, "L", x - 1.1 * r, y + 0.85 * r, "Z"],
  hexagon: (x, y, r) => ["M", x, y - r, "L", x + 0.87 * r, y - 0.5 * r, "V", y + 0.5 * r, "L", x, y + r, "L", x - 0.87 * r, y + 0.5 * r, "V", y - 0.5 * r, "Z"],
  capsule: (x, y, r) => ["M", x - 0.55 * r, y - 0.5 * r, "A", 0.55 * r, 0.55 * r, 0, 0, 1, x + 0.55 * r, y - 0.5 * r, "V", y + 0.5 * r,
    "A", 0.55 * r, 0.55 * r, 0, 0, 1, x - 0.55 * r, y + 0.5 * r, "Z"],
};
const LEFT_HALVES = {
  circle: (x, y, r) => ["M", x, y - r, "A", r, r, 0, 0, 0, x, y + r, "Z"],
  square: (x, y, r) => ["M", x, y - 0.9 * r, "H", x - 0.9 * r, "V", y + 0.9 * r, "H", x, "Z"],
  triangle: (x, y, r) => ["M", x, y - 1.1 * r, "L", x - 1.1 * r, y + 0.85 * r, "L", x, y + 0.85 * r, "Z"],
  hexagon: (x, y, r) => ["M", x, y - r, "L", x - 0.87 * r, y - 0.5 * r, "V", y + 0.5 * r, "L", x, y + r, "Z"],
  capsule: (x, y, r) => ["M", x, y - 1.05 * r, "A", 0.55 * r, 0.55 * r, 0, 0, 0, x - 0.55 * r, y - 0.5 * r, "V", y + 0.5 * r,
    "A", 0.55 * r, 0.55 * r, 0, 0, 0, x, y + 1.05 * r, "Z"],
};
const EVIDENCE = { solid: "default measured here, passed its health check", half: "failed it, or not known", open: "not measured here" };
const colourOf = (system) => `var(--${system.colour})`;
const insideOf = (system) => (system.fill === "solid" ? colourOf(system) : "var(--panel)");

// The same mark outside of the tree.
function markIcon(system, size = 22) {
  const drawing = document.createElementNS(SVG, "svg"), r = 0.36 * size;
  for (const [name, value] of Object.entries({ width: size, height: size, viewBox: `0 0 ${size} ${size}`, "aria-hidden": true })) drawing.setAttribute(name, value);
  const add = (d, attributes) => {
    const path = document.createElementNS(SVG, "path");
    for (const [name, value] of Object.entries({ d: d.join(" "), ...attributes })) path.setAttribute(name, value);
    drawing.append(path);
  };
  const at = [size / 2, size / 2, r];
  add(OUTLINES[system.shape](...at), { fill: insideOf(system), stroke: colourOf(system), "stroke-width": 2.2, "stroke-linejoin": "round" });
  if (system.fill === "half") add(LEFT_HALVES[system.shape](...at), { fill: colourOf(system) });
  return drawing;
}
