// What the visitor has chosen. The address bar holds the same, so that a link brings it back.
const facts = props.value;
const noun = facts.noun || "item";
const watched = noun === "film" ? "watched" : "chosen";
const state = { items: [], next: null, threshold: null, seed: 0 };
let answered = null; // the last answer drawn
let newest = 0, waiting = false;

function readAddress() {
  const query = new URLSearchParams(location.search);
  const id = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : text.slice(0, 40));
  state.items = (query.get("items") ?? "").split(",").map((text) => text.trim()).filter(Boolean)
    .map((text) => ({ id: id(text) }));
  state.next = query.get("next") ? { id: id(query.get("next")) } : null;
  state.threshold = query.get("threshold") ? Number(query.get("threshold")) : null;
  if (Number.isNaN(state.threshold)) state.threshold = null;
  state.seed = /^\d{1,10}$/.test(query.get("seed") ?? "") ? Number(query.get("seed")) : 0;
}

function writeAddress() {
  const address = new URL(location);
  const values = {
    items: state.items.map((item) => item.id).join(","),
    next: state.next?.id ?? "",
    threshold: state.threshold === null ? "" : decimal(state.threshold, 3),
    seed: state.seed || "",
  };
  for (const [name, value] of Object.entries(values)) {
    if (value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ","));
}

// Asks for the state as it is now. While one question is out, later ones wait as one; only the newest answer is drawn.
// `saying` is announced with the answer; `edited` marks a change small enough to compare the lists before and after.
async function refresh(saying = "", edited = false) {
  newest += 1;
  refresh.saying = saying;
  refresh.edited = edited;
  writeAddress();
  if (waiting) return;
  waiting = true;
  const slow = setTimeout(() => element.firstElementChild.classList.add("computing"), 300);
  let answer, asked;
  do {
    asked = newest;
    const { threshold, seed } = state;
    const items = state.items.map((item) => item.id), next = state.next?.id ?? null;
    answer = await server.look({ items, next, threshold, seed }).catch(() => null);
  } while (asked !== newest);
  waiting = false;
  clearTimeout(slow);
  element.firstElementChild.classList.remove("computing");
  if (answer) {
    state.items = answer.items;
    state.next = answer.next;
  }
  draw(answer ?? null, refresh.saying, refresh.edited);
}

function setHistory(items, next, saying) {
  state.items = items;
  state.next = next;
  return refresh(saying);
}

function add(item) {
  state.items = [...state.items, item];
  if (state.next?.id === item.id) state.next = null;
  return refresh(`${mainTitle(item)} added.`, true);
}

function removeAt(index) {
  if (index < 0) return null;
  const [gone] = state.items.slice(index, index + 1);
  state.items = state.items.filter((_, at) => at !== index);
  return refresh(`${gone.unknown ? gone.id : mainTitle(gone)} removed.`, true);
}

function move(from, to) {
  if (from < 0 || to < 0 || to >= state.items.length || from === to) return null;
  const items = [...state.items];
  const [moved] = items.splice(from, 1);
  items.splice(to, 0, moved);
  state.items = items;
  return refresh(`${moved.unknown ? moved.id : mainTitle(moved)} is now number ${to + 1} of ${items.length}.`, true);
}

function resetSettings() {
  state.threshold = null;
  state.seed = 0;
  return refresh("Settings as trained.");
}

function setThreshold(value, saying = "") {
  state.threshold = value;
  return refresh(saying, true);
}
