// The lists with lines between equal films. Hover and focus mark one film in all of them.
const lists = part("lists"), switcher = part("switch");
const gutters = new Map();
let shownModel = "card", hotItem = null;

const healthText = (one) => (one.healthy === null ? "" : one.healthy ? ", healthy" : ", failed its health check");

function changeOf(one, item, rank, before) {
  const was = before?.get(one.model);
  if (!was) return "";
  const old = was.get(item.id);
  if (old === undefined) return "new";
  return old === rank ? "" : old > rank ? `▲ ${old - rank}` : `▼ ${rank - old}`;
}

function makeRow() {
  return node("li", { class: "row" }, node("span", { class: "rank" }), node("span", { class: "what" }, node("b"), " ",
    node("small")), node("span", { class: "change" }), node("span"));
}

function updateRow(row, one, { rank, item }, truth, before) {
  const [number, what, change, bars] = row.children, isTruth = truth?.id === item.id;
  row.className = `row${isTruth ? " truth" : ""}${item.trained ? "" : " untrained"}${item.id === hotItem ? " hot" : ""}`;
  row.dataset.item = item.id;
  row.tabIndex = rank === 1 ? 0 : -1;
  row.title = item.trained ? fullTitle(item) : `${fullTitle(item)}: never trained`;
  number.textContent = rank;
  what.children[0].textContent = `${isTruth ? "★ " : ""}${mainTitle(item)}`;
  what.children[1].textContent = [item.year, item.trained ? "" : "never trained"].filter(Boolean).join(" · ");
  change.textContent = changeOf(one, item, rank, before);
  bars.replaceWith(popularityBars(item));
}

function footOf(one, truth) {
  if (one.error || !truth) return [];
  if (one.truth_rank === null) return [`★ is in the history, so it is not ranked.`];
  const star = node("span", { class: "star" }, `★ ${ordinal(one.truth_rank)}`);
  return [star, one.items.some(({ item }) => item.id === truth.id) ? ` the ${noun} really ${watched} next`
    : ` really ${watched} next, outside the ${one.items.length === 10 ? "ten" : "list"}`];
}

function makeList(one) {
  return node("section", { class: "list", "aria-label": one.title }, node("div", { class: "list-head" },
    node("h2", {}, modelMark(one.model), node("span", {}, one.title)), modelChoice(one.model)), node("p", { class: "meta" }), node("p", { class: "problem" }), node("ol"),
    node("p", { class: "foot" }));
}

// Any model can be swapped in at the head of a list.
function modelChoice(model) {
  const choice = node("select", { "aria-label": "Model of this list" },
    ...(facts.models ?? []).map((one) => node("option", { value: one.name, selected: one.name === model })));
  choice.addEventListener("change", async () => {
    const chosen = choice.value;
    if (shownModel === model) shownModel = chosen;
    await swapModel(model, chosen);
    if (focusIsFree(lists)) lists.querySelector(`[data-key="${chosen}"] select`)?.focus({ preventScroll: true });
  });
  return choice;
}

// What is shown elsewhere cannot be chosen twice.
function drawChoice(choice, model, taken) {
  for (const [index, one] of (facts.models ?? []).entries()) {
    const option = choice.options[index];
    option.textContent = one.to_train ? `${one.title} (to be trained)` : one.title;
    option.disabled = one.name !== model && taken.has(one.name);
  }
  choice.value = model;
}

const RARE = 2; // quarters of the catalogue, from the least popular, that make its rarer half
const rareWords = (items) => {
  const rare = items.filter(({ item }) => item.popularity <= RARE).length;
  return items.length ? ` · ${rare} from the rarer half` : "";
};

function updateList(section, one, view, before) {
  const [, meta, problem, rows, foot] = section.children;
  section.dataset.model = one.model;
  section.classList.toggle("shown", one.model === shownModel);
  const sick = one.healthy === false;
  meta.textContent = one.error ? "not available"
    : `${one.preset ?? ""}${healthText(one)} · ${Math.max(1, Math.round(one.milliseconds))} ms${rareWords(one.items)}`;
  drawChoice(section.querySelector("select"), one.model, new Set(view.comparison.lists.map((each) => each.model)));
  meta.classList.toggle("bad", sick);
  const [told, command] = (one.error ?? "").split(/(?=python -m )/);
  problem.replaceChildren(told, ...(command ? [node("code", {}, ...words(command))] : []));
  show(problem, Boolean(one.error));
  keyed(rows, one.items, ({ item }) => item.id, makeRow, (row, entry) => updateRow(row, one, entry, view.next, before));
  foot.replaceChildren(...footOf(one, view.next));
  show(foot, foot.childNodes.length > 0);
}

