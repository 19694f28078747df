// The path of the guess as Vega-Lite; where the chart is alive, a slider goes through the steps.
const STAGE_VIEW = { width: 560, height: 420 }, SHOWN_STEP = "shown_step";
const CROSS = "M-1-1L1 1M1-1L-1 1";

const stepSlider = (last) => ({ name: SHOWN_STEP, value: Math.min(shown.step, last),
  bind: { input: "range", min: 0, max: last, step: 1, name: "step " } });

const guidanceWords = () => (settings.guidance === null ? "" : ` Guidance ${settings.guidance}.`);

// A step to the right is as long as one up: distances would lie otherwise.
function domainsOf(points) {
  const ends = [0, 1].map((axis) => [Math.min, Math.max].map((end) => end(...points.map((point) => point[axis]))));
  const sizes = [STAGE_VIEW.width, STAGE_VIEW.height];
  const pixel = Math.max(...ends.map(([low, high], axis) => (high - low || 1) / (sizes[axis] - 2 * MARGIN)));
  return ends.map(([low, high], axis) => [-1, 1].map((side) => (low + high) / 2 + (side * pixel * sizes[axis]) / 2));
}

function stageScales([across, up]) {
  const scaled = (field, domain, title) => amount(field, { scale: { domain, nice: false, zero: false },
    axis: axisOf(title, { tickCount: 5 }) });
  return { x: scaled("x", across, "first principal component"), y: scaled("y", up, "second principal component") };
}

function aroundLayers({ around, history }) {
  const [ink, panel, line2] = ["ink", "panel", "line2"].map(lightColour), numbers = filmNumbers(history.length);
  const data = { values: history.map(([x, y], index) => ({ number: numbers[index], x, y })) };
  const tooltip = [told("number", `${noun} of the history`), told("x", "first component", ".3f"), told("y", "second component", ".3f")];
  return [
    { data: { values: around.map(([x, y]) => ({ x, y })) }, ...layerOf("circle", { size: 18, opacity: 0.45, color: line2 }, {}) },
    { data, ...layerOf("line", { color: ink, strokeWidth: 1.4, opacity: 0.55 }, { order: { field: "number" } }) },
    { data, ...layerOf("point", { size: 330, fill: panel, stroke: ink, strokeWidth: 1.6 }, { tooltip }) },
    { data, ...layerOf("text", { fontWeight: "bold" }, { text: nominal("number") }) },
  ];
}

function pathLayers(last, colour, middle) {
  const [ink, panel] = ["ink", "panel"].map(lightColour), here = `datum.step == ${SHOWN_STEP}`;
  const tooltip = [told("model", "model"), told("step", "step"), told("nearest", "nearest"), told("cosine", "cosine", ".2f"),
    told("true_rank_words", "rank of ★")];
  const line = (test, look) => layerOf("line", { color: colour, strokeCap: "round", strokeJoin: "round", ...look },
    { order: { field: "step" } }, [only(test)]);
  const dot = (test, look) => layerOf("point", look, { tooltip }, [only(test), wordsOf("true_rank", ",")]);
  const words = { calculate: "datum.step ? 'near ' + datum.nearest_name + ' ' + format(datum.cosine, '.2f') : 'start'", as: "words" };
  const near = (test, side) => haloed(layerOf("text", { fontSize: 15, fontWeight: "bold", dy: -14, ...side }, { text: nominal("words") },
    [only(`${here} && ${test}`), words]));
  return [
    line(`datum.step >= ${SHOWN_STEP}`, { strokeWidth: 2.5, strokeDash: [1, 6] }),
    dot(`datum.step == ${last} && datum.step > ${SHOWN_STEP}`, { size: 110, fill: panel, stroke: colour, strokeWidth: 2.4 }),
    line(`datum.step <= ${SHOWN_STEP}`, { strokeWidth: 4.5 }),
    dot(`datum.step > 0 && datum.step < ${SHOWN_STEP}`, { size: 38, fill: colour, strokeWidth: 0 }),
    dot("datum.step == 0", { shape: CROSS, size: 290, stroke: ink, strokeWidth: 4.5, strokeCap: "round" }),
    dot(`datum.step > 0 && ${here}`, { size: 420, fill: colour, stroke: panel, strokeWidth: 2.4 }),
    ...near(`datum.x <= ${middle}`, { align: "left", dx: 18 }), ...near(`datum.x > ${middle}`, { align: "right", dx: -18 }),
  ];
}

// Where every model's guess is after each step; each model has a plane of its own.
function stageTable() {
  const heads = ["model", "step", "first component", "second component", `nearest ${noun}`, "cosine", "rank of the next one"];
  return [heads, ...walking().flatMap(({ model, frames }) => frames.map(({ step, place, nearest, likeness, truth_rank }) =>
    [model.title, step, ...place, fullTitle(nearest), likeness, truth_rank ?? ""]))];
}

function stageChart() {
  const walk = walks.get(shown.model), frames = framesOf(shown.model), last = frames.length - 1;
  if (!walk || walk.model.error || !frames.length) return null;
  const { around, history, model, title, variance } = walk.model;
  const domains = domainsOf([...around, ...history, ...frames.map((frame) => frame.place)]);
  const values = frames.map(({ step, place: [x, y], nearest, likeness, truth_rank }) => ({ model: title, step, x, y,
    nearest: fullTitle(nearest), nearest_name: mainTitle(nearest), cosine: likeness, true_rank: truth_rank }));
  return {
    title: `Where the guess travels: ${title}’s ${noun} vectors in two dimensions (PCA, ${percent(variance)} of the variance)`,
    note: reasonOf().replace("✕", "×") + guidanceWords(), // few fonts have the other cross
    ...STAGE_VIEW, params: [stepSlider(last)], data: { values }, encoding: stageScales(domains),
    layer: [...aroundLayers(walk.model), ...pathLayers(last, lightMark(model), (domains[0][0] + domains[0][1]) / 2)],
  };
}
