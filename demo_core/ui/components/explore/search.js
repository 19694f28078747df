// The search box: a combobox with a list of suggestions. The input is never made anew, so it keeps its focus.
const box = part("search"), list = part("suggestions"), searchNote = part("search-note");
let found = [], foundFor = "", active = -1, typing = 0, lookup = 0; // `foundFor`: what was typed when they were asked for

const PLACEHOLDER = noun === "film" ? "Type a film title, e.g. “matrix”" : `Type ${noun} names or numbers, e.g. “17”`;
box.placeholder = PLACEHOLDER;
box.setAttribute("aria-label", `Search a ${noun}`);

// The suggestions are those for what stands in the box now.
const isCurrent = () => found.length > 0 && foundFor === box.value.trim();

// What is still asked for does not open it again.
function closeSuggestions() {
  clearTimeout(typing);
  lookup += 1;
  found = [];
  active = -1;
  show(list, false);
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function setActive(index) {
  active = index;
  [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
  list.children[active]?.scrollIntoView({ block: "nearest" });
  if (active >= 0) box.setAttribute("aria-activedescendant", `explore-option-${active}`);
  else box.removeAttribute("aria-activedescendant");
}

function popularityBars(item) {
  const name = `popularity ${item.popularity} of 4`;
  const bars = node("span", { class: "popularity", role: "img", "aria-label": name, title: name });
  for (let bar = 1; bar <= 4; bar += 1) bars.append(node("i", { class: bar <= item.popularity ? "on" : null }));
  return bars;
}

function suggestionRow({ item, near_miss: near }, index) {
  const title = node("span", { class: "what" });
  if (near) title.append("Did you mean ", node("b", {}, `“${item.title}”`), "?");
  else title.append(node("b", {}, item.title));
  if (item.year) title.append(" ", node("small", {}, String(item.year)));
  const genres = item.genres.join(", ");
  if (genres) title.append(node("small", { class: "genres" }, genres));
  return node("li", { role: "option", id: `explore-option-${index}`, "aria-selected": "false" }, title,
    popularityBars(item));
}

function showSuggestions(answer, query) {
  found = answer?.suggestions ?? [];
  foundFor = query;
  list.replaceChildren(...found.map(suggestionRow));
  show(list, found.length > 0);
  box.setAttribute("aria-expanded", String(found.length > 0));
  setActive(found.length ? 0 : -1);
  const message = answer ? answer.message : "The search did not answer. Try again.";
  searchNote.textContent = message ?? "";
  show(searchNote, Boolean(message));
}

async function suggest() {
  clearTimeout(typing);
  const query = box.value.trim(), mine = (lookup += 1);
  if (!query) {
    closeSuggestions();
    show(searchNote, false);
    return;
  }
  const answer = await ask("search", query).catch(() => null);
  if (mine === lookup) showSuggestions(answer ?? null, query);
}

// While a place is being replaced, the next choice goes there instead of to the end.
let replacing = null;

function startReplacing(index) {
  if (!state.items[index]) return;
  replacing = index;
  box.placeholder = `In place of ${nameOf(state.items[index])}: type a ${noun}`;
  box.focus();
}

function stopReplacing() {
  replacing = null;
  box.placeholder = PLACEHOLDER;
}

function choose(index) {
  const { item } = found[index], place = replacing;
  box.value = "";
  closeSuggestions();
  stopReplacing();
  show(searchNote, false);
  if (focusIsFree(part("field"))) box.focus();
  // A page without a server has no answers for another history: it takes the item over, and tells what it knows of it.
  const mine = element.dispatchEvent(new CustomEvent("turnpoint:picked", { detail: item, bubbles: true, cancelable: true }));
  if (!mine) return;
  if (place === null) add(item);
  else replaceAt(place, item);
}

let entered = null; // which lookup Enter waits for: its film is taken, whoever has left the box since

function leaveBox() {
  if (document.activeElement === box || entered === lookup) return;
  closeSuggestions();
  stopReplacing();
}

// Suggestions for fewer letters are not what was meant; a near miss is taken only once it has been seen.
async function chooseTyped() {
  const answer = suggest(), mine = (entered = lookup);
  await answer;
  if (mine !== lookup) return;
  entered = null;
  if (isCurrent() && !found[0].near_miss) choose(0);
  else leaveBox();
}

box.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(suggest, 60);
});
box.addEventListener("keydown", (event) => {
  const last = found.length - 1;
  if (event.key === "ArrowDown" && found.length) setActive(active >= last ? 0 : active + 1);
  else if (event.key === "ArrowUp" && found.length) setActive(active <= 0 ? last : active - 1);
  else if (event.key === "Enter") {
    if (isCurrent() || active > 0) choose(active);
    else chooseTyped();
  } else if (event.key === "Escape") {
    closeSuggestions();
    stopReplacing();
  }
  else return;
  event.preventDefault();
});
box.addEventListener("blur", () => setTimeout(leaveBox, 120));
list.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  const option = event.target.closest("li");
  if (option) choose([...list.children].indexOf(option));
});
