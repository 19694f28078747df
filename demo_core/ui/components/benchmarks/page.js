// State and requests. The browser holds what the visitor wished for; only the newest answer is drawn.
const page = element.querySelector(".page"), at = (name) => page.querySelector("." + name);
const phoneWidth = 700, UNANSWERED = "The server gave no answer.";
let wishes = readAddress(), view = null, newest = 0, drawing = Promise.resolve();

const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");

function drawCharts() {
  if (!view || !page.clientWidth) return;
  page.querySelectorAll(".chart").forEach((host, i) => {
    const chart = view.charts.filter((c) => c.rows.length)[i];
    (page.clientWidth <= phoneWidth ? drawPhone : drawWide)(chart, host);
  });
}

function putDrawings(host, drawings) {
  host.innerHTML = drawings.join("") || '<p class="muted">Nothing to draw.</p>';
  host.querySelectorAll("[aria-roledescription='point'][aria-label]").forEach((shape) => {
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
  const focused = element.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  const open = new Map([...page.querySelectorAll("details[data-open]")].map((details) => [details.dataset.open, details.open]));
  at("verdict").textContent = view.verdict;
  at("reason").textContent = view.reason;
  notice([view.message, ...view.problems].filter(Boolean));
  at("filters").innerHTML = filters(view);
  at("jumps").innerHTML = contents(view);
  at("charts").innerHTML = view.charts.map((chart, i) => panel(chart, view.charts.length > 1, i)).join("");
  at("sections").innerHTML = view.sections.map(sectionPanel).join("");
  at("cards").innerHTML = cards(view);
  // Sections are open on a wide screen and a list of headings on a phone, until the visitor decides.
  const usual = (details) => details.matches(".section") && page.clientWidth > phoneWidth;
  for (const details of page.querySelectorAll("details[data-open]")) details.open = open.get(details.dataset.open) ?? usual(details);
  delete at("drawing").dataset.look;
  drawCharts();
  if (focused?.kind) restoreFocus(focused);
}

function restoreFocus({ kind, name }) {
  const found = [...page.querySelectorAll(`[data-kind="${kind}"]`)];
  (found.find((control) => control.dataset.name === name) ?? found[0])?.focus({ preventScroll: true });
}

async function look(change) {
  wishes = { ...wishes, ...change };
  const mine = ++newest, asked = wishes;
  const slow = setTimeout(() => page.setAttribute("aria-busy", "true"), 300);
  try {
    const answer = await ask("look", asked);
    if (mine !== newest) return;
    if (asked !== wishes) return look(); // another pair was chosen meanwhile, and stands in the address
    view = withRunsHere(answer);
    if (change) writeAddress(wishes);
    draw();
    at("spoken").textContent = view.verdict;
    compareRows();
    loadFigures();
  } catch (error) {
    if (mine === newest) notice([`${UNANSWERED} What you see is the last one; try again.`]);
  } finally {
    clearTimeout(slow);
    if (mine === newest) page.removeAttribute("aria-busy");
  }
}

// The Altair charts are drawn by the server, for one theme and one width at a time, one after another, and only where
// a section is open.
const looks = () => `${dark() ? "dark" : "light"} ${page.clientWidth <= phoneWidth ? "compact" : "wide"}`;
const isOpen = (host) => !host.closest("details.section:not([open])");
const loadFigures = () => (drawing = drawing.then(drawMissing).catch(() => {}));

async function drawMissing() {
  const mine = newest, look = looks();
  for (const host of page.querySelectorAll(".drawing, .curves")) {
    if (host.dataset.look === look || !isOpen(host)) continue;
    const asked = { ...view.choice, figure: host.dataset.figure, dark: look.startsWith("dark"), compact: look.endsWith("compact") };
    const told = await ask("figure", asked).catch(() => null);
    if (mine !== newest || look !== looks()) return;
    putDrawings(host, told?.drawings ?? [`<p class="muted">${UNANSWERED} Open the section again.</p>`]);
    if (told) host.dataset.look = look;
  }
}

function refit() {
  if (!view || !page.clientWidth) return;
  drawCharts();
  loadFigures(); // also while one is on its way, which is dropped when the look is another
}

async function compareRows() {
  const host = at("difference");
  if (!host || !isOpen(host)) return;
  const asked = { ...view.choice }, question = JSON.stringify(asked);
  if (host.dataset.asked === question) return; // every section that opens comes here, and the answer takes seconds
  host.dataset.asked = question;
  const text = host.querySelector(".difference-text");
  if (!text.textContent) text.textContent = "computing …";
  const told = await ask("compare", asked).catch(() => null);
  if (!told) delete host.dataset.asked;
  if (host !== at("difference") || view.choice.first !== asked.first || view.choice.second !== asked.second) return;
  if (!told) text.textContent = `${UNANSWERED} Choose again.`;
  else if (told.text) showDifference(host, told);
}

function showDifference(host, { text, block, ...pair }) {
  Object.assign(view.choice, { first: pair.first, second: pair.second });
  for (const side of ["first", "second"]) host.querySelector(`select[data-kind="${side}"]`).value = pair[side];
  host.querySelector(".difference-text").textContent = text;
  host.querySelector(".difference-figure").innerHTML = block ? dotsBlock({ ...block, key: "difference" }) : "";
}
