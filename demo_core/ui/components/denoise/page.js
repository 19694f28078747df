// Words, switches and controls around the figures.
function verdictOf() {
  const { items } = historyInAddress(), walk = walks.get(shown.model);
  if (!items.length && phase === "empty") return `Choose ${noun}s on Explore, and see here how their lists come about.`;
  if (!walk) return phase === "streaming" ? "The guesses start to walk …" : "No steps to show.";
  if (walk.model.error) return walk.model.error;
  const at = settledAt(shown.model), last = framesOf(shown.model).length - 1;
  if (phase === "streaming") return `${walk.model.title} is at step ${Math.max(last, 0)} of ${walk.model.steps}.`;
  if (phase === "stopped" || phase === "broken" || last < 0) return `Stopped at step ${Math.max(last, 0)}.`;
  if (at === 0) return `${walk.model.title}’s list stands before the first step.`;
  return `${walk.model.title}’s ${framesOf(shown.model).at(-1).items.length} ${noun}s are settled at step ${at} of ${last}.`;
}

function reasonOf() {
  const walk = walks.get(shown.model), { seed } = historyInAddress();
  if (!walk || walk.model.error) return "";
  const begin = walk.model.begins_with, noisy = begin === "noise";
  const start = noisy ? `${walk.model.title} starts at ✕, the same noise for every model that starts from noise (seed ${seed}).`
    : `${walk.model.title} starts at ✕, which is ${begin}, not noise.`;
  return `${start} Each step is its guess of the next ${noun}, and the ${noun}s nearest to the guess become the list.`;
}

function drawTexts(problem) {
  part("verdict").textContent = verdictOf();
  part("reason").textContent = reasonOf();
  if (problem !== undefined) {
    const target = part("problem");
    target.replaceChildren(...(problem ? [node("span", {}, `${problem} `), retryButton()] : []));
    show(target, Boolean(problem));
  }
  const walk = walks.get(shown.model);
  part("map-words").textContent = walk && !walk.model.error
    ? `${walk.model.title}’s ${noun} vectors in two dimensions (PCA, ${percent(walk.model.variance)} of the variance): a shadow, not a map`
    : "";
  part("list-words").textContent = walk ? walk.model.title : "";
  part("squares-words").textContent = `Each square is one ${noun} of the list at that step: full when it stays to the end`;
  part("remarks").replaceChildren(...(notes?.remarks ?? []).map((text) => node("li", {}, text)));
  part("provenance").replaceChildren(...(notes?.provenance ?? []).map((text) => node("span", {}, text)));
  const held = part("stop") === document.activeElement;
  show(part("stop"), phase === "streaming");
  if (held && phase !== "streaming") part("play").focus({ preventScroll: true });
}

function retryButton() {
  const button = node("button", { type: "button", class: "btn" }, "Try again");
  button.addEventListener("click", () => {
    part("verdict").focus({ preventScroll: true }); // the button goes
    run();
  });
  return button;
}

function drawModels() {
  keyed(part("models"), [...walks.values()], ({ model }) => model.model, ({ model }) => {
    const button = node("button", { type: "button" }, `${markOf(model.model).sign} ${model.title}`);
    button.addEventListener("click", () => {
      shown.model = model.model;
      draw();
    });
    return button;
  }, (button, { model }) => {
    button.setAttribute("aria-pressed", String(model.model === shown.model));
    button.title = model.error ?? "";
  });
}

function drawControls() {
  part("steps-input").value = settings.steps;
  part("steps-value").textContent = settings.steps;
  part("guidance-input").value = settings.guidance ?? 0;
  part("guidance-value").textContent = settings.guidance === null ? "as trained" : settings.guidance;
  drawPlay();
}

function drawTable() {
  const rows = framesOf(shown.model).map((frame) => [String(frame.step), `${frame.nearest.title} ${decimal(frame.likeness, 2)}`,
    frame.truth_rank === null ? "–" : frame.truth_rank.toLocaleString("en"), frame.items.map(fullTitle).join("; ")]);
  const heads = ["step", "guess is nearest to (cosine)", "rank of ★", "list"];
  part("table").replaceChildren(...(rows.length ? [tableOf(heads, rows, verdictOf())] : []));
}

function draw(problem) {
  if (phase !== "streaming" && walks.size && !walks.has(shown.model)) shown.model = walks.keys().next().value;
  drawTexts(problem);
  drawModels();
  drawControls();
  if (!element.offsetParent) return;
  drawStage();
  drawBump();
  drawSteps();
  drawTable();
}

const SOON = 250;
let waiting = 0;
for (const name of ["steps", "guidance"]) {
  const input = part(`${name}-input`);
  input.addEventListener("input", () => {
    settings[name] = Number(input.value);
    drawControls();
  });
  input.addEventListener("change", () => {
    writeSettings(); // whenever the view is seen, it reads them from the address
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (!isAsked()) run();
    }, SOON); // arrow keys change it step by step
  });
}
part("noise").addEventListener("click", () => {
  writeInAddress({ seed: Math.floor(Math.random() * 1e6) });
  dispatchEvent(new PopStateEvent("popstate")); // the lists on Explore come from the same noise
});
part("stop").addEventListener("click", stopRun);
document.addEventListener("keydown", (event) => {
  if (!element.offsetParent || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target instanceof Element && event.target.matches("input, textarea, select, [role='slider']");
  if (event.key === "k" && !typing) play();
  else if (event.key === " " && !typing && !event.target.closest?.("button, summary, a")) play();
  else if (typing) return;
  else if (event.key === "ArrowRight") showStep(shown.step + 1);
  else if (event.key === "ArrowLeft") showStep(shown.step - 1);
  else return;
  event.preventDefault();
});

// The tab was opened, or the history changed while it was closed.
whenSeen(() => {
  readSettings();
  if (isAsked()) draw();
  else run();
});
// Another history or other noise while it is open: a tour or a talk may bring the example later than the view stands.
addEventListener("popstate", () => {
  if (element.offsetParent && !isAsked()) run();
});
document.addEventListener("turnpoint:shown", () => draw());
// A talk comes here next: what it will show is computed before.
document.addEventListener("turnpoint:prepare", () => {
  if (element.offsetParent) return;
  readSettings();
  if (!isAsked()) run();
});
whenWidthChanges(draw);
const captionOf = () => [`${verdictOf()}${guidanceWords()}`, ...(notes?.provenance ?? [])];
exportButtons(part("exports-stage"), { name: "turnpoint-denoising-stage", svg: () => part("stage"), caption: captionOf, rows: stageTable, vega: stageChart });
exportButtons(part("exports-bump"), { name: "turnpoint-denoising-bump", svg: () => part("bump"), caption: captionOf,
  rows: () => tableRows(part("table").querySelector("table")), vega: settlingChart });

readSettings();
drawTexts();
