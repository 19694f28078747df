// What is to be measured, and what has come. Results stay in this tab of the browser.
const noun = facts.noun || "item";
const wishes = { models: [], slice: "all", metric: "hr@10", lost: 0, seed: 0 };
const MOST_KEPT = 20;
let ran = wishes; // what the run that is shown was asked for
let progress = null, phase = "idle", started = 0;

function readWishes() {
  const query = new URLSearchParams(location.search), known = new Set(facts.models.map((model) => model.name));
  const models = (query.get("run") ?? "").split(",").filter((name) => known.has(name)).slice(0, 8);
  wishes.models = models.length ? models : facts.models.filter((model) => model.compared).map((model) => model.name);
  wishes.slice = facts.slices.some(([name]) => name === query.get("runslice")) ? query.get("runslice") : "all";
  wishes.metric = facts.metrics.includes(query.get("runmetric")) ? query.get("runmetric") : "hr@10";
  const lost = Math.round(Number(query.get("runlost")));
  wishes.lost = lost > 0 ? Math.min(lost, 60) / 100 : 0;
  const seed = Math.round(Number(query.get("runseed")));
  wishes.seed = seed > 0 ? seed : 0;
  return models.length > 0;
}

const addressOf = (asked) => ({ run: asked.models.join(","), runslice: asked.slice === "all" ? "" : asked.slice, runmetric: asked.metric,
  runlost: asked.lost ? Math.round(100 * asked.lost) : "", runseed: asked.seed || "" });

function keep(result) {
  const all = [{ ...result, name: facts.dataset, wishes: ran, at: new Date().toISOString() }, ...runsHere()].slice(0, MOST_KEPT);
  try {
    sessionStorage.setItem(RUNS_HERE, JSON.stringify(all));
  } catch {
    // without storage the result is there until the page goes
  }
  document.dispatchEvent(new CustomEvent("turnpoint:ran"));
}

function start() {
  ran = { ...wishes, models: [...wishes.models] };
  writeInAddress(addressOf(ran));
  progress = null;
  phase = "running";
  started = performance.now();
  draw("");
  const { models, slice, metric, lost, seed } = ran;
  stream("run_benchmark", [models, slice, metric, lost, seed, dataset], (part) => {
    progress = part;
    draw();
  }, (problem) => {
    phase = problem ? "broken" : "done";
    if (!problem && progress) keep(progress);
    draw(problem ?? "");
    if (!problem) part("live").textContent = part("verdict").textContent;
  });
}

// What is measured so far stays.
function stop() {
  cancelStream();
  phase = "stopped";
  if (progress) keep(progress);
  draw();
}
