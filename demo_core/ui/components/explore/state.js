// What the visitor has chosen. The address bar holds the same, so that a link brings it back.
const noun = facts.noun || "item";
const watched = noun === "film" ? "watched" : "chosen";
const state = { items: [], next: null, threshold: null, seed: 0, models: null };
let answered = null; // the last answer drawn
let newest = 0, answering = null; // while a question is out: the promise that what is newest then is drawn
let wishes = 0; // every change counts, and every history that is asked for: the last one stands

function readAddress() {
  const { items, off, next, threshold, seed } = historyInAddress();
  state.items = items.map((id, at) => ({ id, off: off.includes(at + 1) }));
  state.next = next === null ? null : { id: next };
  state.threshold = threshold;
  state.seed = seed;
  const known = new Set((facts.models ?? []).map((model) => model.name));
  const models = (new URLSearchParams(location.search).get("lists") ?? "").split(",").filter((name) => known.has(name));
  state.models = models.length ? models.slice(0, 8) : null;
}

// Positions, from 1, of what is switched off.
const offPositions = () => state.items.flatMap((item, at) => (item.off ? [at + 1] : []));

function writeAddress() {
  writeInAddress({
    items: state.items.map((item) => item.id).join(","),
    off: offPositions().join(","),
    next: state.next?.id ?? "",
    threshold: state.threshold === null ? "" : decimal(state.threshold, 3),
    seed: state.seed || "",
    lists: state.models?.join(",") ?? "",
  });
}

// Undo and redo. Changes of one kind in quick succession, such as a handle that is dragged, are one step.
const past = [], future = [], STEP = 1000, MOST_STEPS = 200;
let lastKind = "", lastTime = 0;
const snapshot = () => ({ ...state });

function keepForUndo(kind = "") {
  wishes += 1;
  const now = Date.now(), together = kind && kind === lastKind && now - lastTime < STEP;
  [lastKind, lastTime] = [kind, now];
  future.length = 0;
  if (together) return;
  past.push(snapshot());
  if (past.length > MOST_STEPS) past.shift();
}

function travel(from, to, saying) {
  if (!from.length) return;
  wishes += 1;
  to.push(snapshot());
  Object.assign(state, from.pop());
  lastKind = "";
  refresh(saying, true);
}
const undo = () => travel(past, future, "Undone.");
const redo = () => travel(future, past, "Done again.");

// Asks for the state as it is now. While one question is out, later ones wait as one; only the newest answer is drawn.
// `saying` is announced with the answer; `edited` marks a change small enough to compare the lists before and after.
function refresh(saying = "", edited = false) {
  newest += 1;
  refresh.saying = saying;
  refresh.edited = edited;
  writeAddress();
  answering ??= askNewest();
  return answering;
}

async function askNewest() {
  const slow = setTimeout(() => element.firstElementChild.classList.add("computing"), 300);
  let answer, asked;
  do {
    asked = newest;
    const { threshold, seed, models } = state;
    const items = state.items.map((item) => item.id), next = state.next?.id ?? null;
    answer = await ask("look", { items, off: offPositions(), next, threshold, seed, models }).catch(() => null);
  } while (asked !== newest);
  answering = null;
  clearTimeout(slow);
  element.firstElementChild.classList.remove("computing");
  if (answer) {
    state.items = answer.items;
    state.next = answer.next;
  }
  draw(answer ?? null, refresh.saying, refresh.edited);
}

function setHistory(items, next, saying) {
  keepForUndo();
  state.items = items;
  state.next = next;
  return refresh(saying);
}

function add(item) {
  keepForUndo();
  state.items = [...state.items, item];
  if (state.next?.id === item.id) state.next = null;
  return refresh(`${mainTitle(item)} added.`, true);
}

function removeAt(index) {
  if (index < 0) return null;
  keepForUndo();
  const [gone] = state.items.slice(index, index + 1);
  state.items = state.items.filter((_, at) => at !== index);
  return refresh(`${nameOf(gone)} removed.`, true);
}

// Switched off, an item keeps its place, but the models do not read it.
function toggleAt(index) {
  const item = state.items[index];
  if (!item || item.unknown) return null;
  keepForUndo();
  state.items = state.items.with(index, { ...item, off: !item.off });
  return refresh(`${nameOf(item)} ${item.off ? "on" : "off"}.`, true);
}

function replaceAt(index, item) {
  keepForUndo();
  const old = state.items[index];
  state.items = state.items.with(index, item);
  if (state.next?.id === item.id) state.next = null;
  return refresh(`${nameOf(item)} in place of ${nameOf(old)}.`, true);
}

function forgetNext() {
  keepForUndo();
  state.next = null;
  return refresh("Next one forgotten.", true);
}

function move(from, to) {
  if (from < 0 || to < 0 || to >= state.items.length || from === to) return null;
  keepForUndo();
  const items = [...state.items];
  const [moved] = items.splice(from, 1);
  items.splice(to, 0, moved);
  state.items = items;
  return refresh(`${nameOf(moved)} is now number ${to + 1} of ${items.length}.`, true);
}

function resetSettings() {
  keepForUndo();
  state.threshold = null;
  state.seed = 0;
  return refresh("Settings as trained.");
}

// Another model in the place of one of the lists.
function swapModel(from, to) {
  keepForUndo();
  const now = state.models ?? answered.comparison.lists.map((one) => one.model);
  state.models = now.map((name) => (name === from ? to : name));
  const title = facts.models.find((model) => model.name === to)?.title ?? to;
  return refresh(`${title} in place of ${from}.`);
}

function setThreshold(value, saying = "") {
  keepForUndo("threshold");
  state.threshold = value;
  return refresh(saying, true);
}
