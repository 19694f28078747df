// Words and wishes around the chart.
const metricTitle = (metric) => metric.toUpperCase();
const sliceTitle = (name) => facts.slices.find(([known]) => known === name)?.[1] ?? name;

function verdictOf() {
  if (!progress) return phase === "running" ? "The first people are being measured …" : "Measure the models yourself, on people whose next choice is known.";
  const known = progress.rows.filter((row) => row.mean !== null).sort((a, b) => b.mean - a.mean);
  if (!known.length) return "No model could be measured.";
  const best = known.map((row) => `${row.title} ${asPercent(row.mean)} %`).join(", ");
  const people = `${progress.done} of ${progress.total} people`;
  return `${metricTitle(progress.metric)} over ${people}: ${best}.`;
}

function reasonOf() {
  if (!progress) return `${sliceTitle(wishes.slice)}. Each person’s next ${noun} is ranked among all${facts.excludes ? " that are not in the history" : `, those in the history too`}.`;
  const lost = progress.lost ? ` ${Math.round(100 * progress.lost)} % of every history went missing at random.` : "";
  return `${sliceTitle(progress.slice)}.${lost} So few people: a difference within the error bars may be chance.`;
}

function estimateWords() {
  if (phase === "running" && progress) {
    const each = (performance.now() - started) / progress.done, left = Math.ceil((each * (progress.total - progress.done)) / 1000);
    return `about ${left} s left`;
  }
  const people = facts.slices.find(([name]) => name === wishes.slice)?.[2] ?? 0;
  return phase === "running" ? "" : `about ${Math.max(1, Math.ceil((people * wishes.models.length * facts.milliseconds) / 1000))} s on this machine, ${people} people`;
}

function drawForm() {
  keyed(part("models"), facts.models, (model) => model.name, (model) => {
    const box = node("input", { type: "checkbox", value: model.name });
    box.addEventListener("change", () => {
      const chosen = facts.models.filter(({ name }) => part("models").querySelector(`[value="${name}"]`).checked);
      if (chosen.length) wishes.models = chosen.map(({ name }) => name).slice(0, 8);
      draw();
    });
    return node("label", {}, box, ` ${model.title}`);
  }, (label, model) => {
    label.querySelector("input").checked = wishes.models.includes(model.name);
  });
  for (const name of ["slice", "metric", "lost"]) part(name).value = String(wishes[name]);
  if (document.activeElement !== part("seed")) part("seed").value = wishes.seed;
  for (const each of part("form").querySelectorAll("input, select")) each.disabled = phase === "running";
  const held = [part("start"), part("stop")].includes(document.activeElement);
  show(part("start"), phase !== "running");
  show(part("stop"), phase === "running");
  if (held) part(phase === "running" ? "stop" : "start").focus({ preventScroll: true });
  part("estimate").textContent = estimateWords();
}

function drawResult() {
  show(part("result"), Boolean(progress));
  if (!progress) return;
  part("chart-title").textContent = `${metricTitle(progress.metric)}, %, ${sliceTitle(progress.slice).toLowerCase()}; the line is one standard error`;
  part("progress").value = progress.done / progress.total;
  const rows = progress.rows.map((row) => [row.title, row.preset ?? "–", row.mean === null ? "–" : asPercent(row.mean),
    row.standard_error === null ? "–" : asPercent(row.standard_error), row.milliseconds === null ? "–" : row.milliseconds.toFixed(1)]);
  const heads = ["model", "preset", `${metricTitle(progress.metric)}, %`, "standard error", "ms a person"];
  part("table").replaceChildren(tableOf(heads, rows));
  part("provenance").replaceChildren(...captionOf().map((text) => node("span", {}, text)));
  if (element.offsetParent) drawChart();
}

const captionOf = () => (progress ? [`Run here: ${progress.done} of ${progress.total} people, ${sliceTitle(progress.slice).toLowerCase()}${progress.lost ? `, ${percent(progress.lost)} of every history lost` : ""}, seed ${progress.seed}`, ...progress.provenance] : []);

function drawKept() {
  const all = runsHere().filter((one) => one.name === facts.dataset);
  show(part("kept"), all.length > 0);
  keyed(part("kept-list"), all, (one) => one.at, () => node("li", {}), (line, one) => {
    const address = new URL(location);
    for (const [name, value] of Object.entries({ ...addressOf(one.wishes), view: "run" })) {
      if (value === "") address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    const known = one.rows.filter((row) => row.mean !== null).map((row) => `${row.title} ${asPercent(row.mean)}`);
    line.replaceChildren(node("a", { href: address.href.replaceAll("%2C", ",") },
      `${metricTitle(one.metric)}, ${sliceTitle(one.slice).toLowerCase()}${one.lost ? `, ${Math.round(100 * one.lost)} % lost` : ""}, seed ${one.seed}`),
    ` ${known.join(", ")} (${one.done} of ${one.total} people)`);
  });
}

function draw(problem) {
  part("verdict").textContent = verdictOf();
  part("reason").textContent = reasonOf();
  if (problem !== undefined) {
    part("problem").textContent = problem;
    show(part("problem"), Boolean(problem));
  }
  drawForm();
  drawResult();
  drawKept();
}

const commandOf = () => `python -m scripts.run_benchmark --dataset ${facts.dataset} --models ${ran.models.join(" ")} --slice ${ran.slice}`
  + ` --metric ${ran.metric} --lost ${ran.lost} --seed ${ran.seed}`;

part("slice").append(...facts.slices.map(([name, title, people]) => node("option", { value: name }, `${title} (${people})`)));
part("metric").append(...facts.metrics.map((metric) => node("option", { value: metric }, metricTitle(metric))));
part("lost").append(...[0, 0.1, 0.2, 0.3, 0.5].map((share) => node("option", { value: share }, share ? percent(share) : "nothing")));
part("slice").addEventListener("change", () => {
  wishes.slice = part("slice").value;
  draw();
});
part("metric").addEventListener("change", () => {
  wishes.metric = part("metric").value;
  draw();
});
part("lost").addEventListener("change", () => {
  wishes.lost = Number(part("lost").value);
  draw();
});
part("seed").addEventListener("change", () => {
  wishes.seed = Math.min(Math.max(Math.round(Number(part("seed").value)) || 0, 0), 2 ** 31 - 1);
  draw();
});
part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
part("stop").addEventListener("click", stop);
part("json").addEventListener("click", () => save("turnpoint-run.json", JSON.stringify(progress, null, 1), "application/json"));
part("command").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(commandOf());
    part("live").textContent = "Command copied.";
    part("command").textContent = "Copied";
    setTimeout(() => {
      part("command").textContent = "Copy the command";
    }, 2000);
  } catch {
    prompt("The same run as a command:", commandOf());
  }
});
exportButtons(part("exports"), { name: "turnpoint-run", svg: () => part("chart"), caption: captionOf,
  rows: () => tableRows(part("table").querySelector("table")), vega: runChart });

// A link to a result runs it again, once the view is seen; by then something else may be ticked, and that stays.
let linked = readWishes();
whenSeen(() => {
  if (linked && phase === "idle") start();
  linked = false;
  draw();
});
whenWidthChanges(draw);
draw();
