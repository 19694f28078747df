// Presenting: one step at a time in large type; arrows go on and back, nothing else is on the screen.
const DESIGN_WIDTH = 1180; // pixels of the page that fill the width of the screen
let presenting = null;

function present(name) {
  const step = stepOf(name);
  presenting = step;
  needHistory();
  document.body.classList.add("tp-presenting");
  document.body.dataset.step = step.name;
  drawPresentSteps();
  scale();
  whenThere('#views [role="tab"]', () => {
    openView(step.view);
    document.dispatchEvent(new CustomEvent("turnpoint:prepare"));
    requestAnimationFrame(() => {
      document.dispatchEvent(new CustomEvent("turnpoint:shown"));
      scale();
    });
    setTimeout(scale, 600); // what is asked for comes a little later
  });
  part("live").textContent = step.title;
  scrollTo(0, 0);
}

function drawPresentSteps() {
  const list = part("present-steps");
  show(list, true);
  list.replaceChildren(...STEPS.map((step) => {
    const link = node("a", { href: addressWith({ present: "1", step: step.name }) }, step.title);
    if (step === presenting) link.setAttribute("aria-current", "step");
    link.addEventListener("click", (event) => {
      event.preventDefault();
      goTo(step);
    });
    return link;
  }));
}

function goTo(step) {
  if (!step) return;
  writeInAddress({ present: "1", step: step.name });
  present(step.name);
}

// The page is laid out at one width and scaled as one piece, as large as width and height allow.
function scale() {
  const root = document.documentElement, set = (value) => root.style.setProperty("--present-scale", String(value));
  const wide = Math.max(innerWidth / DESIGN_WIDTH, 0.5);
  set(wide);
  requestAnimationFrame(() => {
    if (!presenting) return;
    const high = document.querySelector(".gradio-container .main")?.scrollHeight ?? 0;
    if (high * wide > innerHeight) set(Math.max(innerHeight / high, wide / 2));
  });
}

function leave() {
  presenting = null;
  document.body.classList.remove("tp-presenting");
  delete document.body.dataset.step;
  show(part("present-steps"), false);
  writeInAddress({ present: null, step: null });
  if (document.fullscreenElement) document.exitFullscreen();
  document.dispatchEvent(new CustomEvent("turnpoint:shown"));
  part("present").focus();
}

const PRESENT_KEYS = {
  ArrowRight: () => goTo(STEPS[STEPS.indexOf(presenting) + 1]),
  ArrowLeft: () => goTo(STEPS[STEPS.indexOf(presenting) - 1]),
  PageDown: () => goTo(STEPS[STEPS.indexOf(presenting) + 1]),
  PageUp: () => goTo(STEPS[STEPS.indexOf(presenting) - 1]),
  d: () => document.body.classList.toggle("dark"),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.()),
  Escape: leave,
};

document.addEventListener("keydown", (event) => {
  if (!presenting || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const own = event.target instanceof Element && event.target.closest("input, textarea, select, [role='slider'], .chip, .row");
  if (own && event.key !== "Escape") return;
  const act = PRESENT_KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}, true);
const scaleIfShown = () => {
  if (presenting) scale();
};
addEventListener("resize", scaleIfShown);
document.addEventListener("turnpoint:grown", scaleIfShown);
part("present").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  goTo(stepOf(addressValue("step")));
});
if (addressValue("present")) present(addressValue("step"));
