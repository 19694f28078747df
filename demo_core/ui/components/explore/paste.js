// People, pasted lists, clearing, and the ready histories of the empty page.
const pastePanel = part("paste-panel"), pasted = part("pasted"), pasteButton = part("paste");
part("paste-label").textContent = `${noun === "film" ? "Titles" : "Names"} or numbers, oldest first, one per line`
  + " or separated by commas.";

function openPaste(open) {
  const free = open || focusIsFree(pastePanel);
  show(pastePanel, open);
  pasteButton.setAttribute("aria-expanded", String(open));
  if (free) (open ? pasted : pasteButton).focus();
}

pasteButton.addEventListener("click", () => openPaste(pastePanel.hidden));
part("paste-close").addEventListener("click", () => openPaste(false));
pastePanel.addEventListener("keydown", (event) => {
  if (event.key === "Escape") openPaste(false);
});
// A small table of one history, one row an item, oldest first: the column that is called like a title or an id, else the first.
const LARGEST_FILE = 200_000, TITLE_COLUMNS = ["title", "name", "film", "movie", "item", "id", "item_id", "movieid", "movie_id"];

function cellsOf(line, mark) {
  const cells = [];
  for (const [, quoted, plain] of line.matchAll(new RegExp(`(?<=^|${mark})(?:"((?:[^"]|"")*)"|([^${mark}]*))(?=${mark}|$)`, "g"))) {
    cells.push((quoted ?? plain ?? "").replaceAll('""', '"').trim());
  }
  return cells;
}

function historyOf(text) {
  const rows = text.replace(/^\uFEFF/, "").split(/\r?\n/).filter((line) => line.trim());
  const mark = rows[0]?.includes("\t") ? "\t" : rows[0]?.includes(";") && !rows[0].includes(",") ? ";" : ",";
  const table = rows.map((line) => cellsOf(line, mark)), head = (table[0] ?? []).map((name) => name.toLowerCase());
  const column = TITLE_COLUMNS.map((name) => head.indexOf(name)).find((at) => at >= 0);
  return column === undefined ? table.map((row) => row[0]) : table.slice(1).map((row) => row[column] ?? "");
}

part("upload").addEventListener("change", async () => {
  const [file] = part("upload").files;
  part("upload").value = "";
  if (!file) return;
  if (file.size > LARGEST_FILE) {
    part("paste-problems").replaceChildren(node("li", {}, `${file.name} is larger than ${LARGEST_FILE / 1000} kB; expected one history, a row for each ${noun}.`));
    return;
  }
  pasted.value = historyOf(await file.text()).filter(Boolean).join("\n");
  pastePanel.requestSubmit();
});

pastePanel.addEventListener("submit", async (event) => {
  event.preventDefault();
  const mine = (wishes += 1), answer = await ask("parse", pasted.value).catch(() => null);
  if (mine !== wishes) return;
  const messages = answer ? answer.messages : ["The list was not read: no answer came. Try again."];
  part("paste-problems").replaceChildren(...messages.map((text) => node("li", {}, text)));
  if (!answer) return;
  if (answer.items.length) setHistory(answer.items, null, `${plural(answer.items.length, noun)} read.`);
  if (!messages.length) openPaste(false);
});

async function bring(kind) {
  const mine = (wishes += 1), seed = Math.floor(Math.random() * 2 ** 31);
  const person = await ask("person", { kind, seed }).catch(() => null);
  if (mine !== wishes) return;
  if (!person || person.error) showProblem(person?.error ?? NO_ANSWER_KEPT);
  else setHistory(person.items, person.next, `A person with ${plural(person.items.length, noun)}.`);
}

part("random").addEventListener("click", () => bring("random"));
part("real").addEventListener("click", () => bring("real"));
part("clear").addEventListener("click", () => {
  keepForUndo();
  Object.assign(state, { items: [], next: null, threshold: null });
  refresh("History cleared.");
  box.focus();
});

function readyLine(cosines) {
  const drawing = document.createElementNS(SVG, "svg");
  const fall = cosines.reduce((sum, cosine) => sum + 1 - cosine, 0) || 1;
  let x = 4, y = 6;
  const scale = Math.min(10, 40 / fall);
  const points = [`${x},${y}`, ...cosines.map((cosine) => `${(x += 18)},${(y += (1 - cosine) * scale).toFixed(1)}`)];
  const path = document.createElementNS(SVG, "polyline");
  for (const [name, value] of Object.entries({ width: x + 4, height: 52, "aria-hidden": true })) {
    drawing.setAttribute(name, value);
  }
  path.setAttribute("points", points.join(" "));
  drawing.append(path);
  return drawing;
}

part("ready").replaceChildren(...facts.ready.map((one) => node(
  "a",
  { href: linkWith(`items=${one.items.join(",")}&next=${one.next}`) },
  readyLine(one.cosines),
  node("b", {}, one.name),
  node("span", {}, `${plural(one.items.length, noun)}, ${mainTitle({ title: one.first })} to `
    + mainTitle({ title: one.last })),
)));
part("ready").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const one = facts.ready[[...link.parentNode.children].indexOf(link)];
  part("verdict").focus({ preventScroll: true }); // the link goes, the focus must not go with it
  setHistory(one.items.map((id) => ({ id })), { id: one.next }, `${one.name}.`);
});