// A command is broken between its words alone, not behind a hyphen.
const words = (command) => command.split(" ").flatMap((word) => [node("span", {}, word), " "]);

function ranksOf(view) {
  const models = view?.comparison?.lists ?? [];
  return new Map(models.map((one) => [one.model, new Map(one.items.map(({ rank, item }) => [item.id, rank]))]));
}

function drawLists(view, edited, previous) {
  const models = view.comparison?.lists ?? [], before = edited ? ranksOf(previous) : null;
  // Whatever has a list has weights by now.
  const listed = new Set(models.filter((one) => !one.error).map((one) => one.model));
  for (const known of facts.models ?? []) if (listed.has(known.name)) known.to_train = false;
  if (models.length && !models.some((one) => one.model === shownModel)) shownModel = models[0].model;
  const entries = models.flatMap((one, index) => (index ? [{ gutter: index - 1 }, { one }] : [{ one }]));
  show(lists, entries.length > 0);
  keyed(lists, entries, (entry) => (entry.one ? entry.one.model : `gutter ${entry.gutter}`),
    (entry) => (entry.one ? makeList(entry.one) : node("div", { class: "gutter" }, document.createElementNS(SVG, "svg"),
      node("p", {}))),
    (target, entry) => {
      if (entry.one) updateList(target, entry.one, view, before);
    });
  lists.style.gridTemplateColumns = models.map((_, index) => (index ? "96px minmax(0, 1fr)" : "minmax(0, 1fr)")).join(" ");
  drawSwitch(models);
  models.slice(1).forEach((one, index) => drawGutter(models[index], one, view.comparison.shared[index]));
}

function drawSwitch(models) {
  keyed(switcher, models, (one) => one.model, (one) => node("button", { type: "button", "data-model": one.model },
    `${markOf(one.model).sign} ${one.title}`), (button, one) => {
    button.setAttribute("aria-pressed", String(one.model === shownModel));
  });
}

function rowCentres(model) {
  const rows = lists.querySelectorAll(`[data-key="${model}"] .row`);
  return new Map([...rows].map((row) => [Number(row.dataset.item), row.offsetTop + row.offsetHeight / 2]));
}

function drawGutter(left, right, shared) {
  const target = lists.querySelector(`[data-key="${left.model}"]`).nextElementSibling, [svg, label] = target.children;
  if (!gutters.has(target)) gutters.set(target, pen(svg, ["lines", "hot"]));
  const ink = gutters.get(target), from = rowCentres(left.model), to = rowCentres(right.model);
  label.replaceChildren(node("b", {}, String(shared)), " shared");
  show(label, !left.error && !right.error);
  ink.start();
  for (const [id, y] of from) {
    if (!to.has(id)) continue;
    const hot = id === hotItem, other = to.get(id);
    ink.draw(hot ? "hot" : "lines", `${hot ? "hot " : ""}${id}`, "path", { fill: "none",
      stroke: hot ? "var(--ink)" : "var(--line2)", "stroke-width": hot ? 5 : 1.6, opacity: hot ? 1 : 0.8,
      d: ["M", 0, y, "C", 40, y, 56, other, 96, other] });
  }
  ink.finish();
}

function heat(id) {
  if (id === hotItem || !answered?.comparison) return;
  hotItem = id;
  for (const row of lists.querySelectorAll(".row")) row.classList.toggle("hot", Number(row.dataset.item) === id);
  const { lists: models, shared } = answered.comparison;
  models.slice(1).forEach((one, index) => drawGutter(models[index], one, shared[index]));
}

const itemAt = (event) => {
  const row = event.target.closest(".row");
  return row ? Number(row.dataset.item) : null;
};

lists.addEventListener("pointerover", (event) => heat(itemAt(event)));
lists.addEventListener("pointerleave", () => heat(null));
lists.addEventListener("focusin", (event) => heat(itemAt(event)));
lists.addEventListener("focusout", (event) => {
  if (!lists.contains(event.relatedTarget)) heat(null);
});
lists.addEventListener("keydown", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const section = row.closest(".list"), all = [...lists.querySelectorAll(".list")];
  const beside = all[all.indexOf(section) + ({ ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0)];
  let next = null;
  if (event.key === "ArrowDown") next = row.nextElementSibling;
  else if (event.key === "ArrowUp") next = row.previousElementSibling;
  else if (beside && beside !== section) {
    next = beside.querySelector(`[data-item="${row.dataset.item}"]`) ?? beside.querySelectorAll(".row")[
      [...row.parentNode.children].indexOf(row)];
  } else return;
  event.preventDefault();
  if (!next) return;
  for (const each of next.parentNode.children) each.tabIndex = each === next ? 0 : -1;
  next.focus();
});
switcher.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  shownModel = button.dataset.model;
  drawAll(answered, false, null);
});
