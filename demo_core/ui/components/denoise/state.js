// What is asked, what came, and which step is shown.
const K = 10;
const noun = facts.noun || "item";
const settings = { steps: 10, guidance: null };
const shown = { model: "card", step: 0 };
let walks = new Map(); // model -> { model, frames: [frame, ...] }
let notes = null, phase = "empty", askedFor = "";

function readSettings() {
  const query = new URLSearchParams(location.search), number = (name) => Number(query.get(name));
  settings.steps = query.get("steps") && number("steps") >= 1 ? Math.min(Math.round(number("steps")), 50) : 10;
  settings.guidance = query.get("guidance") && number("guidance") >= 0 ? Math.min(number("guidance"), 6) : null;
}

function writeSettings() {
  writeInAddress({ steps: settings.steps === 10 ? "" : settings.steps, guidance: settings.guidance ?? "" });
}

const question = () => ({ ...historyInAddress(), ...settings });
const isAsked = () => askedFor === JSON.stringify(question());
const framesOf = (model) => walks.get(model)?.frames ?? [];
const lastStep = () => Math.max(0, ...[...walks.values()].map(({ frames }) => frames.length - 1));
const walking = () => [...walks.values()].filter(({ model }) => !model.error);

// For each frame, which of its films stay in the list from there to the end.
function stays(model) {
  const frames = framesOf(model);
  let kept = null;
  const found = [];
  for (let at = frames.length - 1; at >= 0; at -= 1) {
    const own = new Set(frames[at].items.map((item) => item.id));
    kept = kept === null ? own : new Set([...own].filter((id) => kept.has(id)));
    found[at] = kept;
  }
  return found;
}

// The first step from which the list holds the same films to the end.
function settledAt(model) {
  const kept = stays(model), size = framesOf(model).at(-1)?.items.length ?? 0;
  return kept.findIndex((set) => set.size === size);
}

// Steps come faster than they can be drawn: one by one, none would be seen before the last. So what came meanwhile is
// drawn together.
let due = 0;
function drawSoon() {
  due ||= requestAnimationFrame(() => {
    due = 0;
    draw();
    tellGrown();
  });
}

function take(part) {
  if (part.kind === "model") walks.set(part.model, { model: part, frames: [] });
  else if (part.kind === "frame") {
    walks.get(part.model).frames[part.step] = part;
    if (phase === "streaming") shown.step = lastStep();
  } else notes = part;
  drawSoon();
}

function run() {
  stopPlaying();
  writeSettings();
  askedFor = JSON.stringify(question());
  walks = new Map();
  notes = null;
  phase = "streaming";
  shown.step = 0;
  draw("");
  const { items, off, next, threshold, seed, steps, guidance } = question();
  stream("denoise", [items, null, steps, guidance, K, seed, threshold, next, off, dataset], take, (problem) => {
    phase = problem ? "broken" : "done";
    draw(problem);
    tellGrown();
    if (!problem) part("live").textContent = part("verdict").textContent;
  });
}

function stopRun() {
  cancelStream();
  phase = "stopped";
  draw();
}
