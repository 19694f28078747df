// Puts the parts together: one answer, one drawing.
const TREE_FROM = 980; // pixels; where there is less room, branches are a list
const isNarrow = () => roomFor(part("stage"), 0) < TREE_FROM && part("branches").parentNode.clientWidth < TREE_FROM + 40;

function drawTexts() {
  part("verdict").textContent = tree.verdict;
  part("reason").textContent = tree.reason;
  part("provenance").replaceChildren(...tree.caption.map((text) => node("span", {}, text)));
  show(part("datasets"), tree.datasets.length > 1);
  keyed(part("datasets"), tree.datasets, (one) => one.name, ({ name }) => {
    const button = node("button", { type: "button" });
    button.addEventListener("click", () => chooseData(name));
    return button;
  }, (button, { name, title }) => {
    button.textContent = title;
    button.setAttribute("aria-pressed", String(name === tree.dataset));
  });
  const sign = (fill) => markIcon({ shape: "circle", colour: "card", fill });
  part("legend").replaceChildren(...Object.entries(EVIDENCE).map(([fill, words]) => node("li", {}, sign(fill), words)),
    ...(isNarrow() ? [] : [["solid", "builds on"], ["dotted", "stands on, whole"]].map(([look, words]) => node("li", {}, node("i", { class: look }), words))));
}

function drawTable() {
  const heads = ["System", "Year", "Idea", "What it does", "What to know", "Paper", "Builds on", "Stands on", "Health", "Measured"];
  const figure = ({ source, metric, value, spread, protocol, origin }) => `${source}: ${metric} ${value} ${spread}, ${protocol} (${origin})`;
  const rows = tree.systems.map((one) => [one.title, yearOf(one), branchOf(one).title, one.does, one.know,
    one.paper ? [one.paper.citation, one.paper.title, one.paper.address].filter(Boolean).join(", ") : "", titlesOf([one.buildsOn].filter(Boolean)).join(""),
    oneOf(titlesOf(one.standsOn)), one.health, one.figures.map(figure).join("; ")]);
  part("table").replaceChildren(tableOf(heads, rows, [tree.reason, ...tree.caption].join(" · ")));
}

// All cards are tried once: the tree leaves as much room as the tallest needs, and nothing moves when another is chosen.
let roomKnown = "";
function measureRoom() {
  const key = `${part("stage").clientWidth} ${tree.dataset}`;
  if (key === roomKnown) return;
  roomKnown = key;
  const card = part("card"), scale = part("stage").clientWidth / WIDTH, first = placesOf(tree, 0);
  Object.assign(card.style, { width: `${first.card.width * scale}px`, height: "auto", left: "0", top: "0" });
  let tallest = 0;
  for (const system of tree.systems) {
    fillCard(system);
    tallest = Math.max(tallest, card.offsetHeight);
  }
  places = placesOf(tree, tallest / scale + 8);
  Object.assign(card.style, { left: `${places.card.left * scale}px`, top: `${places.card.top * scale}px`, height: `${places.card.height * scale}px` });
}

function drawChoice() {
  if (!tree || !element.offsetParent) return;
  if (isNarrow()) openChosen();
  else {
    fillCard(shownSystem());
    drawTree();
  }
}

function draw() {
  drawTexts();
  drawTable();
  if (!element.offsetParent) return;
  const narrow = isNarrow();
  show(part("stage"), !narrow);
  show(part("exports"), !narrow);
  show(part("branches"), narrow);
  if (narrow) return drawBranches();
  measureRoom();
  fillCard(shownSystem());
  drawTree(true);
  tellGrown();
}

function focusSystem(name) {
  const there = isNarrow() ? part("branches").querySelector(`[data-system="${CSS.escape(name)}"] summary`) : part("tree").querySelector(`[data-system="${CSS.escape(name)}"]`);
  there?.focus({ preventScroll: !isNarrow() });
}

// The view asks when it is first seen, and again when the address names another data set since.
whenSeen(() => {
  const before = JSON.stringify(chosen);
  readChoice();
  if (!tree || before !== JSON.stringify(chosen)) look();
});
whenWidthChanges(() => {
  if (tree) draw();
});
document.fonts.ready.then(() => {
  roomKnown = "";
  if (tree) draw();
});
exportButtons(part("exports"), { name: "turnpoint-family-tree", svg: () => part("tree"), caption: () => [tree.verdict, tree.reason, ...tree.caption],
  rows: () => tableRows(part("table").querySelector("table")), vega: treeChart });
readChoice();
