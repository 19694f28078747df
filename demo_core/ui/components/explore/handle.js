// The handle: drag, arrow keys (.001, with Shift .01), Home, End; double-click or Enter returns to the model's own.
let sliding = null;

function slideTo(value, zoom) {
  const route = answered.comparison.route, bounded = Math.min(Math.max(value, zoom[0]), zoom[1]);
  const rounded = Math.round(bounded * 1000) / 1000;
  const threshold = Math.abs(rounded - route.trained_threshold) < 0.0005 ? null : rounded;
  if (threshold === state.threshold) return;
  previewThreshold(threshold ?? route.trained_threshold);
  setThreshold(threshold, `Threshold ${evennessText(threshold ?? route.trained_threshold)}.`);
}

// The handle follows the hand at once; verdict, weights and lists follow with the answer.
function previewThreshold(threshold) {
  const route = { ...answered.comparison.route, threshold };
  route.outcome = route.evenness > threshold ? "turning" : "stable";
  answered = { ...answered, comparison: { ...answered.comparison, route } };
  const layout = layoutOf(answered);
  drawRoute(answered, layout);
  drawFlatGauge(route, layout);
}

function resetThreshold() {
  if (state.threshold !== null) setThreshold(null, "Threshold as trained.");
}

for (const svg of [part("line"), part("gauge")]) {
  svg.addEventListener("pointerdown", (event) => {
    const group = event.target.closest(".slider");
    if (!group || event.button) return;
    event.preventDefault();
    group.focus();
    sliding = { ...group.values, from: event[group.values.axis] };
  });
  svg.addEventListener("dblclick", (event) => {
    if (event.target.closest(".slider")) resetThreshold();
  });
  svg.addEventListener("keydown", (event) => {
    const group = event.target.closest(".slider");
    if (!group) return;
    const now = state.threshold ?? answered.comparison.route.trained_threshold, size = event.shiftKey ? 0.01 : 0.001;
    const step = { ArrowUp: size, ArrowRight: size, ArrowDown: -size, ArrowLeft: -size }[event.key];
    if (step) slideTo(now + step, group.values.zoom);
    else if (event.key === "Home") slideTo(group.values.zoom[0], group.values.zoom);
    else if (event.key === "End") slideTo(group.values.zoom[1], group.values.zoom);
    else if (event.key === "Enter") resetThreshold();
    else return;
    event.preventDefault();
  });
}
addEventListener("pointermove", (event) => {
  if (!sliding) return;
  slideTo(sliding.threshold + ((event[sliding.axis] - sliding.from) / enlarged()) * sliding.perPixel, sliding.zoom);
});
addEventListener("pointerup", () => {
  sliding = null;
});
addEventListener("pointercancel", () => {
  sliding = null;
});
