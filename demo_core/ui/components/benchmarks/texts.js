// Everything around the chart: switches, legend, caption, the plain table, the cards.
const segment = (kind, label, options, chosen) => `<div class="segment" role="group" aria-label="${label}">${options.map((o) =>
  `<button type="button" data-kind="${kind}" data-name="${esc(o.name)}" ${o.means ? `title="${esc(o.means)}"` : ""} aria-pressed="${o.name === chosen}">${esc(o.title)}</button>`).join("")}</div>`;

const chip = (name, text) => `<span class="protocol"><b>${esc(name)}</b> ${esc(text)}</span>`;

function modelChoice(view) {
  const chosen = view.choice.models, on = (model) => chosen === null || chosen.includes(model.name);
  const number = view.models.filter(on).length;
  const boxes = view.models.map((m) => `<label><input type="checkbox" data-kind="model" data-name="${esc(m.name)}" ${on(m) ? "checked" : ""}>${esc(m.title)}</label>`).join("");
  return `<details class="models" data-open="models"><summary>Models: ${number === view.models.length ? `all ${number}` : `${number} of ${view.models.length}`}</summary>
    <div class="boxes" role="group" aria-label="Models">${boxes}<button type="button" class="link" data-kind="models" data-name="all">All</button>
    <button type="button" class="link" data-kind="models" data-name="none">None</button></div></details>`;
}

function filters(view) {
  const { dataset, protocol, metric } = view.choice;
  const protocols = view.protocols.length < 2 ? "" : segment("protocol", "Protocol", view.protocols, protocol);
  return segment("dataset", "Data set", view.datasets, dataset) + segment("metric", "Metric", view.metrics, metric) +
    protocols + modelChoice(view) + (view.charts.length > 1 ? "" : chip(protocol, view.charts[0].description));
}

const evidence = { open: "printed in the paper", half: "run here, not a healthy default", solid: "our default, healthy",
  ring: "run here, few people" };

function legend(chart) {
  const fills = ["open", "half", "solid", "ring"].filter((fill) => chart.rows.some((row) => row.fill === fill && row.source !== "baseline"));
  const marks = fills.map((fill) => `<span>${icon({ shape: "circle", colour: "card", fill }, 22, 7.5)}${evidence[fill]}</span>`);
  if (chart.rows.some((row) => row.source === "baseline"))
    marks.push(`<span>${icon({ shape: "capsule", colour: "muted", fill: "solid" }, 22, 6.5)}baseline</span>`);
  const lists = chart.rows.some((row) => row.neverTrained !== null) ? `<span><span class="squares one"><i></i></span>trained item</span>
    <span><span class="squares one"><i class="never"></i></span>never trained</span>` : "";
  return `<div class="legend"><b>More ink, more evidence.</b>${marks.join("")}${lists}</div>`;
}

function plainTable(chart, key) {
  const heads = ["Model", "Source", `${chart.metric}, %`, "sd", "n", "never trained", "distinct items", "overlap of two lists", "Origin"];
  const cells = (row) => [row.source, row.value, row.spread.replace("± ", "") || "–", row.n.replace(/^n /, ""),
    row.neverTrained === null ? "not stated" : `${(100 * row.neverTrained).toFixed(1)} %`, row.distinct ?? "–", row.overlap ?? "–", row.origin];
  const rows = chart.rows.map((row) => [row.title, ...cells(row)].map((text) => ({ text })));
  return asTable(`chart-${key}`, `${chart.metric}, ${chart.protocol}: ${chart.description}`, heads.map((text) => ({ text })), rows);
}

function panel(chart, several, key) {
  const head = several ? `<p class="several">${chip(chart.protocol, chart.description)}</p>` : "";
  const body = chart.rows.length ? `${legend(chart)}<div class="chart"></div>${plainTable(chart, key)}` : `<p class="muted">No ${esc(chart.metric)} under this protocol.</p>`;
  return `<section class="panel" aria-label="${esc(chart.metric)}, ${esc(chart.protocol)}">${head}${body}</section>
    <p class="caption">${chart.caption.map((part) => `<span>${esc(part)}</span>`).join("")}</p>`;
}

function cards(view) {
  const both = view.protocols.length < 2 ? "" : `<button type="button" class="link" data-kind="beside" data-name="${!view.choice.beside}">${view.choice.beside ? "Show one protocol only" : "Show them side by side"}</button>`;
  const chips = view.elsewhere.map((e) => `<p class="protocol block"><b>${esc(e.protocol)}</b> ${e.datasets.map((d) =>
    `<button type="button" class="link" data-kind="pair" data-name="${esc(d.name)}" data-protocol="${esc(e.protocol)}">${esc(d.title)}</button>`).join(", ")}</p>`);
  return `<section class="panel"><h3 class="eyebrow">What do the numbers mean?</h3><p>${esc(view.definition)}</p>
    <p>± is the standard deviation over seeds, n their number. With n 1 there is none, and a difference may be chance.</p>
    <p>Never trained: items in the lists that no training row asked for. Overlap: how much two people's top 20 share; popularity shows one list to all.</p></section>
    <section class="panel"><h3 class="eyebrow">Why is there no single ranking?</h3>
    <p>A number belongs to its protocol. These never share an axis:</p>${chips.join("")}${both}</section>`;
}

const fileFormats = [["png", "PNG"], ["svg", "SVG"], ["pdf", "PDF"], ["csv", "CSV"], ["vega-lite", "Vega-Lite"]];
const exportButtons = () => fileFormats.map(([name, title]) => `<button type="button" data-kind="download" data-name="${name}">${title}</button>`).join("");
