// What goes missing, and what came of it. The address holds it, so that a link brings it back.
const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
const noun = facts.noun || "item", watched = noun === "film" ? "watched" : "chosen";
const lab = { kind: "lost", share: 0.3, draw: 0, people: false, measure: "kept" };
let answer = null, points = [], curveFor = "", askedFor = "", answeredFor = "", newest = 0, curveRun = 0, waiting = true;

function readLab() {
  const query = new URLSearchParams(location.search), whole = (name) => Math.round(Number(query.get(name)));
  lab.kind = query.has("added") ? "added" : "lost";
  const share = whole(lab.kind);
  lab.share = query.has(lab.kind) && share >= 0 ? Math.min(share, 60) / 100 : 0.3;
  lab.draw = whole("draw") > 0 ? whole("draw") : 0;
  lab.people = query.get("people") === "yes";
}

function writeLab() {
  const percentage = Math.round(100 * lab.share);
  writeInAddress({ lost: lab.kind === "lost" ? percentage : "", added: lab.kind === "added" ? percentage : "",
    draw: lab.draw || "", people: lab.people ? "yes" : "" });
}

// Asks for one draw as it is now; while one question is out, only the newest answer is drawn.
async function look() {
  const mine = (newest += 1);
  writeLab();
  askedFor = JSON.stringify(historyInAddress());
  waiting = true;
  if (!answer) part("verdict").textContent = verdictOf();
  else if (askedFor !== answeredFor) forget();
  const found = await ask("look", { ...historyInAddress(), ...lab }).catch(() => null);
  if (mine !== newest) return;
  waiting = false;
  if (!found) askedFor = ""; // whoever comes back asks again
  if (found && !found.error) [answer, answeredFor] = [found, askedFor];
  draw(found ? found.error ?? "" : NO_ANSWER_KEPT);
  if (found && !found.error) part("live").textContent = part("verdict").textContent;
  askCurve();
}

// The old figures are of another history: nobody should read them as those of this one.
function forget() {
  [answer, points, curveFor] = [null, [], ""];
  curveRun += 1;
  draw();
}

// One share after the other, each drawn as it comes; a curve that is there already is not asked for again.
async function askCurve() {
  const { kind, people } = lab, history = historyInAddress(), key = JSON.stringify([history, kind, people]);
  if (key === curveFor) return;
  const mine = (curveRun += 1);
  curveFor = key;
  points = [];
  drawCurve();
  if (!people && !history.items.length) return;
  for (const share of SHARES) {
    const found = await ask("curve", { ...history, kind, people, share }).catch(() => null);
    if (mine !== curveRun) return;
    if (!found || found.error) {
      curveFor = "";
      return draw(found?.error ?? NO_ANSWER_KEPT);
    }
    points = [...points, ...found.points];
    drawCurve();
  }
}
