// Steps as columns, models as rows. The row of step numbers is the scrubber.
const stepsGrid = part("steps");

function drawSteps() {
  const last = Math.max(lastStep(), phase === "streaming" ? settings.steps : 0), columns = last + 1;
  stepsGrid.style.gridTemplateColumns = `132px repeat(${columns}, minmax(64px, 1fr)) 110px`;
  const cells = [{ key: "scrub", kind: "scrub" }];
  for (const { model } of walking()) {
    cells.push({ key: `name ${model.model}`, kind: "name", model });
    const kept = stays(model.model);
    framesOf(model.model).forEach((frame, step) => cells.push({ key: `${model.model} ${step}`, kind: "squares", model, frame, step,
      kept: kept[step] }));
    cells.push({ key: `settled ${model.model}`, kind: "settled", model });
  }
  keyed(stepsGrid, cells, (cell) => cell.key, makeCell, (target, cell) => updateCell(target, cell, last));
}

function makeCell({ kind }) {
  return node("div", { class: kind });
}

function updateCell(target, cell, last) {
  const row = cell.model ? 2 + walking().findIndex(({ model }) => model === cell.model) : 1;
  target.style.gridRow = row;
  if (cell.kind === "scrub") return updateScrub(target, last);
  if (cell.kind === "name") {
    target.style.gridColumn = 1;
    return target.replaceChildren(modelMark(cell.model.model), cell.model.title);
  }
  if (cell.kind === "settled") {
    target.style.gridColumn = last + 3;
    const at = settledAt(cell.model.model);
    return target.replaceChildren(...(phase === "done" ? ["settled at ", node("b", {}, String(at))] : []));
  }
  const { step, frame, kept } = cell, whole = frame.items.map((item) => kept.has(item.id));
  target.style.gridColumn = step + 2;
  target.style.setProperty("--mark", markOf(cell.model.model).colour);
  target.className = `squares-cell${step === shown.step ? " now" : ""}${step > shown.step ? " ahead" : ""}`;
  const stay = whole.filter(Boolean).length;
  target.replaceChildren(squares(whole, `${cell.model.title}, step ${step}: ${stay} of ${whole.length} stay to the end`));
  return null;
}

function updateScrub(target, last) {
  target.style.gridColumn = `2 / span ${last + 1}`;
  target.style.gridTemplateColumns = `repeat(${last + 1}, minmax(64px, 1fr))`;
  for (const [name, value] of Object.entries({ role: "slider", tabindex: "0", "aria-label": "Step shown", "aria-valuemin": 0,
    "aria-valuemax": last, "aria-valuenow": shown.step, "aria-valuetext": `step ${shown.step} of ${last}` })) {
    target.setAttribute(name, value);
  }
  keyed(target, Array.from({ length: last + 1 }, (_, step) => step), (step) => step, () => node("span"), (cell, step) => {
    cell.textContent = step;
    cell.className = step === shown.step ? "now" : "";
  });
}

function showStep(step) {
  shown.step = Math.min(Math.max(step, 0), lastStep());
  draw();
  const cell = stepsGrid.querySelector(".scrub .now"), frame = part("scroll");
  if (!cell) return;
  const left = cell.offsetLeft + (cell.offsetParent === frame ? 0 : cell.parentNode.offsetLeft);
  if (left < frame.scrollLeft + 132 || left + cell.offsetWidth > frame.scrollLeft + frame.clientWidth) frame.scrollLeft = left - 180;
}

let scrubbing = false;
function scrubTo(event) {
  const row = stepsGrid.querySelector(".scrub"), place = row.getBoundingClientRect();
  stopPlaying();
  showStep(Math.floor(((event.clientX - place.left) / place.width) * row.children.length));
}
stepsGrid.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".scrub") || event.button) return;
  scrubbing = true;
  scrubTo(event);
});
addEventListener("pointermove", (event) => {
  if (scrubbing) scrubTo(event);
});
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => {
  scrubbing = false;
});
stepsGrid.addEventListener("keydown", (event) => {
  if (!event.target.closest(".scrub")) return;
  const size = event.shiftKey ? 10 : 1;
  const step = { ArrowLeft: -size, ArrowDown: -size, ArrowRight: size, ArrowUp: size }[event.key];
  if (step) showStep(shown.step + step);
  else if (event.key === "Home") showStep(0);
  else if (event.key === "End" || event.key === "Enter") showStep(lastStep());
  else return;
  stopPlaying();
  event.preventDefault();
});
