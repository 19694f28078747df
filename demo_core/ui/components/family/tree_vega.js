// The tree as Vega-Lite: a mark for each system, its branch across, its year upwards, a rule for each line of descent.
const SAME_YEAR = 0.34; // of a year, between systems of one branch and one year
const columnKey = (branch) => inTwo(branch.title).join("|");

function treeRows() {
  const learned = tree.systems.filter((one) => branchOf(one).learned);
  return learned.map((one, at) => {
    const before = learned.slice(0, at).filter((other) => other.branch === one.branch && other.year === one.year).length;
    return { name: one.name, title: one.title, year: one.year, height: one.year + SAME_YEAR * before, column: columnKey(branchOf(one)), idea: branchOf(one).title,
      does: one.does, know: one.know, health: one.health, paper: one.paper.citation, fill: one.fill, colour: lightColour(one.colour) };
  });
}

function treeRules(rows) {
  const placed_ = new Map(rows.map((one) => [one.name, one]));
  return descentOf(tree.systems).filter(({ parent, child }) => placed_.has(parent) && placed_.has(child)).map(({ parent, child, kind }) => {
    const [from, to] = [placed_.get(parent), placed_.get(child)];
    return { kind, from: from.title, to: to.title, column: from.column, height: from.height, to_column: to.column, to_height: to.height };
  });
}

function treeChart() {
  if (!tree) return null;
  const rows = treeRows(), columns = tree.branches.filter((one) => one.learned).map(columnKey);
  const axis = { labelAngle: 0, labelLimit: 120, labelExpr: "split(datum.label, '|')", labelPadding: 8 };
  const x = nominal("column", { scale: { domain: columns }, axis: axisOf(null, axis) });
  const y = amount("height", { scale: { zero: false }, axis: axisOf("year", { format: "d", tickMinStep: 1, grid: true }) });
  const tooltip = [["title", "system"], ["year", "year"], ["idea", "idea"], ["paper", "paper"], ["does", "what it does"], ["know", "what to know"], ["health", "health"]]
    .map(([field, words]) => told(field, words));
  const rule = (kind, look) => layerOf("rule", { color: lightColour("line2"), ...look }, { x, x2: { field: "to_column" }, y, y2: { field: "to_height" } },
    [only(`datum.kind == '${kind}'`)]);
  const colour = { field: "colour", type: "nominal", scale: null }, shapes = { domain: rows.map((one) => one.name), range: rows.map((one) => vegaShape(one.name)) };
  const marks = layerOf("point", { size: 190, strokeWidth: 2.2 }, { tooltip, stroke: colour, shape: nominal("name", { scale: shapes, legend: null }),
    fill: { condition: { test: "datum.fill != 'open'", ...colour }, value: lightColour("panel") }, fillOpacity: when("datum.fill == 'half'", 0.5, 1) });
  const names = haloed(layerOf("text", { align: "left", dx: 13, fontWeight: "bold", fontSize: 13.5, color: lightColour("ink") }, { text: nominal("title") }));
  return { title: "The systems by idea and by year", width: 1120, height: 560,
    layer: [{ data: { values: treeRules(rows) }, layer: [rule("stands", { strokeDash: [2, 5] }), rule("builds", { strokeWidth: 2 })] },
      { data: { values: rows }, encoding: { x, y }, layer: [marks, ...names] }] };
}
