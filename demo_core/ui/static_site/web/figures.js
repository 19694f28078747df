// Benchmarks: the view for every choice of data set, protocol and metric.
const offered = (wish, all, usual) => [wish, usual, ...all].find((name) => all.includes(name));

function chosen(wishes) {
  const { datasets, first, metric: usual } = site.benchmarks;
  const dataset = offered(wishes.dataset, datasets.map((one) => one.dataset), first);
  const { protocols } = datasets.find((one) => one.dataset === dataset);
  const protocol = offered(wishes.protocol, protocols.map((one) => one.protocol), null);
  const metric = offered(wishes.metric, protocols.find((one) => one.protocol === protocol).metrics, usual);
  const number = datasets.findIndex((one) => one.dataset === dataset);
  return { number, metric, key: `${protocol}|${metric}`, beside: wishes.beside === true && protocols.length > 1 };
}

const thorough = (metric) => site.benchmarks.thorough.includes(metric);
const thoroughNames = () => site.benchmarks.thorough.map((metric) => metric.toUpperCase()).join(" and ");

async function lookAtFigures(wishes) {
  const { number, key, beside } = chosen(wishes), { views } = await load(`benchmarks/${number}`);
  return fresh(views[beside ? `${key}|beside` : key]);
}

async function drawing({ figure, compact, ...wishes }) {
  const { number, key, metric } = chosen(wishes);
  if (!thorough(metric)) return { drawings: [`<p class="muted">This copy holds these drawings for ${thoroughNames()}; the table is here.</p>`] };
  const drawings = await load(`drawings/${number}`);
  return { drawings: drawings[`${key}|${figure ?? ""}|${compact ? "compact" : "wide"}`] ?? [] };
}

async function compare({ first, second, ...wishes }) {
  const { number, key, metric } = chosen(wishes), { compared } = await load(`benchmarks/${number}`), told = compared[key];
  const own = told?.first === first && told?.second === second;
  if (own) return fresh(told);
  const held = thorough(metric) ? "one pair" : `the intervals of ${thoroughNames()}`;
  return { first, second, block: null, text: `No interval here: this copy holds ${held}. The app computes any.` };
}

// A file out of a drawing: its colours are those of the page as it is now.
async function download({ format, figure, ...wishes }) {
  const { number, key, metric } = chosen(wishes), name = `${key}|${figure ?? ""}`;
  const { tables } = await load(`benchmarks/${number}`), table = tables[name];
  if (format === "csv") return table?.text ? fileOf(table.name, "text/csv", new Blob([table.text])) : { message: "There is no such figure here." };
  if (!["svg", "png"].includes(format)) return { message: "PDF and Vega-Lite come from the app alone. PNG, SVG and CSV are made here." };
  if (!thorough(metric)) return { message: `This copy holds these drawings for ${thoroughNames()}.` };
  const [svg] = (await load(`drawings/${number}`))[`${name}|wide`] ?? [];
  if (!svg) return { message: "There is no such figure here." };
  const style = getComputedStyle(document.body), plain = svg.replace(/var\((--[\w-]+)\)/g, (_, token) => style.getPropertyValue(token).trim());
  const stem = table.name.replace(/\.csv$/, "");
  if (format === "svg") return fileOf(`${stem}.svg`, "image/svg+xml", new Blob([plain]));
  return fileOf(`${stem}.png`, "image/png", await painted(plain, style.getPropertyValue("--panel").trim()));
}

async function painted(svg, paper) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas"), brush = canvas.getContext("2d");
  [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
  brush.fillStyle = paper;
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

async function fileOf(name, type, blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { name, type, base64: btoa(text) };
}
