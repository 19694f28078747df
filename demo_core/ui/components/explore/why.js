// Why one item stands in the lists: what of the history it is like, who voted for it, how common it is.
const whyPanel = part("why");
let whyItem = null, whyAsked = 0;

async function askWhy(id) {
  const mine = (whyAsked += 1);
  whyItem = id;
  const { items, threshold, seed, models } = state;
  const asked = { items: items.map((item) => item.id), off: offPositions(), threshold, seed, models, item: id };
  const answer = await ask("why", asked).catch(() => null);
  if (mine !== whyAsked) return;
  drawWhy(answer?.why ?? null, answer ? answer.error : NO_ANSWER_KEPT);
}

// The lists have changed: what was said of them is asked anew, if the item is still there.
function renewWhy(view) {
  if (whyItem === null) return;
  const still = (view.comparison?.lists ?? []).some((one) => one.items.some(({ item }) => item.id === whyItem));
  if (still) askWhy(whyItem);
  else closeWhy();
}

function closeWhy() {
  whyItem = null;
  whyAsked += 1;
  show(whyPanel, false);
}

function likenessWords({ nearest, rank, personal, global_ }) {
  const words = [rank === null ? "not ranked" : ordinal(rank)];
  if (personal !== null || global_ !== null) {
    const place = (number) => (number === null ? "not ranked" : ordinal(number));
    words.push(`personal ${place(personal)}, global ${place(global_)}`);
  }
  if (nearest.length) words.push(`nearest in the history: ${nearest.map(({ item, cosine }) => `${mainTitle(item)} ${cosineText(cosine)}`).join(", ")}`);
  return words.join(" · ");
}

function drawWhy(why, error) {
  show(whyPanel, true);
  const close = node("button", { type: "button", class: "btn quiet", "aria-label": "Close why" }, "×");
  close.addEventListener("click", () => {
    const row = lists.querySelector(`.list.shown [data-item="${whyItem}"]`) ?? lists.querySelector(`[data-item="${whyItem}"]`);
    closeWhy();
    row?.focus();
  });
  if (!why) {
    whyPanel.replaceChildren(node("p", {}, error ?? NO_ANSWER_KEPT), close);
    return;
  }
  const many = `${why.count.toLocaleString("en")} time${why.count === 1 ? "" : "s"}`;
  const told = why.count ? `A training target ${many}, popularity rank ${why.popularity_rank.toLocaleString("en")}.` : "Never a training target.";
  whyPanel.replaceChildren(node("h2", {}, `Why ${mainTitle(why.item)}?`), close,
    node("ul", {}, ...why.reasons.map((one) => node("li", {}, modelMark(one.model, 14), node("b", {}, one.title), node("span", {},
      likenessWords(one))))),
    node("p", { class: "muted" }, `${told} Nearness is the cosine of the model’s own ${noun} vectors.`));
  part("live").textContent = `Why ${mainTitle(why.item)}: ${why.reasons.map((one) => `${one.title} ${likenessWords(one)}`).join(". ")}`;
}

lists.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (row) askWhy(Number(row.dataset.item));
});
lists.addEventListener("keydown", (event) => {
  const row = event.target.closest(".row");
  if (!row || event.key !== "Enter") return;
  event.preventDefault();
  askWhy(Number(row.dataset.item));
});
