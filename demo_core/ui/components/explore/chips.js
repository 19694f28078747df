// The history as chips, one per film column. `layout` says where everything of one film stands.
const PHONE_ROWS = 3; // of one film: its chip, what CARD makes of it, the list without it
const GAUGE = 288, LEAST_COLUMN = 82, UNREAD_WINDOW = 10;
const CHIP_FRAME = 14, CHIP_TYPE = "700 13.5px"; // margins, borders and padding of chips.css, and its type
const chips = part("chips"), grid = part("grid");
const ruler = document.createElement("canvas").getContext("2d");

// Chips before the first one that is read are folded away, if the window ends there.
function foldedOf(view) {
  const total = view.items.length;
  let left = view.comparison ? view.comparison.dropped : Math.max(total - UNREAD_WINDOW, 0);
  if (!left) return 0;
  // Only up to the last one that is dropped: what is switched off after it can still be switched on.
  const last = view.items.findIndex((item) => !(view.comparison && item.off) && (left -= 1) === 0);
  return last < 0 ? total : last + 1;
}

function layoutOf(view) {
  const total = view.items.length, folded = foldedOf(view);
  const count = total - folded, columns = Math.max(count + 1, 6), width = part("scroll").clientWidth;
  const phone = isPhone();
  const column = phone ? 0 : Math.floor(Math.max(LEAST_COLUMN, (width - GAUGE) / columns));
  return { phone, count, columns, column, folded, width };
}

function place(target, row, column) {
  target.style.gridRow = row;
  target.style.gridColumn = column;
}

function placeParts(layout) {
  const { phone, count, columns, column } = layout, after = PHONE_ROWS * count + 1;
  grid.style.gridTemplateColumns = phone ? "" : `repeat(${columns}, ${column}px) ${GAUGE}px`;
  place(part("gauge-title"), phone ? after + 1 : 1, phone ? "1 / -1" : "-2 / -1");
  place(part("line"), phone ? `1 / ${Math.max(after, 2)}` : 2, phone ? "1" : "1 / -1");
  place(part("gauge"), phone ? after + 2 : 2, "1 / -1");
  place(part("weights-title"), phone ? after + 3 : 3, "1 / -1");
  place(part("without-title"), phone ? after + 6 : 6, "1 / -1");
  for (const [name, row] of [["weights-side", 4], ["drops-side", 5], ["without-side", 7]]) {
    place(part(name), phone ? after + row : row, phone ? "1 / -1" : "-2 / -1");
  }
}

const placeChip = (target, index, { phone }) => place(target, phone ? PHONE_ROWS * index + 1 : 1, phone ? "2 / -1" : index + 1);

// Under `key` a film is found again when others have moved.
function filmEntries(view) {
  const times = new Map();
  return view.items.map((item, at) => {
    const occurrence = (times.get(item.id) ?? 0) + 1;
    times.set(item.id, occurrence);
    return { item, at, occurrence, key: `${item.id}#${occurrence}` };
  });
}

function chipEntries(view, layout) {
  const stations = [...(view.comparison?.route?.stations ?? [])];
  const films = filmEntries(view).slice(layout.folded).map((entry, index) => ({ ...entry, index,
    station: entry.item.off ? undefined : stations.shift() }));
  if (view.next) films.push({ item: view.next, isNext: true, index: films.length, key: "next" });
  return films;
}

// The entries that have a station: one for each item that is read.
const readEntries = (view, layout) => chipEntries(view, layout).filter((entry) => entry.station);

// Where the film of a chip, or of a folded row, is in the history now: a change may be on its way that is not shown yet.
const placeOf = (shown) => filmEntries(state).findIndex(({ key }) => key === shown.dataset.key);

// A title is never cut: words that are too wide for the chip get places where they may break.
function fitted(title, { phone, column }) {
  if (phone) return title;
  ruler.font = `${CHIP_TYPE} ${getComputedStyle(chips).fontFamily}`;
  const tooWide = (word) => ruler.measureText(word).width > column - CHIP_FRAME;
  return title.split(/(?<=[-/ ])/).map((word) => (tooWide(word.trim()) ? breakable(word) : word)).join("")
    .replaceAll("/", "/\u200B");
}

function makeChip() {
  return node("li", { class: "chip" },
    node("div", { class: "head" }, node("span", { class: "number" }), node("span", { class: "turn", "aria-hidden": true }),
      node("button", { type: "button", class: "toggle", role: "switch", tabindex: "-1" }, node("i"))),
    node("button", { type: "button", class: "name" }),
    node("div", { class: "under" }, node("small", {}),
      node("button", { type: "button", class: "remove", tabindex: "-1" }, "×")));
}

