// What is told of one system: two sentences, its paper, its kin, its health and its figures.
const titlesOf = (names) => names.map((name) => systemOf(name).title);
const oneOf = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words.join(""));
const yearOf = (system) => (system.year === null ? "" : String(system.year));

function outside(address, words) {
  return node("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, words);
}

function paperOf({ paper }) {
  if (!paper) return [node("p", { class: "paper" }, "A rule without a paper.")];
  const where = paper.address ? [" · ", outside(paper.address, `arXiv ${paper.arxiv}`)] : [];
  return [node("p", { class: "paper" }, `${paper.citation}`, ...where), node("p", { class: "small muted" }, paper.title)];
}

// Names of kin are buttons that lead there.
function kinButton(name) {
  const button = node("button", { type: "button", class: "kin" }, systemOf(name).title);
  button.addEventListener("click", () => {
    choose(name);
    focusSystem(name);
  });
  return button;
}

function kinLine(words, names, join) {
  return names.length ? [node("p", { class: "kins" }, words, ...names.flatMap((name, at) => [at ? join : " ", kinButton(name)]))] : [];
}

function figureLine({ source, metric, value, spread, failures, protocol, origin }) {
  const found = failures.length ? [" ", node("span", { class: "bad" }, "not healthy"), `: ${failures[0]}`] : [];
  return node("li", { title: [origin, ...failures].join(". ") }, node("span", { class: "muted" }, `${source} `), node("b", {}, `${metric} ${value}`),
    node("span", { class: "muted" }, ` ${spread}, ${protocol}`), ...found);
}

function healthOf({ state, health, figures }, most) {
  const dataset = tree.datasets.find((one) => one.name === tree.dataset)?.title;
  const line = node("p", { class: `health ${state}` }, dataset ? `${health} (${dataset})` : health);
  return [line, ...(figures.length ? [node("ul", { class: "figures" }, ...figures.slice(0, most).map(figureLine))] : [])];
}

// Links keep the history and the rest of the address; what only the app answers is left out where no app is.
function linkTo(view, changes) {
  const address = new URL(location);
  for (const name of ["view", "system", "tour", "present", "step", ...Object.keys(changes)]) address.searchParams.delete(name);
  for (const [name, value] of Object.entries({ ...(view === "explore" ? {} : { view }), ...changes })) address.searchParams.set(name, value);
  return `?${address.searchParams}`.replaceAll("%2C", ",");
}

function linksOf(system) {
  const beside = [...new Set([system.name, ...[system.buildsOn].filter(Boolean), ...system.standsOn.slice(0, 1), "popularity"])];
  const links = [];
  if (facts.live && facts.models.includes(system.name)) {
    const lists = [system.name, ...["tdm", "card", "globaldiff"].filter((name) => name !== system.name && facts.models.includes(name))];
    links.push(node("a", { href: linkTo("explore", { lists: lists.slice(0, 3).join(",") }) }, "Show in the lists"));
  }
  if (system.figures.length) {
    links.push(node("a", { href: linkTo("benchmarks", { dataset: tree.dataset, ...(facts.live ? { models: beside.join(",") } : {}) }) }, "Show in the benchmarks"));
  }
  return links.length ? [node("p", { class: "links" }, ...links)] : [];
}

function sentences(system) {
  return [node("p", { class: "does" }, system.does), node("p", { class: "know" }, system.know)];
}

function particulars(system, most) {
  return [...paperOf(system), ...healthOf(system, most), ...kinLine("Builds on", [system.buildsOn].filter(Boolean), ", "),
    ...kinLine("Stands on", system.standsOn, " or "), ...kinLine("Then came", system.descendants, ", "), ...linksOf(system)];
}

function fillCard(system) {
  const about = [yearOf(system), branchOf(system).title].filter(Boolean).join(" · ");
  part("card").replaceChildren(
    node("div", {}, node("h2", {}, markIcon(system, 30), system.title), node("p", { class: "about muted" }, about), ...sentences(system)),
    node("div", {}, ...particulars(system, 2)));
  part("card").setAttribute("aria-label", `The chosen system: ${system.title}`);
}
