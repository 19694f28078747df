// Words and controls around the figures.
function verdictOf() {
  const { items, off } = historyInAddress();
  if (!items.length) return `Choose ${noun}s on Explore, and see here what becomes of the lists when some are missing.`;
  if (!answer) return waiting ? "One moment …" : "Nothing to show.";
  const touched = answer.items.filter((entry) => entry.lost || entry.position === null).length, total = items.length - off.length;
  const kept = answer.lists.filter((one) => !one.error).map((one, at) => (at ? `${one.title} ${stay(one)}`
    : `${one.title} keeps ${stay(one)} of its ${size()}`));
  const first = lab.kind === "lost" ? `Without ${touched} of ${plural(total, noun)}` : `With ${plural(touched, `foreign ${noun}`)} added`;
  return `${first}, ${kept.slice(0, -1).join(", ")}${kept.length > 1 ? " and " : ""}${kept.at(-1) ?? "nothing is left"}.`;
}
const stay = (one) => one.kept.filter(Boolean).length;

function reasonOf() {
  const share = Math.round(100 * lab.share);
  const what = lab.kind === "lost" ? `Each ${noun} is lost with a chance of ${share} %.`
    : `After each ${noun}, a random one follows with a chance of ${share} %.`;
  return facts.excludes ? `${what} Lists leave out the history as it was.` : what;
}

const WORDS = { kinds: [["lost", () => `${title(noun)}s lost`], ["added", () => `${title(noun)}s added`]],
  subjects: [[false, () => "this history"], [true, () => "a sample of people"]],
  measures: [["kept", () => "what stays"], ["found", () => "★ in the list"]] };
const FIELDS = { kinds: "kind", subjects: "people", measures: "measure" };
const title = (word) => word[0].toUpperCase() + word.slice(1);

function drawChoices() {
  for (const [name, choices] of Object.entries(WORDS)) {
    keyed(part(name), choices, ([value]) => value, ([value]) => {
      const button = node("button", { type: "button" });
      button.addEventListener("click", () => choose(name, value));
      return button;
    }, (button, [value, words]) => {
      button.textContent = words();
      button.setAttribute("aria-pressed", String(lab[FIELDS[name]] === value));
      button.disabled = value === "found" && !hasTruth();
    });
  }
}

function choose(name, value) {
  lab[FIELDS[name]] = value;
  if (!hasTruth()) lab.measure = "kept";
  if (name === "measures") draw();
  else look();
}

function draw(problem) {
  if (!hasTruth()) lab.measure = "kept";
  part("verdict").textContent = verdictOf();
  part("reason").textContent = historyInAddress().items.length ? reasonOf() : "";
  if (problem !== undefined) {
    part("problem").textContent = problem;
    show(part("problem"), Boolean(problem));
  }
  part("share-words").textContent = `${title(noun)}s ${lab.kind}`;
  part("share-value").textContent = percent(lab.share);
  part("share").value = Math.round(100 * lab.share);
  if (document.activeElement !== part("draw")) part("draw").value = lab.draw;
  part("line-words").textContent = "grey: the whole history; ink: what is read now. It falls by 1 − cosine at every step";
  part("lists-words").textContent = `each square is one ${noun} of the whole list: full stays, empty goes`;
  part("provenance").replaceChildren(...(answer?.provenance ?? []).map((text) => node("span", {}, text)));
  drawChoices();
  if (!element.offsetParent) return;
  drawLine();
  drawFilms();
  drawLists();
  drawCurve();
}

part("share").addEventListener("input", () => {
  lab.share = Number(part("share").value) / 100;
  look();
});
part("draw").addEventListener("change", () => {
  lab.draw = Math.min(Math.max(Math.round(Number(part("draw").value)) || 0, 0), 2 ** 31 - 1);
  look();
});
part("again").addEventListener("click", () => {
  lab.draw = (lab.draw + 1) % 2 ** 31;
  look();
});

// The tab was opened, or the history changed while it was closed.
whenSeen(() => {
  if (askedFor !== JSON.stringify(historyInAddress())) look();
  else draw();
});
whenWidthChanges(draw);
const captionOf = () => [`${verdictOf()} ${percent(lab.share)} ${lab.kind}, draw ${lab.draw}`, ...(answer?.provenance ?? [])];
exportButtons(part("exports-line"), { name: "turnpoint-missing-line", svg: () => part("line"), caption: captionOf, rows: lineTable, vega: linesChart });
exportButtons(part("exports-curve"), { name: "turnpoint-missing-curve", svg: () => part("curve"), caption: captionOf,
  rows: () => tableRows(part("table").querySelector("table")), vega: curveChart });

readLab();
draw();
