// The six steps, for the tour and for talks alike. Each says which view it needs and what there is to see.
const noun = facts.noun || "item", watched = noun === "film" ? "watched" : "chosen";
const STEPS = [
  { name: "history", title: "History", view: "explore",
    words: `Each ${noun} is a stop of one line, oldest first. The line falls by how little a step resembles the one before: flat means the same taste, steep means a jump. Diamonds are the steps that are less alike than average.` },
  { name: "route", title: "Route", view: "explore",
    words: "How straight the line is decides. Even steps mean a turning history to CARD: it is weighed. One step that stands out means a stable one: it is thinned in training. Drag the handle, and the door changes." },
  { name: "weights", title: "Weights", view: "explore",
    words: `CARD weighs the ${noun}s at turning points by how much knowing them helps to predict the next ones (PER). Below: what really happens to the list without each ${noun}. The two agree less than one would hope.` },
  { name: "lists", title: "Lists", view: "explore",
    words: `The same history and the same noise, one list a model. Lines join equal ${noun}s. The yellow row is the ${noun} really ${watched} next, which no model has seen.` },
  { name: "denoising", title: "Denoising", view: "denoise",
    words: `TDM and CARD begin with noise, GlobalDiff with the average of two lists; each walks to its guess of the next ${noun}, and the ${noun}s nearest to it become the list. Most of the way is done in the first step.` },
  { name: "family", title: "Family", view: "family",
    words: `Every system, placed by what it does about missing or noisy data and by its year; lines say what builds on what. TDM and CARD edit the history that guides a diffusion, GlobalDiff adds what all histories share. A full mark was measured here and passed its health check; a click shows what the system does.` },
];
const stepOf = (name) => STEPS.find((step) => step.name === name) ?? STEPS[0];
const addressValue = (name) => new URLSearchParams(location.search).get(name);

// An address that keeps everything but what is changed.
function addressWith(changes) {
  const address = new URL(location);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  return address.href.replaceAll("%2C", ",");
}

// Without a history there is nothing to see: the example takes its place.
function needHistory() {
  const example = facts.example;
  if (historyInAddress().items.length || !example) return;
  writeInAddress({ items: example.items.join(","), next: example.next });
  dispatchEvent(new PopStateEvent("popstate"));
}

function openView(view) {
  const tab = document.querySelector(`#views [role="tab"][data-tab-id="${view}"]`);
  if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
}

// Gradio's tabs come a little later than the header.
function whenThere(selector, act, tries = 100) {
  if (document.querySelector(selector)) act();
  else if (tries) setTimeout(() => whenThere(selector, act, tries - 1), 100);
}