function updateChip(chip, { item, index, at, occurrence, station, isNext }, layout) {
  const [head, name, under] = chip.children, [number, turn, toggle] = head.children, [small, remove] = under.children;
  const turning = Boolean(station?.candidate);
  chip.className = `chip${isNext ? " next" : ""}${turning ? " turning" : ""}${item.unknown ? " unknown" : ""}${item.off ? " off" : ""}`;
  chip.dataset.at = isNext ? "next" : at;
  chip.dataset.column = index;
  number.textContent = isNext ? "★ next" : String(index + 1);
  turn.textContent = turning ? "◆" : "";
  name.textContent = item.unknown ? String(item.id) : fitted(mainTitle(item), layout);
  name.title = item.unknown ? "" : fullTitle(item);
  name.tabIndex = chip.dataset.at === roving ? 0 : -1;
  const notes = item.unknown ? ["Not in this catalogue"] : [item.year ? String(item.year) : ""];
  if (!isNext && occurrence > 1) notes.push(`${ordinal(occurrence)} time`);
  if (isNext && !item.unknown) notes.push("hidden from the models");
  if (item.off) notes.push("switched off");
  small.replaceChildren(...notes.filter(Boolean).flatMap((text, line) => (line ? [node("br"), text] : [text])));
  const said = item.unknown ? `${item.id}, not in this catalogue` : fullTitle(item);
  name.setAttribute("aria-label", isNext ? `${said}, really ${watched} next`
    : `${index + 1}: ${said}${turning ? ", below-average step" : ""}${occurrence > 1 ? `, ${ordinal(occurrence)} time` : ""}`
      + (item.off ? ", switched off" : ""));
  name.setAttribute("aria-description", isNext ? "" : "Space switches it off or on, Enter replaces it, "
    + "Alt and left or right moves it, Delete removes it");
  show(toggle, !isNext && !item.unknown);
  toggle.setAttribute("aria-checked", String(!item.off));
  toggle.setAttribute("aria-label", `${said} is read`);
  remove.setAttribute("aria-label", isNext ? "Forget the next one" : `Remove ${said}`);
}

let roving = "0";

function drawChips(view, layout) {
  const entries = chipEntries(view, layout), stops = entries.map((entry) => (entry.isNext ? "next" : String(entry.at)));
  if (!stops.includes(roving)) roving = stops.at(-1) ?? "0";
  keyed(chips, entries, (entry) => entry.key, makeChip, (chip, entry) => {
    updateChip(chip, entry, layout);
    placeChip(chip, entry.index, layout);
  });
  const older = part("older");
  show(older, layout.folded > 0);
  part("older-title").textContent = `${layout.folded} earlier ${layout.folded === 1 ? noun : `${noun}s`}`;
  keyed(part("older-items"), filmEntries(view).slice(0, layout.folded), (entry) => entry.key,
    () => node("li", {}, node("span"), node("button", { type: "button", class: "remove" }, "×")),
    (row, { item }) => {
      row.firstChild.textContent = item.unknown ? `${item.id} (not in this catalogue)` : fullTitle(item);
      row.lastChild.setAttribute("aria-label", `Remove ${row.firstChild.textContent}`);
    });
}

function focusChip(index) {
  const target = chips.children[Math.max(0, Math.min(index, chips.children.length - 1))];
  if (!target) return box.focus();
  roving = target.dataset.at;
  for (const chip of chips.children) chip.querySelector(".name").tabIndex = chip === target ? 0 : -1;
  return target.querySelector(".name").focus();
}

async function removeChip(chip) {
  const index = [...chips.children].indexOf(chip), held = chip.contains(document.activeElement);
  if (chip.dataset.at === "next") await forgetNext();
  else await removeAt(placeOf(chip));
  if (held && focusIsFree(chips)) focusChip(index);
}

async function removeOlder(row) {
  const rows = part("older-items").children, index = [...rows].indexOf(row), held = row.contains(document.activeElement);
  await removeAt(placeOf(row));
  if (held && focusIsFree(part("older"))) (rows[Math.min(index, rows.length - 1)]?.querySelector(".remove") ?? chips.querySelector(".name") ?? box).focus();
}

chips.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (event.target.closest(".remove")) removeChip(chip);
  else if (event.target.closest(".toggle")) toggleAt(placeOf(chip));
});
chips.addEventListener("dblclick", (event) => {
  const chip = event.target.closest(".name")?.closest(".chip");
  if (chip && chip.dataset.at !== "next") startReplacing(placeOf(chip));
});
part("older-items").addEventListener("click", (event) => {
  const row = event.target.closest(".remove")?.closest("li");
  if (row) removeOlder(row);
});
chips.addEventListener("focusin", (event) => {
  const chip = event.target.closest(".chip");
  if (chip) roving = chip.dataset.at;
});
chips.addEventListener("keydown", (event) => {
  const chip = event.target.closest(".chip"), index = [...chips.children].indexOf(chip);
  const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  if (step && event.altKey && chip.dataset.at !== "next") {
    const from = placeOf(chip), to = from + step;
    if (to >= 0 && to < state.items.length) roving = String(to);
    move(from, to);
  } else if (step) focusChip(index + step);
  else if (event.key === "Delete" || event.key === "Backspace") removeChip(chip);
  else if (chip.dataset.at === "next") return;
  else if (event.key === " ") toggleAt(placeOf(chip));
  else if (event.key === "Enter" && event.target.matches(".name")) startReplacing(placeOf(chip));
  else return;
  event.preventDefault();
});
