// The sections below the benchmark figure, block by block.
function tableBody(heads, rows) {
  const cell = (c, i) => (i === 0 ? `<th scope="row">${esc(c.text)}</th>` : `<td class="${c.bad ? "bad words" : c.words ? "words" : ""}">${esc(c.text)}</td>`);
  return `<thead><tr>${heads.map((h) => `<th scope="col" ${h.title ? `title="${esc(h.title)}"` : ""}>${esc(h.text)}</th>`).join("")}</tr></thead>
    <tbody>${rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("")}</tbody>`;
}

function asTable(key, caption, heads, rows) {
  return `<details class="plain" data-open="${esc(key)}"><summary>Show as table</summary><div class="scroll" tabindex="0" role="group" aria-label="Table">
    <table><caption>${esc(caption)}</caption>${tableBody(heads, rows)}</table></div></details>`;
}

const tableBlock = (block) => `<div class="block"><div class="scroll" tabindex="0" role="group" aria-label="${esc(block.heading)}, scrolls sideways when it is wide">
  <table><caption class="spoken">${esc(block.heading)}</caption>${tableBody(block.heads, block.rows)}</table></div>
  <p class="muted small">${block.heads.filter((h) => h.title).map((h) => `<b>${esc(h.text)}</b> ${esc(h.title)}`).join(" ")}</p></div>`;

function tile(t) {
  const sign = t.shape ? icon(t, 20, 7) : "";
  return `<li title="${esc(t.origin ?? "")}"><span class="number-line">${sign}<b>${esc(t.number)}</b> <span class="muted">${esc(t.spread)}</span></span>
    <span class="label">${esc(t.label)}</span></li>`;
}

const storyBlock = (block) => `<div class="block"><h4>${esc(block.title)}</h4><p>${esc(block.text)}</p><ul class="tiles">${block.tiles.map(tile).join("")}</ul>
  <p class="command small"><span class="muted">Run it again:</span> <code>${esc(block.command)}</code></p></div>`;

const figureFormats = [["png", "PNG"], ["svg", "SVG"], ["csv", "CSV"]];

function figureBlock(block) {
  const buttons = figureFormats.map(([name, title]) =>
    `<button type="button" data-kind="download" data-name="${name}" data-figure="${esc(block.figure)}" aria-label="${title}: ${esc(block.title)}">${title}</button>`).join("");
  return `<div class="block figure-cell"><div class="figure-head"><h4>${esc(block.title)}</h4><div class="exports" role="group" aria-label="Download: ${esc(block.title)}">${buttons}</div></div>
    <div class="curves" data-figure="${esc(block.figure)}" role="group" aria-label="${esc(block.label)}"><p class="muted">drawing …</p></div>
    <p class="muted small">${esc(block.note)} Bars: one sd over seeds.</p>${asTable(`table-${block.key}`, block.title, block.heads, block.rows)}</div>`;
}

function differenceBlock(block) {
  const select = (side, label, chosen) => `<label>${label} <select data-kind="${side}">${block.options.map((o) =>
    `<option value="${esc(o.name)}" ${o.name === chosen ? "selected" : ""}>${esc(o.title)}</option>`).join("")}</select></label>`;
  return `<div class="block difference"><div class="pair">${select("first", "First", block.first)}${select("second", "minus", block.second)}</div>
    <p class="difference-text" role="status"></p><div class="difference-figure"></div></div>`;
}

const drawBlock = { dots: dotsBlock, table: tableBlock, story: storyBlock, figure: figureBlock, difference: differenceBlock };

function sectionPanel(section) {
  const blocks = section.blocks.map((block, i) => drawBlock[block.kind]({ ...block, key: `${section.name}-${i}`, heading: section.title })).join("");
  const figures = section.blocks.some((block) => block.kind === "figure") ? " two-up" : "";
  const heading = `<h3 class="eyebrow">${esc(section.title)}</h3>`;
  if (section.empty) return `<div class="panel section" data-section="${section.name}" tabindex="-1">${heading}<p class="empty">${esc(section.empty)}</p></div>`;
  return `<details class="panel section" data-section="${section.name}" data-open="section-${section.name}"><summary>${heading}</summary>
    <p class="muted about">${esc(section.text)}</p><div class="blocks${figures}">${blocks}</div></details>`;
}

const contents = (view) => `<nav class="contents" aria-label="On this page">${view.sections.map((section) =>
  `<button type="button" class="link" data-kind="jump" data-name="${section.name}">${esc(section.title)}</button>`).join("")}</nav>`;
