// The tour: the page as it is, with a few words on one part of it at a time.
const TARGETS = { history: '[data-part="line"]', route: '[data-part="gauge-title"]', weights: '[data-part="weights-title"]',
  lists: '[data-part="lists"]', denoising: '[data-part="stage"]', family: '[data-part="stage"]' };

function showTour(name) {
  const step = stepOf(name);
  needHistory();
  show(part("tour-panel"), true);
  part("tour-panel").dataset.side = step.name === "route" ? "left" : "right";
  part("tour-title").textContent = `${STEPS.indexOf(step) + 1} of ${STEPS.length}: ${step.title}`;
  part("tour-text").textContent = step.words;
  part("tour-steps").replaceChildren(...STEPS.map((each) => {
    const link = node("a", { href: addressWith({ tour: each.name }) }, each.title);
    if (each === step) link.setAttribute("aria-current", "step");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      writeInAddress({ tour: each.name });
      showTour(each.name);
      part("tour-title").focus({ preventScroll: true });
    });
    return node("li", {}, link);
  }));
  whenThere('#views [role="tab"]', () => {
    openView(step.view);
    pointAt(step);
  });
}

const pointAtNothing = () => document.querySelectorAll(".tp-pointed").forEach((old) => old.classList.remove("tp-pointed"));

// A view that is opened, or waits for its answer, shows the part a little later; on a slow machine much later.
function pointAt(step, tries = 300) {
  if (part("tour-panel").hidden || stepOf(addressValue("tour")) !== step) return;
  pointAtNothing();
  const target = document.getElementById(step.view)?.querySelector(TARGETS[step.name]);
  if (!target?.getBoundingClientRect().height) {
    if (tries) setTimeout(() => pointAt(step, tries - 1), 100);
    return;
  }
  const place = target.closest("svg") ? target.closest("section, .scroll") ?? target : target;
  place.classList.add("tp-pointed");
  target.scrollIntoView({ block: "center", behavior: motion() ? "smooth" : "auto" });
}

function endTour() {
  writeInAddress({ tour: null });
  show(part("tour-panel"), false);
  pointAtNothing();
}

part("tour").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  writeInAddress({ tour: "history" });
  showTour("history");
  part("tour-title").focus({ preventScroll: true });
});
part("tour-end").addEventListener("click", (event) => {
  event.preventDefault();
  endTour();
  part("tour").focus();
});
if (addressValue("tour")) showTour(addressValue("tour"));
