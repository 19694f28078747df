// Figures as Vega-Lite: a chart that can be opened, changed and drawn anew elsewhere, its values and its caption inside.
// Titles come from outside: they stand in values and in texts, never in an expression, which Vega would run.
const VEGA_LITE = "https://vega.github.io/schema/vega-lite/v6.json";
const CAPTION_WIDTH = 108, TITLE_WIDTH = 80; // characters a line: Vega breaks no lines by itself
const VEGA_SHAPES = { card: "circle", tdm: "square", globaldiff: "triangle-up" };
const HEXAGON = "M0-1.1L.95-.55V.55L0 1.1L-.95.55V-.55Z";

// A file is for paper: the light theme's colours, which the root keeps while the body is dark.
const lightColour = (token) => getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
const lightMark = (model) => lightColour(markOf(model).colour.slice("var(--".length, -1));
const vegaShape = (model) => VEGA_SHAPES[model] ?? HEXAGON;

const layerOf = (type, look, encoding, transform = []) => ({ transform, mark: { type, ...look }, encoding });
const only = (test) => ({ filter: test });
const when = (test, yes, no) => ({ condition: { test, value: yes }, value: no });
const amount = (field, more = {}) => ({ field, type: "quantitative", ...more });
const nominal = (field, more = {}) => ({ field, type: "nominal", ...more });
const axisOf = (title, more = {}) => ({ title, grid: false, ...more });
const UNLABELLED = { labels: false, ticks: false, domain: false };

// One line of a tooltip: with a format it is a number.
const told = (field, title, format) => (format ? amount(field, { title, format }) : nominal(field, { title }));

// A number that may be missing, as words for a tooltip: Vega would write null as 0.
const wordsOf = (field, format) => ({ as: `${field}_words`,
  calculate: `isValid(datum.${field}) ? format(datum.${field}, '${format}') : '–'` });

// Where a line comes from: the place of the entry before.
const lagged = (...fields) => ({ window: fields.map((field) => ({ op: "lag", field, as: `from_${field}` })), sort: [{ field: fields[0] }] });

// A text that stays readable on lines and bars: the paper's colour lies under it as its edge.
const haloed = (layer) => [{ ...layer, mark: { ...layer.mark, stroke: lightColour("panel"), strokeWidth: 5, strokeJoin: "round" } }, layer];

function vegaConfig() {
  const [ink, muted, line, line2] = ["ink", "muted", "line", "line2"].map(lightColour);
  const small = { labelColor: muted, labelFontSize: 13, titleColor: muted, titleFontSize: 13, titleFontWeight: "normal" };
  return {
    font: getComputedStyle(document.body).fontFamily.replaceAll('"', ""),
    view: { stroke: null },
    axis: { ...small, gridColor: line, domainColor: line2, tickColor: line2, titlePadding: 10, labelFlush: false },
    legend: { ...small, labelColor: ink, labelFontSize: 14, orient: "bottom", title: null, symbolOpacity: 1 },
    title: { anchor: "start", frame: "bounds", offset: 20, color: ink, fontSize: 16, subtitleColor: muted, subtitleFontSize: 12.5,
      subtitlePadding: 6, subtitleLineHeight: 16 },
    point: { opacity: 1 },
    text: { fontSize: 13, color: ink },
  };
}

// `chart`: a view with its `title` and, where there is more to say, its `note` as texts. The caption stands below them, one
// part a line.
function vegaLite({ title, note, ...chart }, caption) {
  const below = [...(note ? [note] : []), ...caption];
  return {
    $schema: VEGA_LITE,
    description: [title, ...below].join("\n"),
    background: lightColour("panel"),
    padding: 16,
    title: { text: wrapped(title, TITLE_WIDTH), subtitle: below.flatMap((text) => wrapped(text, CAPTION_WIDTH)) },
    ...chart,
    config: vegaConfig(),
  };
}
