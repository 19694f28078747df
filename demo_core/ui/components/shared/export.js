// Figures to take away, their caption inside: as SVG with its colours, as PNG at twice the size, as PDF, as Vega-Lite, as CSV.
const SVG_STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "font-family",
  "font-size", "font-weight", "text-anchor", "paint-order"];
const EDGE = 24, CAPTION_LINE = 18;

function withStyles(from, to) {
  const style = getComputedStyle(from);
  if (style.display === "none") return to.remove();
  for (const name of SVG_STYLES) {
    const value = style.getPropertyValue(name);
    if (value) to.setAttribute(name, value);
  }
  for (const name of ["class", "style", "tabindex", "role", "data-column", "aria-label"]) to.removeAttribute(name);
  const pairs = [...from.children].map((child, at) => [child, to.children[at]]);
  for (const [child, copy] of pairs) withStyles(child, copy);
  return to;
}

// The drawing as a document of its own; the caption stands below it, one part a line.
function standalone(svg, caption) {
  const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
  const whole = [width + 2 * EDGE, height + 2 * EDGE + caption.length * CAPTION_LINE];
  const sheet = document.createElementNS(SVG, "svg"), paper = getComputedStyle(document.body);
  for (const [name, value] of Object.entries({ xmlns: SVG, width: whole[0], height: whole[1], viewBox: `0 0 ${whole.join(" ")}` })) {
    sheet.setAttribute(name, value);
  }
  const back = document.createElementNS(SVG, "rect"), group = document.createElementNS(SVG, "g");
  for (const [name, value] of Object.entries({ width: whole[0], height: whole[1], fill: getComputedStyle(svg.closest(".panel")).backgroundColor })) {
    back.setAttribute(name, value);
  }
  const copy = withStyles(svg, svg.cloneNode(true));
  group.setAttribute("transform", `translate(${EDGE},${EDGE})`);
  group.append(...copy.childNodes);
  const lines = caption.map((text, at) => {
    const line = document.createElementNS(SVG, "text");
    for (const [name, value] of Object.entries({ x: EDGE, y: height + 2 * EDGE + at * CAPTION_LINE, "font-size": "12px",
      "font-family": paper.fontFamily, fill: getComputedStyle(part("provenance")).color })) line.setAttribute(name, value);
    line.textContent = text;
    return line;
  });
  sheet.append(back, group, ...lines);
  return new XMLSerializer().serializeToString(sheet);
}

function save(name, content, type) {
  const link = node("a", { download: name, href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function png(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

const csvCell = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
const csv = (rows, caption) => [...rows.map((row) => row.map(csvCell).join(",")), ...caption.map((text) => csvCell(`# ${text}`))].join("\n");

function tableRows(table) {
  return [...(table?.rows ?? [])].map((row) => [...row.cells].map((cell) => cell.textContent));
}

// `figure`: `name`, `svg()`, `caption()`, `vega()`, its chart or null while nothing is drawn, and `rows()`, the table's cells
// with its head. What went wrong stands below the buttons until the next one is pressed.
function exportButtons(target, figure) {
  const problem = node("p", { class: "export-problem", role: "status" });
  const kinds = { SVG: async () => save(`${figure.name}.svg`, standalone(figure.svg(), figure.caption()), "image/svg+xml"),
    PNG: async () => save(`${figure.name}.png`, await png(standalone(figure.svg(), figure.caption()))),
    PDF: async () => {
      const answer = await ask("pdf", standalone(figure.svg(), figure.caption()));
      if (answer.error) throw new Error(answer.error);
      save(`${figure.name}.pdf`, Uint8Array.from(atob(answer.base64), (byte) => byte.charCodeAt(0)), "application/pdf");
    },
    "Vega-Lite": async (chart) => {
      save(`${figure.name}.vl.json`, JSON.stringify(vegaLite(chart, figure.caption()), null, 1), "application/json");
    },
    CSV: async () => save(`${figure.name}.csv`, csv(figure.rows(), figure.caption()), "text/csv") };
  target.after(problem);
  target.replaceChildren(...Object.entries(kinds).map(([title, make]) => {
    const button = node("button", { type: "button" }, title);
    button.addEventListener("click", async () => {
      if (button.ariaBusy === "true") return;
      button.ariaBusy = "true";
      problem.textContent = "";
      try {
        const chart = figure.vega();
        if (!chart) throw new Error("Nothing is drawn yet.");
        await make(chart);
      } catch (error) {
        problem.textContent = `${title} could not be made. ${error.message}`;
      }
      button.ariaBusy = "false";
    });
    return button;
  }));
}
