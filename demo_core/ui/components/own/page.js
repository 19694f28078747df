// Words, wishes, and what was brought before.
const noun = "item";

function verdictOf() {
  const { progress } = told, best = [...(progress?.lessons ?? [])].filter((lesson) => lesson.hit !== null).sort((a, b) => b.hit - a.hit)[0];
  if (running()) {
    const now = progress.lessons.find((lesson) => lesson.state === "training");
    return now ? `${progress.title}: ${now.title} is ${now.epochs ? "learning" : "counting"}.` : `${progress.title} is being prepared.`;
  }
  if (progress?.state === "failed") return `${progress.title} could not be trained.`;
  if (best && progress.state === "stopped") return `${progress.title} was stopped; what was trained is here.`;
  if (best) return `${progress.title} is ready. ${best.title} finds ${asPercent(best.hit)} % of the held-out items in its 20.`;
  return "Bring your own histories, and see the same page over them.";
}

function drawForm() {
  const ready = Boolean(order.found) && !running();
  part("start").disabled = !ready;
  show(part("start"), !running());
  show(part("stop"), running());
  part("start-words").textContent = running() ? "One data set at a time; the rest of the page stays usable." : order.found ? "" : "First choose a table.";
}

function drawShelf() {
  show(part("shelf"), told.own.length > 0);
  keyed(part("shelf-list"), told.own, (one) => one.name, (one) => {
    const removal = node("button", { type: "button", class: "btn" }, "Remove");
    removal.addEventListener("click", () => confirmRemoval(removal, one));
    return node("li", {}, node("span"), node("a", { class: "btn open" }, "Open"), removal);
  }, (line, one) => {
    const link = line.querySelector("a");
    line.querySelector("span").replaceChildren(node("b", {}, one.title), ` ${counted(one.people, "people")}, ${counted(one.items, "items")}, `
      + `${counted(one.interactions, "interactions")}`);
    link.href = `?data=${encodeURIComponent(one.name)}`;
    link.setAttribute("aria-label", `Open ${one.title}`);
    line.querySelector("button").disabled = running() && told.progress.name === one.name;
  });
}

// Twice, since it cannot be undone.
function confirmRemoval(button, one) {
  if (button.dataset.sure) {
    part("verdict").focus({ preventScroll: true });
    remove(one.name);
    return;
  }
  button.dataset.sure = "yes";
  button.textContent = "Remove it for ever?";
  button.addEventListener("blur", () => {
    delete button.dataset.sure;
    button.textContent = "Remove";
  }, { once: true });
}

function draw(problem) {
  const failed = told.progress?.state === "failed" && !order.file ? told.progress.message : "";
  part("verdict").textContent = verdictOf();
  part("reason").textContent = facts.reason;
  if (problem !== undefined || failed) {
    part("problem").textContent = problem || failed;
    show(part("problem"), Boolean(problem || failed));
  }
  drawTable();
  drawForm();
  drawLessons();
  drawShelf();
}

part("boxes").append(...facts.models.map(({ name, title }) => node("label", {}, node("input", { type: "checkbox", value: name, checked: true }), ` ${title}`)));
part("effort").append(...facts.efforts.map(({ name, title }) => node("option", { value: name }, title)));
part("fewest").min = facts.fewest[0];
part("fewest").max = facts.fewest[1];
part("models-words").textContent = "trained one after the other; each is there as soon as it is done";
show(part("path-label"), facts.paths);
show(part("path-read"), facts.paths);

part("file").addEventListener("change", () => {
  const [file] = part("file").files;
  part("file").value = "";
  if (file) bring(file);
});
function readPath() {
  const path = part("path").value.trim();
  if (!path) return;
  Object.assign(order, { file: { path }, sending: false, brought: order.brought + 1 });
  check(path.split(/[\\/]/).at(-1));
}
part("path-read").addEventListener("click", readPath);
part("path").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  readPath();
});
for (const name of ["fewest", "noun"]) {
  part(name).addEventListener("change", () => {
    if (order.file && !order.sending) check(order.name);
  });
}
const drop = part("drop");
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) bring(file);
});
part("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!part("start").disabled) start();
});
part("stop").addEventListener("click", stop);
draw("");
whenSeen(look);
