// What was run in this tab of the browser (Run your own) joins the chart of its protocol and metric, as dashed rings.
function ringOf(run, row, like) {
  const spread = row.standard_error === null ? "" : `± ${(100 * row.standard_error).toFixed(2)}`;
  return { title: row.title, first: false, source: `run here, ${run.done} people`, shape: like?.shape ?? "capsule",
    colour: like?.colour ?? "muted", fill: "ring", mean: 100 * row.mean, sd: row.standard_error === null ? null : 100 * row.standard_error,
    value: (100 * row.mean).toFixed(2), spread, n: "one standard error", neverTrained: null, distinct: null, overlap: null, failures: [],
    origin: run.provenance.join(". ") };
}

// An axis that ends before the longest bar goes on in its own steps.
function longEnough(ticks, rows) {
  const most = Math.max(...rows.map((row) => row.mean + (row.sd ?? 0))), step = ticks[1] - ticks[0] || ticks[0] || 1, all = [...ticks];
  while (all.at(-1) < most && all.length < 60) all.push(all.at(-1) + step);
  return all;
}

function withRunsHere(answer) {
  const { models } = answer.choice, isChosen = (row) => models === null || models.includes(row.model);
  for (const chart of answer.charts) {
    const own = runsHere().filter((run) => run.name === answer.choice.dataset && run.protocol === chart.protocol
      && run.metric === answer.choice.metric && run.slice === "all" && !run.lost);
    for (const run of own) {
      for (const row of run.rows.filter((each) => each.mean !== null && isChosen(each))) {
        const last = chart.rows.findLastIndex((each) => each.title === row.title);
        const ring = ringOf(run, row, chart.rows[last]);
        chart.rows.splice(last < 0 ? chart.rows.length : last + 1, 0, { ...ring, first: last < 0 });
      }
    }
    if (own.length) chart.ticks = longEnough(chart.ticks, chart.rows);
  }
  return answer;
}

document.addEventListener("turnpoint:ran", () => {
  if (view) look();
});
