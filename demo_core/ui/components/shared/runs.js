// What was run in this tab of the browser: Run your own writes it, Benchmarks draws it beside what was measured.
const RUNS_HERE = "turnpoint-run-here";

function runsHere() {
  try {
    return JSON.parse(sessionStorage.getItem(RUNS_HERE)) ?? [];
  } catch {
    return [];
  }
}
