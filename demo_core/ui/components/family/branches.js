// On a narrow screen: each branch a heading, each system a line that opens.
function makeEntry(name) {
  const entry = node("details", { "data-system": name }, node("summary"), node("div", { class: "entry" }));
  entry.addEventListener("toggle", () => {
    if (entry.open && chosenSystem().name !== name) choose(name);
  });
  return entry;
}

function fillEntry(entry, name) {
  const system = systemOf(name), [summary, body] = entry.children;
  const short = { passed: "healthy", failed: "not healthy", unknown: "measured", baseline: "measured", missing: "not measured yet" }[system.state];
  summary.replaceChildren(markIcon(system), node("b", {}, system.title), node("span", { class: "muted" }, yearOf(system)),
    node("span", { class: `state ${system.state}` }, short));
  body.replaceChildren(...sentences(system), ...particulars(system, 6));
}

function drawBranches() {
  keyed(part("branches"), tree.branches, (one) => one.name, () => node("section", {}, node("h2"), node("div")), (section, branch) => {
    const [title, list] = section.children;
    title.textContent = branch.title;
    keyed(list, tree.systems.filter((one) => one.branch === branch.name).map((one) => one.name), (name) => name, makeEntry, fillEntry);
  });
  openChosen();
}

// One is open at a time, so that the next idea stays near.
function openChosen() {
  for (const entry of part("branches").querySelectorAll("details")) entry.open = entry.dataset.system === chosenSystem().name;
}
