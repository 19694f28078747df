// Marks: hue and shape say which model, fill says how well the number is known.
const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const esc = (text) => String(text).replace(/[&<>"']/g, (c) => escapes[c]);

const outline = {
  circle: (x, y, r) => `M${x - r} ${y}A${r} ${r} 0 0 1 ${x + r} ${y}A${r} ${r} 0 0 1 ${x - r} ${y}Z`,
  square: (x, y, r) => `M${x - r * 0.9} ${y - r * 0.9}h${r * 1.8}v${r * 1.8}h${-r * 1.8}Z`,
  triangle: (x, y, r) => `M${x} ${y - r * 1.15}L${x + r * 1.12} ${y + r * 0.85}H${x - r * 1.12}Z`,
  capsule: (x, y, r) => {
    const a = r * 0.55, h = r * 0.65;
    return `M${x - a} ${y - h}A${a} ${a} 0 0 1 ${x + a} ${y - h}V${y + h}A${a} ${a} 0 0 1 ${x - a} ${y + h}Z`;
  },
};
const leftHalf = {
  circle: (x, y, r) => `M${x} ${y - r}A${r} ${r} 0 0 0 ${x} ${y + r}Z`,
  square: (x, y, r) => `M${x - r * 0.9} ${y - r * 0.9}H${x}v${r * 1.8}H${x - r * 0.9}Z`,
  triangle: (x, y, r) => `M${x} ${y - r * 1.15}V${y + r * 0.85}H${x - r * 1.12}Z`,
  capsule: (x, y, r) => {
    const a = r * 0.55, h = r * 0.65;
    return `M${x - a} ${y - h}A${a} ${a} 0 0 1 ${x} ${y - h - a}V${y + h + a}A${a} ${a} 0 0 1 ${x - a} ${y + h}Z`;
  },
};

function mark(row, x, y, r) {
  const colour = `var(--${row.colour})`;
  const inside = row.fill === "solid" ? colour : "var(--panel)";
  const whole = `<path d="${outline[row.shape](x, y, r)}" fill="${inside}" stroke="${colour}" stroke-width="2.4" stroke-linejoin="round"${row.fill === "ring" ? ' stroke-dasharray="3 2.4"' : ""}/>`;
  return row.fill === "half" ? `${whole}<path d="${leftHalf[row.shape](x, y, r)}" fill="${colour}"/>` : whole;
}

const icon = (row, size = 18, r = 6.5) =>
  `<svg width="${size}" height="${size}" aria-hidden="true">${mark(row, size / 2, size / 2, r)}</svg>`;

function deviation(row, x, y) {
  if (row.sd === null) return "";
  const low = x(Math.max(0, row.mean - row.sd)), high = x(row.mean + row.sd);
  return `<path d="M${low} ${y}H${high}M${low} ${y - 9}v18M${high} ${y - 9}v18" stroke="var(--${row.colour})" stroke-width="2" fill="none"/>`;
}

function squares(row) {
  if (row.neverTrained === null) return "";
  const hatched = Math.round(20 * row.neverTrained);
  const name = `${(100 * row.neverTrained).toFixed(row.neverTrained && row.neverTrained < 0.01 ? 2 : 0)} % never trained`;
  const cells = Array.from({ length: 20 }, (_, i) => `<i class="${i < hatched ? "never" : ""}"></i>`).join("");
  return `<span class="squares" role="img" aria-label="${name}" title="${name}">${cells}</span>`;
}
