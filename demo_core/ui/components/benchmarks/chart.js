// The chart that is a table: on a wide screen one grid row per figure, on a phone one block per figure.
const tickText = (value) => String(+value.toFixed(6));
const spoken = (chart, row) => `${row.title}, ${row.source}: ${chart.metric} ${row.value} % ${row.spread} ${row.n}`;
const hover = (row) => esc([row.origin, ...row.failures].join(". "));
const markSize = (row) => (row.shape === "capsule" ? 6.5 : 7.5);
const notStated = '<span class="muted">–</span>';

function axis(chart, width, left, right) {
  const top = chart.ticks[chart.ticks.length - 1];
  return (value) => left + (value / top) * (width - left - right);
}

function grid(chart, x, height) {
  const lines = chart.ticks.map((t) => `<path d="M${x(t)} 0V${height}" stroke="var(--line)" opacity=".8"/>`).join("");
  return chart.popularity === null ? lines : lines +
    `<path d="M${x(chart.popularity)} 0V${height}" stroke="var(--ink)" stroke-width="1.6" stroke-dasharray="3 4"/>`;
}

function wideHead(chart, x, width) {
  const ticks = chart.ticks.map((t, i) => {
    const unit = i === chart.ticks.length - 1 ? " %" : "";
    return `<text x="${x(t)}" y="26" font-size="13" text-anchor="middle" class="muted">${tickText(t)}${unit}</text>`;
  }).join("");
  return `<div class="th">Model</div><div class="th">Source</div>
    <div class="th"><svg width="${width}" height="34" aria-hidden="true">${ticks}</svg></div>
    <div class="th right" title="${esc(chart.means)}">${esc(chart.metric)}, sd, n</div>
    <div class="th" title="Twenty squares: the share of the list slots that hold an item no training row asked for is hatched.">What the top 20 is made of</div>
    <div class="th right" title="Different items in the top-20 lists of all test rows together.">distinct items</div>
    <div class="th right" title="Share that two rows' top-20 lists have in common, on average. Popularity shows one list to all: 100 %.">overlap of two lists</div>`;
}

function wideRow(chart, row, x, width) {
  const start = row.first ? " start" : "", height = row.first ? 38 : 31, y = row.first ? 22 : 15.5;
  const name = row.first ? `${row.shape === "capsule" ? "" : icon({ ...row, fill: "solid" })}${esc(row.title)}` : "";
  const warning = row.failures.length ? `<span class="bad" title="${hover(row)}">not healthy</span>` : "";
  const list = row.neverTrained === null ? '<span class="muted">not stated</span>' : squares(row);
  return `<div class="model${start}">${name}</div><div class="source${start}">${esc(row.source)} ${warning}</div>
    <div class="marks${start}"><svg width="${width}" height="${height}" role="img" aria-label="${esc(spoken(chart, row))}">
      <title>${hover(row)}</title>${grid(chart, x, height)}${deviation(row, x, y)}${mark(row, x(row.mean), y, markSize(row))}</svg></div>
    <div class="value${start}"><b>${row.value}</b> <span class="muted">${row.spread ? row.spread + ", " : ""}${esc(row.n)}</span></div>
    <div class="list${start}">${list}</div><div class="number${start}">${row.distinct ?? notStated}</div>
    <div class="number${start}">${row.overlap ?? notStated}</div>`;
}

const columnsBeside = 130 + 160 + 142 + 214 + 64 + 88;

function drawWide(chart, host) {
  const width = Math.max(260, host.clientWidth - columnsBeside), x = axis(chart, width, 14, 26);
  const foot = chart.popularity === null ? "" : `<div></div><div></div><div><svg width="${width}" height="24" aria-hidden="true">
    <text x="${x(chart.popularity)}" y="15" font-size="13" font-weight="700" text-anchor="middle">popularity ${chart.popularity.toFixed(2)}</text></svg></div>`;
  host.innerHTML = `<div class="wide">${wideHead(chart, x, width)}${chart.rows.map((row) => wideRow(chart, row, x, width)).join("")}${foot}</div>`;
}

function phoneRow(chart, row, x, width) {
  const name = row.first ? `<h3 class="phone-model">${row.shape === "capsule" ? "" : icon({ ...row, fill: "solid" })}${esc(row.title)}</h3>` : "";
  const warning = row.failures.length ? ` <span class="bad" title="${hover(row)}">not healthy</span>` : "";
  const lists = row.neverTrained === null ? "" : `${squares(row)}<div class="phone-line muted"><span>${row.distinct ?? "–"} distinct items</span><span>${row.overlap ?? "–"} overlap</span></div>`;
  return `${name}<div class="phone-line"><span class="muted">${esc(row.source)}${warning}</span>
    <span><b>${row.value} %</b> <span class="muted">${row.spread ? row.spread + ", " : ""}${esc(row.n)}</span></span></div>
    <svg width="${width}" height="30" role="img" aria-label="${esc(spoken(chart, row))}"><path d="M${x(0)} 15H${width - 10}" stroke="var(--line)"/>
    ${grid(chart, x, 30)}${deviation(row, x, 15)}${mark(row, x(row.mean), 15, markSize(row))}</svg>${lists}`;
}

function drawPhone(chart, host) {
  const width = host.clientWidth, x = axis(chart, width, 10, 10);
  const level = chart.popularity === null ? "" : ` Dotted: popularity ${chart.popularity.toFixed(2)}.`;
  host.innerHTML = `<div class="phone">${chart.rows.map((row) => phoneRow(chart, row, x, width)).join("")}
    <p class="muted small">Axis 0 to ${tickText(chart.ticks[chart.ticks.length - 1])} %.${level}</p></div>`;
}
