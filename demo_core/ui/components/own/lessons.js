// One row a model: where it is, how it learns, and what it can do on items that were held out.
const CURVE = { width: 180, height: 34 };

function curveOf(values, top) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "polyline");
  for (const [name, value] of Object.entries({ ...CURVE, role: "img", "aria-label": `${values.length} epochs, now ${asPercent(values.at(-1))} per cent` })) {
    svg.setAttribute(name, value);
  }
  const step = CURVE.width / Math.max(values.length - 1, 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(CURVE.height - 3 - (value / top) * (CURVE.height - 6)).toFixed(1)}`);
  path.setAttribute("points", values.length > 1 ? points.join(" ") : `0,${points[0].split(",")[1]} 3,${points[0].split(",")[1]}`);
  svg.append(path);
  return svg;
}

function epochWords(lesson) {
  if (lesson.state === "waiting") return "waiting";
  if (!lesson.epochs) return lesson.state === "trained" ? "counted" : "counting";
  const done = lesson.curve.length;
  if (lesson.state === "trained") return `${done} of at most ${lesson.epochs}`;
  return running() ? `${done} of ${lesson.epochs}` : `broken off after ${done}`;
}

// With its standard error: so few people leave a wide margin.
function resultCells(lesson) {
  if (lesson.hit === null) return [""];
  const error = Math.sqrt((lesson.hit * (1 - lesson.hit)) / lesson.rows);
  const words = [node("b", {}, `${asPercent(lesson.hit)} %`), ` ± ${asPercent(error)}`];
  return lesson.problems.length ? [...words, node("span", { class: "ill" }, lesson.problems.join("; "))] : words;
}

function drawLessons() {
  const progress = told.progress, lessons = progress?.lessons ?? [];
  show(part("training"), Boolean(progress) && progress.state !== "idle");
  if (!progress || progress.state === "idle") return;
  const top = Math.max(...lessons.flatMap((lesson) => lesson.curve), 1e-9);
  const all = lessons.reduce((sum, lesson) => sum + lesson.epochs, 0);
  const done = lessons.reduce((sum, lesson) => sum + (lesson.state === "trained" ? lesson.epochs : lesson.curve.length), 0);
  part("training-title").textContent = `${progress.title}, ${timeWords(progress)}`;
  part("bar").value = progress.state === "done" ? 1 : all ? done / all : 0;
  keyed(part("lessons"), lessons, (lesson) => lesson.model, (lesson) => node("tr", { "data-model": lesson.model },
    node("th", { scope: "row" }, modelMark(lesson.model, 16), ` ${lesson.title}`), node("td"), node("td"), node("td")), (row, lesson) => {
    const [epochs, curve, result] = row.querySelectorAll("td");
    row.dataset.state = lesson.state;
    epochs.textContent = epochWords(lesson);
    curve.replaceChildren(...(lesson.curve.length ? [curveOf(lesson.curve, top), ` ${asPercent(Math.max(...lesson.curve))} %`] : []));
    result.replaceChildren(...resultCells(lesson));
  });
  const known = lessons.find((lesson) => lesson.rows);
  part("protocol").replaceChildren(...(known ? [`${known.protocol}: each person’s last ${noun}, ranked among all that are not in the history`,
    `${counted(known.rows, "people")}, one seed`, "± one standard error over people", "the epoch is chosen on validation"] : [])
    .map((text) => node("span", {}, text)));
}

function timeWords({ state, seconds, left }) {
  const time = (value) => (value < 90 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`);
  if (state === "running") return `${time(seconds)} so far${left === null ? "" : `, about ${time(left)} left`}`;
  return `${{ done: "trained in", stopped: "stopped after", failed: "broken off after" }[state]} ${time(seconds)}`;
}
