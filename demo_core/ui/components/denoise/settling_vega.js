// The list settling as Vega-Lite: one line a film of the last list, back through the steps.
const SETTLING_WIDTH = 300, SETTLING_ROW = 34, TITLE_AT = 34, LETTER = 8;

// A line begins one step before its film enters the list; `rank` is null where the film is below the list.
function settlingRows(frames, model) {
  const star = historyInAddress().next;
  return frames.at(-1).items.flatMap((item, index) => {
    const ranks = ranksOf(frames, item.id), first = Math.max(ranks.findIndex((rank) => rank !== null) - 1, 0);
    return ranks.map((rank, step) => ({ model, step, title: fullTitle(item), name: mainTitle(item), rank, final_rank: index + 1,
      true_next: item.id === star })).slice(first);
  });
}

// Drawn first, so their axes are the ones that count: they are those of the lines.
function bandLayers(size, across, down) {
  const data = { values: [{ below: size + 0.5 }] }, now = { x: { datum: { expr: SHOWN_STEP }, type: "quantitative", ...across } };
  return [
    { data, ...layerOf("rule", { strokeWidth: 18, color: lightColour("sunk") }, now) },
    { data, ...layerOf("rule", { strokeDash: [3, 5], color: lightColour("line2") }, { y: amount("below", down) }) },
    { data, ...layerOf("text", { fontWeight: "bold" }, { ...now, y: { value: -14 }, text: nominal("words") },
      [{ calculate: `'step ' + ${SHOWN_STEP}`, as: "words" }]) },
  ];
}

function filmLayers(colour, places) {
  const [ink, truth] = ["ink", "truth"].map(lightColour), plain = "!datum.true_next", star = "datum.true_next";
  const past = `datum.step <= ${SHOWN_STEP}`, ahead = `datum.step >= ${SHOWN_STEP}`;
  const line = (which, time, look) => layerOf("line", { interpolate: "monotone", strokeCap: "round", ...look },
    { ...places, detail: { field: "final_rank" }, order: { field: "step" } }, [only(`${which} && ${time}`)]);
  const tooltip = [told("model", "model"), told("title", noun), told("step", "step"), told("rank_words", "rank"),
    told("final_rank", "rank at the end")];
  return [
    line(plain, ahead, { color: colour, strokeWidth: 3, opacity: 0.35 }), line(plain, past, { color: colour, strokeWidth: 3 }),
    line(star, ahead, { color: ink, strokeWidth: 9, opacity: 0.6 }), line(star, past, { color: ink, strokeWidth: 9 }),
    line(star, ahead, { color: truth, strokeWidth: 5 }), line(star, past, { color: truth, strokeWidth: 5 }),
    layerOf("point", { size: 60, opacity: 0, filled: true }, { ...places, tooltip }, [wordsOf("rank", "d")]),
  ];
}

function endLayers(last, colour, plate) {
  const [ink, truth, muted] = ["ink", "truth", "muted"].map(lightColour), y = amount("final_rank"), at = { x: { value: SETTLING_WIDTH }, y };
  const end = only(`datum.step == ${last}`), starred = (yes, no) => when("datum.true_next", yes, no);
  const edges = [{ calculate: "datum.final_rank - 0.42", as: "top" }, { calculate: "datum.final_rank + 0.42", as: "foot" }];
  const across = { x: { value: SETTLING_WIDTH + TITLE_AT - 6 }, x2: { value: SETTLING_WIDTH + TITLE_AT + plate } };
  return [
    layerOf("rect", { color: truth, cornerRadius: 5 }, { ...across, y: amount("top"), y2: { field: "foot" } },
      [end, only("datum.true_next"), ...edges]),
    layerOf("point", { size: 80 }, { ...at, fill: starred(truth, colour), stroke: starred(ink, colour), strokeWidth: starred(2, 0) }, [end]),
    layerOf("text", { align: "right", dx: TITLE_AT - 10, color: muted }, { ...at, text: nominal("final_rank") }, [end]),
    layerOf("text", { align: "left", dx: TITLE_AT, fontSize: 14.5, fontWeight: "bold" }, { ...at, text: nominal("words") },
      [end, { calculate: "(datum.true_next ? '★ ' : '') + datum.name", as: "words" }]),
  ];
}

// A label at every whole number: without the count, Vega leaves some of the values out.
const whole = (from, to) => ({ values: Array.from({ length: to - from + 1 }, (_, index) => from + index), tickCount: to - from + 1 });

function settlingChart() {
  const walk = walks.get(shown.model), frames = framesOf(shown.model), last = frames.length - 1;
  const size = frames.at(-1)?.items.length;
  if (!walk || walk.model.error || !size) return null;
  const colour = lightMark(shown.model), values = settlingRows(frames, walk.model.title), below = size + 1;
  const across = { scale: { domain: [0, Math.max(last, 1)], nice: false },
    axis: axisOf("step", { ...(last <= 10 ? whole(0, last) : {}), format: "d", domain: false }) };
  const down = { scale: { domain: [0.5, below + 0.5], reverse: true, nice: false, zero: false },
    axis: axisOf("rank in the list", { ...whole(1, below), ticks: false, domain: false, labelPadding: 16,
      labelExpr: `datum.value > ${size} ? 'below' : datum.label` }) };
  const plate = LETTER * Math.max(...values.map(({ name, true_next }) => (true_next ? name.length + 4 : 0)));
  return {
    title: `The list settling: ${walk.model.title}`, note: `Each line is one ${noun} of the list at the last step.${guidanceWords()}`,
    width: SETTLING_WIDTH, height: below * SETTLING_ROW, params: [stepSlider(last)], data: { values },
    transform: [{ calculate: `isValid(datum.rank) ? datum.rank : ${below}`, as: "place" }],
    layer: [...bandLayers(size, across, down), ...filmLayers(colour, { x: amount("step", across), y: amount("place", down) }),
      ...endLayers(last, colour, plate)],
  };
}
