// The list without each film: a row of squares in the film's column, one square for each of CARD's ten.

function keptWords(effect, list) {
  const gone = list.filter((_, at) => !effect.kept[at]).map(({ item }) => mainTitle(item));
  const stays = effect.kept.length - gone.length, whole = `${stays} of ${effect.kept.length} stay`;
  return `Without ${mainTitle(effect.item)} ${whole}${gone.length ? `. Gone: ${gone.join(", ")}` : ""}`;
}

function rankWords(effect, whole) {
  if (effect.truth_rank === null || whole === null) return [];
  const moved = whole - effect.truth_rank;
  const change = moved ? ` ${moved > 0 ? "▲" : "▼"} ${Math.abs(moved).toLocaleString("en")}` : "";
  return ["★ ", node("b", {}, effect.truth_rank.toLocaleString("en")), change];
}

function drawWithout(view, layout) {
  const effects = view.comparison?.effects, entries = effects ? readEntries(view, layout).slice(-effects.items.length) : [];
  const list = view.comparison?.lists.find((one) => one.model === effects?.model)?.items ?? [];
  const shown = effects && list.length ? entries : [];
  keyed(part("without"), shown, (entry) => entry.key, () => node("div", { class: "cell" }), (cell, entry, at) => {
    const effect = effects.items[at];
    cell.replaceChildren(squares(effect.kept, keptWords(effect, list)),
      node("span", { class: "ranks" }, ...rankWords(effect, effects.truth_rank)));
    place(cell, layout.phone ? PHONE_ROWS * entry.index + 3 : 7, layout.phone ? "2 / -1" : entry.index + 1);
    cell.dataset.column = entry.index;
  });
  drawWithoutTexts(view, effects, shown.length > 0, list.length);
}

function drawWithoutTexts(view, effects, visible, length) {
  const title = part("without-title"), side = part("without-side");
  for (const target of [title, side]) show(target, visible);
  if (!visible) return;
  const star = effects.truth_rank === null ? ""
    : ` Below: rank of ★ without the ${noun}; ${ordinal(effects.truth_rank)} with all.`;
  title.replaceChildren(node("p", { class: "eyebrow" }, `The list without it `,
    node("span", {}, `Each square is one of CARD’s top ${length}: full stays, empty goes.${star}`)));
  side.replaceChildren(node("p", {}, ...agreementWords(effects, view.comparison.route?.outcome)));
}

let honesty = null; // how well they agree over many people; it comes when the page stands

// How well the weights agree with what really happens, plainly, even where they hardly do.
function agreementWords(effects, outcome) {
  const overall = honesty ? `${coefficient(honesty.rho)} over ${honesty.people.toLocaleString("en")} people`
    + ` and ${plural(honesty.seeds, "training seed")}` : "";
  if (outcome !== "turning") return overall
    ? [`No weights on this route. Where CARD weighs, weights and these changes agree by ρ = ${overall}.`]
    : ["No weights on this route."];
  const question = "Do the weights tell the truth? ";
  if (effects.agreement === null) return [question, node("b", {}, `Too few ${noun}s to say.`),
    overall ? ` ρ = ${overall}.` : ""];
  const rho = effects.agreement, verdict = rho >= 0.7 ? "Yes" : rho >= 0.3 ? "In part" : "No";
  return [question, node("b", {}, `${verdict}: ρ = ${coefficient(rho)} here`), overall ? `, ${overall}.` : "."];
}

const coefficient = (rho) => decimal(rho, 2);
