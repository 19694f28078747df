// What is chosen: a system, and the data set it was measured on. Both stand in the address.
const FIRST_SYSTEM = "card";
const chosen = { system: null, dataset: null };
let tree = null; // the last answer
let newest = 0, hovered = null;

function readChoice() {
  const query = new URLSearchParams(location.search);
  chosen.system = query.get("system")?.slice(0, 40) ?? null;
  chosen.dataset = query.get("dataset")?.slice(0, 80) ?? null;
}

const systemOf = (name) => tree?.systems.find((one) => one.name === name) ?? null;
const branchOf = (system) => tree.branches.find((one) => one.name === system.branch);
// Without a choice, or with one that nobody knows, it begins with CARD.
const chosenSystem = () => systemOf(chosen.system) ?? systemOf(FIRST_SYSTEM);
const shownSystem = () => systemOf(hovered) ?? chosenSystem();

// What a system has to do with others: what it comes from, back to the first, and what came of it.
function kinOf(system) {
  const kin = new Set(), follow = (name) => {
    const one = systemOf(name);
    if (!one || kin.has(name)) return;
    kin.add(name);
    if (one.buildsOn) follow(one.buildsOn);
  };
  follow(system.name);
  return kin;
}

async function look() {
  const mine = (newest += 1);
  const answer = await ask("look", { dataset: chosen.dataset }).catch(() => null);
  if (mine !== newest) return;
  part("problem").textContent = answer ? "" : "No answer came. What you see is the last one; try again.";
  show(part("problem"), !answer);
  if (answer) tree = answer;
  if (tree) draw();
}

function choose(name) {
  if (!systemOf(name)) return;
  hovered = null;
  const same = chosenSystem().name === name && chosen.system === name;
  chosen.system = name;
  writeInAddress({ system: name });
  if (same) return;
  drawChoice();
  const { title, does, know, health } = systemOf(name);
  part("live").textContent = `${title}. ${does} ${know} ${health}.`;
}

function chooseData(name) {
  chosen.dataset = name;
  writeInAddress({ dataset: name });
  look();
}
