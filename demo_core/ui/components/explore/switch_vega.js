// The switch as Vega-Lite: the evenness of the training histories, the threshold, and where this history lies.
const SWITCH_WIDTH = 150;

function binLayer(route, turn) {
  const { histogram } = route, above = routed(route) ? `(datum.from + datum.to) / 2 > ${route.threshold}` : "false";
  const values = (histogram?.counts ?? []).map((histories, index) => ({ histories, from: histogram.edges[index],
    to: histogram.edges[index + 1] }));
  const tooltip = [told("from", "evenness from", ".3f"), told("to", "to", ".3f"), told("histories", "training histories", ",")];
  // Bins differ in width: the tail is one wide bin.
  const density = { calculate: "datum.histories / (datum.to - datum.from)", as: "density" };
  return { data: { values }, ...layerOf("rect", { clip: true, stroke: lightColour("panel") }, {
    y: amount("from"), y2: { field: "to" }, x: amount("density", { axis: axisOf("training histories", UNLABELLED) }), x2: { datum: 0 },
    color: when(above, turn, lightColour("line2")), opacity: when(above, 0.3, 0.5), tooltip,
  }, [density]) };
}

function thresholdLayers(route) {
  const [ink, panel] = ["ink", "panel"].map(lightColour), bold = { align: "left", fontWeight: "bold" };
  const y = amount("evenness"), text = amount("evenness", { format: ".3f" });
  const marked = (what, evenness, ...layer) => ({ data: { values: [{ what, evenness }] }, ...layerOf(...layer) });
  const tooltip = [told("what", "this is"), told("evenness", "evenness", ".3f")], start = { x: { value: 0 }, y };
  const found = [
    marked("the threshold", route.threshold, "rule", { strokeWidth: 2.5, color: ink }, { y, tooltip }),
    marked("the threshold", route.threshold, "text", { ...bold, dx: 8, fontSize: 14 }, { x: { value: SWITCH_WIDTH }, y, text }),
  ];
  if (route.threshold !== route.trained_threshold) {
    found.push(marked("the threshold as trained", route.trained_threshold, "point", { size: 90, fill: panel, stroke: ink },
      { ...start, tooltip }));
  }
  if (routed(route)) {
    const dot = { size: 240, fill: ink, stroke: panel, strokeWidth: 3 }, dy = route.evenness > route.threshold ? -14 : 14;
    found.push(marked("this history", route.evenness, "point", dot, { ...start, tooltip }),
      ...haloed(marked("this history", route.evenness, "text", { ...bold, dx: 14, dy, fontSize: 15 }, { ...start, text })));
  }
  return found;
}

// The two ways out, the one taken in bold.
function exitLayers(route, turn) {
  const [up, down] = shares(route), muted = lightColour("muted");
  const exits = [["turning", turn, 12, ["Turning", "re-weights", up]],
    ["stable", lightColour("ink"), LINE_VIEW - 46, ["Stable", "thins out", down]]];
  return exits.map(([outcome, colour, y, words]) => {
    const taken = outcome === route.outcome, look = { fontWeight: taken ? "bold" : "normal", color: taken ? colour : muted };
    return { data: { values: [{ outcome, taken }] }, ...layerOf("text",
      { text: words.filter(Boolean), align: "left", dx: 64, lineHeight: 18, fontSize: 14, ...look },
      { x: { value: SWITCH_WIDTH }, y: { value: y } }) };
  });
}

function switchView(route) {
  const turn = lightColour("turn"), scale = { domain: zoomOf(route), nice: false, zero: false };
  const axis = axisOf("evenness of the steps (entropy ÷ its maximum)", { tickCount: 5 });
  return { width: SWITCH_WIDTH, height: LINE_VIEW, encoding: { y: { type: "quantitative", scale, axis } },
    layer: [binLayer(route, turn), ...thresholdLayers(route), ...exitLayers(route, turn)] };
}
