// The run as Vega-Lite: shares from 0 to 1, shown in per cent, and one standard error to either side.
const RUN_WIDTH = 480;

function runRows() {
  const { metric, done, lost, seed } = progress;
  return progress.rows.map(({ model, title, preset, mean, standard_error, milliseconds, error }) => ({
    model: title, preset, metric, mean, standard_error, people: done, lost, seed, milliseconds, colour: lightMark(model),
    low: mean === null ? null : Math.max(mean - (standard_error ?? 0), 0), high: mean === null ? null : mean + (standard_error ?? 0),
    problem: mean === null ? error ?? "nothing yet" : "",
  }));
}

function valueWords() {
  const value = "format(100 * datum.mean, '.1f')", error = "' ± ' + format(100 * datum.standard_error, '.1f')";
  return { calculate: `isValid(datum.standard_error) ? ${value} + ${error} : ${value}`, as: "value" };
}

function runLayers(name, top) {
  const scale = { domain: [0, top], nice: false }, color = nominal("colour", { scale: null });
  const measured = only("isValid(datum.mean)");
  const axis = axisOf(name, { grid: true, domain: false, ticks: false, tickCount: 6, format: "~%" });
  const tooltip = [told("model", "model"), told("preset", "preset"), told("mean", name, ".2%"), told("standard_error_words", "standard error"),
    told("milliseconds_words", "ms a person")];
  return [
    layerOf("rule", { strokeWidth: 3 }, { x: amount("low", { scale, axis }), x2: { field: "high" }, color }, [measured]),
    layerOf("point", { size: 320, fill: lightColour("panel"), strokeWidth: 3, strokeDash: [4, 3] },
      { x: amount("mean"), stroke: color, tooltip }, [measured, wordsOf("standard_error", ".2%"), wordsOf("milliseconds", ".1f")]),
    layerOf("text", { align: "left", dx: 16, fontSize: 15, fontWeight: "bold" }, { x: { value: RUN_WIDTH }, text: nominal("value") },
      [measured, valueWords()]),
    layerOf("text", { align: "left", dx: 6, color: lightColour("muted") }, { x: { value: 0 }, text: nominal("problem") }),
  ];
}

function runChart() {
  if (!progress) return null;
  const values = runRows(), top = Math.max(...values.map(({ high }) => high ?? 0), 0.01) * 1.08;
  const axis = { title: "", domain: false, ticks: false, labelColor: lightColour("ink"), labelFontSize: 15, labelFontWeight: "bold",
    labelPadding: 12, labelLimit: 260 };
  return { title: part("chart-title").textContent, note: reasonOf(), width: RUN_WIDTH, height: { step: ROW }, data: { values },
    encoding: { y: nominal("model", { sort: null, axis }) }, layer: runLayers(metricTitle(progress.metric), top) };
}
