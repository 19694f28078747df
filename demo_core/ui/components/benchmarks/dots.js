// Lines with marks on one or two axes. Places are shares of an axis, so nothing has to be measured or drawn again.
const place = (share) => `${3 + 94 * share}%`;
const spokenDot = (row, cell, scale) => [row.name, row.source, `${scale.title}: ${cell.value} ${cell.spread}`.trim(), cell.n].filter(Boolean).join(", ");

const axisLine = (at, look) => `<line x1="${place(at)}" x2="${place(at)}" y1="0" y2="100%" ${look}/>`;

function dotTrack(row, cell, scale) {
  const grid = scale.ticks.map((tick) => axisLine(tick.at, 'stroke="var(--line)"')).join("") +
    (scale.level ? axisLine(scale.level.at, 'stroke="var(--ink)" stroke-width="1.6" stroke-dasharray="3 4"') : "");
  if (!cell) return `<svg width="100%" height="100%" aria-hidden="true">${grid}</svg>`;
  const end = (at) => `<line x1="${place(at)}" x2="${place(at)}" y1="-8" y2="8"/>`;
  const bar = cell.low === null ? "" : `<g stroke="var(--${row.colour})" stroke-width="2">
    <line x1="${place(cell.low)}" x2="${place(cell.high)}" y1="0" y2="0"/>${end(cell.low)}${end(cell.high)}</g>`;
  return `<svg width="100%" height="100%" role="img" aria-label="${esc(spokenDot(row, cell, scale))}">
    <title>${esc([cell.origin, ...row.failures].filter(Boolean).join(". "))}</title>${grid}<svg y="50%" overflow="visible">${bar}
    <svg x="${place(cell.at)}" overflow="visible">${mark(row, 0, 0, markSize(row))}</svg></svg></svg>`;
}

const dotValue = (cell) => (cell ? `<b>${esc(cell.value)}</b> <span class="muted">${esc([cell.spread, cell.n].filter(Boolean).join(", "))}</span>` : notStated);

function dotRow(row, scales) {
  const cells = scales.map((scale, i) => `<div class="dot-cell${row.cells[i] ? "" : " none"}"><span class="dot-scale muted">${esc(scale.title)}</span>
    <div class="dot-track">${dotTrack(row, row.cells[i], scale)}</div><div class="dot-value">${dotValue(row.cells[i])}</div></div>`).join("");
  return `<div class="dot-row${row.first ? " start" : ""}"><div class="dot-name">${row.first ? esc(row.name) : ""}</div>
    <div class="dot-source muted">${icon(row, 16, 5.5)}<span>${esc(row.source)}</span></div>${cells}</div>`;
}

function dotHead(scales) {
  const text = (at, words, look = "") => `<text x="${place(at)}" y="16" text-anchor="middle" font-size="13" ${look}>${esc(words)}</text>`;
  const cells = scales.map((scale) => {
    const last = scale.ticks.length - 1;
    const ticks = scale.ticks.map((tick, i) => text(tick.at, tick.text + (i === last ? scale.unit : ""), 'class="muted"')).join("");
    return `<div class="dot-cell"><span class="dot-scale muted">${esc(scale.title)}</span><div class="dot-track"><svg width="100%" height="22" aria-hidden="true">${ticks}</svg></div>
      <div class="dot-value muted">${esc(scale.title)}</div></div>`;
  }).join("");
  return `<div class="dot-row dot-head"><div class="dot-name"></div><div class="dot-source"></div>${cells}</div>`;
}

function dotFoot(scales) {
  if (!scales.some((scale) => scale.level)) return "";
  return `<p class="muted small">Dotted: ${scales.filter((scale) => scale.level).map((scale) => esc(scale.level.text)).join(", ")}.</p>`;
}

function dotTable(block) {
  const heads = ["What", "Source", ...block.scales.flatMap((scale) => [scale.title, "spread", "n", "Origin"])];
  const rows = block.rows.map((row) => [row.name, row.source, ...row.cells.flatMap((c) => (c ? [c.value, c.spread, c.n, c.origin] : ["–", "", "", ""]))]);
  return asTable(`table-${block.key}`, block.title || block.scales[0].title, heads.map((text) => ({ text })), rows.map((row) => row.map((text) => ({ text }))));
}

function dotsBlock(block) {
  const title = block.title ? `<h4>${esc(block.title)}</h4>` : "";
  const protocol = block.protocol ? chip(block.protocol.name, block.protocol.description) : "";
  const note = block.note ? `<p class="muted small">${esc(block.note)}</p>` : "";
  const table = block.rows.length > 1 ? dotTable(block) : "";
  return `<div class="block">${title}${protocol}<div class="dots ${block.scales.length > 1 ? "two" : "one"}">${dotHead(block.scales)}
    ${block.rows.map((row) => dotRow(row, block.scales)).join("")}</div>${dotFoot(block.scales)}${note}${table}</div>`;
}
