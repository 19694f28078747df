// Puts the parts together: one answer, one drawing.

function showProblem(text, remedy = "", apply = null) {
  const target = part("problem");
  target.replaceChildren(...(text ? [node("span", {}, text)] : []));
  if (remedy) {
    const button = node("button", { type: "button", class: "btn" }, remedy);
    button.addEventListener("click", () => {
      part("verdict").focus({ preventScroll: true });
      apply();
    });
    target.append(" ", button);
  }
  show(target, Boolean(text));
}

// Refused although every title is known: then it is the link's threshold or seed.
const settingsRefused = (view) => Boolean(view.error) && !facts.problem && (state.threshold !== null || state.seed !== 0)
  && ![...view.items, view.next].some((item) => item?.unknown);

function showAnswerProblem(view) {
  if (view === null) showProblem(NO_ANSWER_KEPT, "Try again", refresh);
  else if (settingsRefused(view)) showProblem(view.error, "Use the model's own settings", resetSettings);
  else showProblem(view.error);
}

const COUNTED = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"];
const countOf = ({ length }) => `${COUNTED[length]} ${length === 1 ? "list" : "lists"}`;

function drawTexts(view) {
  const { comparison } = view, route = comparison?.route, empty = !view.items.length;
  const star = view.next && comparison?.lists.some((one) => one.truth_rank !== null);
  part("verdict").textContent = route?.verdict ?? (facts.problem ? "No model could be loaded." : empty ? `Type ${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun} you like, or take a random person.`
    : comparison ? `${countOf(comparison.lists)} for this history.` : settingsRefused(view) ? "This link cannot be read."
      : "This history cannot be read.");
  part("reason").textContent = route?.reason ?? "";
  show(part("reason"), Boolean(route?.reason));
  const notes = comparison?.messages ?? [];
  part("notes").replaceChildren(...notes.map((text) => node("li", {
    class: star && text.startsWith(`${view.next.title} is `) ? "ranks" : null }, text)));
  show(part("notes"), notes.length > 0);
  const sources = comparison?.provenance ?? [];
  for (const name of ["provenance", "provenance-lists"]) {
    part(name).replaceChildren(...sources.map((text) => node("span", {}, text)));
  }
  show(part("provenance"), Boolean(route) && !empty);
  show(part("before"), empty && Boolean(comparison?.lists.some((one) => one.items.length)));
  part("before").textContent = `Before the first ${noun}, this is what each model shows to everybody:`;
}

function drawVisibility(view) {
  const route = view.comparison?.route, empty = !view.items.length;
  show(part("ready"), empty && facts.ready.length > 0);
  show(part("scroll"), !empty || Boolean(view.next));
  show(part("gauge-title"), Boolean(route) && route.pairs > 1);
  show(part("clear"), !empty);
  show(part("exports"), Boolean(route?.stations.length));
  part("undo").disabled = !past.length;
  part("redo").disabled = !future.length;
  element.firstElementChild.classList.toggle("no-route", !route);
}

function slidingNodes() {
  return [...chips.children, ...part("weights").children, ...part("drops").children,
    ...part("without").children, ...lists.querySelectorAll(".row")];
}

function drawAll(view, edited, previous) {
  drawVisibility(view);
  const layout = layoutOf(view), route = view.comparison?.route;
  placeParts(layout);
  drawTexts(view);
  drawChips(view, layout);
  drawWeights(view, layout);
  drawWithout(view, layout);
  drawRoute(view, layout);
  drawFlatGauge(route, layout);
  drawGaugeTexts(route);
  drawTable(route);
  drawLists(view, edited, previous);
}

// `view` null: no answer came; the last figure stays, greyed, with the chips as they are now.
function draw(view, saying = "", edited = false) {
  const previous = answered, lost = view === null;
  element.firstElementChild.classList.toggle("stale", lost);
  showAnswerProblem(view);
  if (lost) return;
  answered = view;
  glide(slidingNodes, () => drawAll(view, edited, previous));
  renewWhy(view);
  if (!previous) tellGrown(); // later answers move nothing under a hand
  if (saying) part("live").textContent = announcement(view, saying);
}

function announcement(view, saying) {
  if (view.error) return `${saying} ${view.error}`;
  const route = view.comparison.route, card = view.comparison.lists.find((one) => one.model === "card");
  const words = [saying];
  if (route && routed(route)) {
    words.push(`${route.outcome === "turning" ? "Turning" : "Stable"}, evenness ${evennessText(route.evenness)}.`);
  } else if (route) words.push(route.verdict);
  if (view.next && card?.truth_rank) words.push(`${mainTitle(view.next)} ${ordinal(card.truth_rank)} with CARD.`);
  return words.join(" ");
}

// Hover or focus on anything of one film lights its whole column.
function light(event) {
  const target = event.target.closest?.("[data-column]"), stripe = part("light");
  const lit = Boolean(target) && grid.contains(target) && !isPhone();
  show(stripe, lit);
  if (lit) stripe.style.gridColumn = Number(target.dataset.column) + 1;
}
grid.addEventListener("pointerover", light);
grid.addEventListener("focusin", light);
grid.addEventListener("pointerleave", () => show(part("light"), false));
grid.addEventListener("focusout", () => show(part("light"), false));

function isTyping(target) {
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
}
function shortcut(event) {
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) return event.shiftKey ? redo : undo;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (event.key === "/") return () => box.focus();
  if (!/^\d$/.test(event.key) || !answered) return null;
  const chip = chips.children[(Number(event.key) + 9) % 10]; // 1 to 9, and 0 for the tenth, as they are shown
  return () => chip && toggleAt(placeOf(chip));
}
document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || !element.offsetParent || document.querySelector("dialog[open]")) return;
  const action = shortcut(event);
  if (!action) return;
  event.preventDefault();
  action();
});
part("undo").addEventListener("click", undo);
part("redo").addEventListener("click", redo);
addEventListener("popstate", () => {
  readAddress();
  refresh();
});

whenWidthChanges(() => {
  if (answered) drawAll(answered, false, null);
});
// What was hidden has no size: a talk shows one part after the other.
document.addEventListener("turnpoint:shown", () => {
  if (answered && element.offsetParent) drawAll(answered, false, null);
});
document.fonts.ready.then(() => {
  if (answered) drawAll(answered, false, null);
});

exportButtons(part("exports"), { name: "turnpoint-line", svg: () => part("line"),
  caption: () => answered?.comparison?.provenance ?? [], rows: () => tableRows(part("table").querySelector("table")), vega: routeChart });

readAddress();
refresh().then(async () => {
  const found = await ask("honesty").catch(() => null);
  honesty = found?.seeds ? found : null;
  if (honesty && answered) drawWithout(answered, layoutOf(answered)); // nothing else moves under a hand
});
