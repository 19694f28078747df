// State, requests and events. The browser holds the choice; only the newest answer is drawn.
const page = element.querySelector(".page"), at = (name) => page.querySelector("." + name);
const phoneWidth = 700;
let asked = {}, view = null, drawn = {}, newest = 0;

const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");

function drawCharts() {
  if (!view || !page.clientWidth) return;
  page.querySelectorAll(".chart").forEach((host) => {
    const chart = view.charts.filter((c) => c.rows.length)[[...page.querySelectorAll(".chart")].indexOf(host)];
    (page.clientWidth <= phoneWidth ? drawPhone : drawWide)(chart, host);
  });
}

function drawFigure(drawings) {
  at("drawing").innerHTML = drawings.join("");
  at("drawing").querySelectorAll("[aria-roledescription='point'][aria-label]").forEach((shape) => {
    const tip = document.createElementNS("http://www.w3.org/2000/svg", "title");
    tip.textContent = shape.getAttribute("aria-label");
    shape.append(tip);
  });
}

function notice(texts) {
  at("notice").hidden = texts.length === 0;
  at("notice").innerHTML = texts.map(esc).join("<br>");
}

function draw() {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset : null;
  const open = page.querySelector("details.plain")?.open;
  at("verdict").textContent = view.verdict;
  at("reason").textContent = view.reason;
  notice([view.message, ...view.problems].filter(Boolean));
  at("filters").innerHTML = filters(view);
  at("charts").innerHTML = view.charts.map((chart) => panel(chart, view.charts.length > 1)).join("");
  at("cards").innerHTML = cards(view);
  if (open) page.querySelector("details.plain").open = true;
  drawCharts();
  if (focused?.kind) restoreFocus(focused);
}

function restoreFocus({ kind, name }) {
  const buttons = [...page.querySelectorAll(`button[data-kind="${kind}"]`)];
  (buttons.find((button) => button.dataset.name === name) ?? buttons[0])?.focus({ preventScroll: true });
}

async function look(change) {
  asked = { ...asked, ...change };
  const mine = ++newest;
  const slow = setTimeout(() => page.setAttribute("aria-busy", "true"), 300);
  try {
    const answer = await server.look(asked);
    if (mine !== newest) return;
    view = answer;
    asked = { ...view.choice };
    draw();
    at("spoken").textContent = view.verdict;
    await loadFigure();
  } catch (error) {
    if (mine === newest) notice(["The server gave no answer. What you see is the last one; try again."]);
  } finally {
    clearTimeout(slow);
    if (mine === newest) page.removeAttribute("aria-busy");
  }
}

// The Altair charts are drawn by the server, for one theme and one width at a time.
const figureFits = () => drawn.dark === dark() && drawn.compact === page.clientWidth <= phoneWidth;

async function loadFigure() {
  const mine = newest;
  drawn = { dark: dark(), compact: page.clientWidth <= phoneWidth };
  const { drawings } = await server.figure({ ...asked, ...drawn });
  if (mine === newest && figureFits()) drawFigure(drawings);
}

function refit() {
  drawCharts();
  if (view && page.clientWidth && !figureFits()) loadFigure().catch(() => {});
}

async function download(format) {
  try {
    const file = await server.download({ ...asked, format, dark: dark() });
    if (file.message) return notice([file.message]);
    const bytes = Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (error) {
    notice(["The file could not be made. Try again."]);
  }
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-kind]");
  if (!button) return;
  const { kind, name, protocol } = button.dataset;
  if (kind === "download") download(name);
  else if (kind === "pair") look({ dataset: name, protocol, beside: false });
  else if (kind === "beside") look({ beside: name === "true" });
  else look({ [kind]: name, beside: false });
});

at("exports").innerHTML = exportButtons();
new ResizeObserver(refit).observe(page);
new MutationObserver(refit).observe(document.body, { attributes: true, attributeFilter: ["class"] });
look({});
