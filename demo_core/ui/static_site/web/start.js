// Each component runs as in the app, with what Gradio gives it there: its element, its value and its answers.
const BEYOND = ["seed", "steps", "guidance", "lists", "models", "first", "second"]; // what a link may ask for that only the app computes
const ANSWERS = {
  top: { datasets: async () => ({ chosen: site.dataset, datasets: [{ name: site.dataset, title: site.title, own: false }] }) },
  explore: { search: async (query) => search(query), look, why, person, honesty: async () => site.honesty, pdf: noPdf,
    parse: async () => ({ items: [], messages: [LIVE] }) },
  denoise: { walks, pdf: noPdf },
  family: { look: lookAtFamily, pdf: noPdf },
  "benchmarks-page": { look: lookAtFigures, figure: drawing, compare, download },
};
const components = [];

// What nobody answers here fails as it does when a server is gone.
function serverOf(name) {
  const given = Object.entries(ANSWERS[name]).map(([asked_, answer]) => [asked_, ({ question }) => answer(question)]);
  const server = { facts_of: async () => null, ...Object.fromEntries(given) };
  return new Proxy(server, { get: (known_, asked_) => known_[asked_] ?? (async () => Promise.reject(new Error(LIVE))) });
}

// A link to something that was not computed shows what was, and says so.
function leaveOut() {
  const address = new URL(location), left = BEYOND.filter((name) => address.searchParams.has(name));
  if (!left.length) return;
  for (const name of left) address.searchParams.delete(name);
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ","));
  bar.querySelector("b").textContent = `This link also asks for ${left.join(", ")}: only the app answers that.`;
}

// Nothing but the tabs can be used before the data are there: it would be lost.
function putToUse(ready) {
  for (const each of document.querySelectorAll(".tp-element")) each.inert = !ready;
}

async function start() {
  putToUse(false);
  openTab(tabs[0]);
  turnpoint.openView(); // before the components: a tour opens a view of its own
  try {
    await open();
  } catch {
    bar.querySelector("span").textContent = "DecompressionStream" in window
      ? "The files beside this page are missing: keep its folder whole." : "This page needs a browser of 2023 or newer.";
    return;
  }
  leaveOut();
  drawBar();
  putToUse(true);
  for (const [name, run] of components) {
    run(document.querySelector(`#${name} > .tp-element`), { value: fresh(site.facts[name]) }, serverOf(name));
  }
  keepGrey();
}

turnpoint.put = (name, text) => arrived.set(name, text);
turnpoint.component = (name, run) => components.push([name, run]);
turnpoint.start = start;
turnpoint.search = search;
