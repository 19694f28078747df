// What a copy without a server adds: which histories it holds, what is known of a film that was picked, and which
// controls need the app.
const bar = document.querySelector(".tp-copy"), choice = bar.querySelector("select"), listed = [];
const made = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const wordsOf = (one) => `${one.name}: ${plural(one.items.length, site.noun)}, last ${itemOf(one.items.at(-1)).title}`;

function drawBar() {
  listed.push(...site.histories.filter((one) => one.kind !== "empty"));
  const group = (kind, label) => {
    const own = listed.filter((one) => one.kind === kind);
    return own.length ? [made("optgroup", { label }, ...own.map((one) => made("option", { value: listed.indexOf(one) }, wordsOf(one))))] : [];
  };
  choice.replaceChildren(made("option", { value: "" }, "Choose one …"), ...group("ready", "Ready histories"), ...group("person", site.people));
  choice.disabled = !listed.length;
  bar.querySelector("span").textContent = site.about;
}

// Another history, as a link would bring it.
function goTo(one) {
  const address = new URL(location);
  for (const name of ["off", "threshold", "seed", "next"]) address.searchParams.delete(name);
  address.searchParams.set("items", one.items.join(","));
  if (one.next !== null) address.searchParams.set("next", one.next);
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ","));
  dispatchEvent(new PopStateEvent("popstate"));
}

choice.addEventListener("change", () => {
  if (choice.value) goTo(listed[Number(choice.value)]);
});
document.addEventListener("turnpoint:looked", ({ detail }) => {
  choice.value = detail && detail.kind !== "empty" ? String(listed.indexOf(detail)) : "";
  if (film && !film.contains(document.activeElement)) film.remove();
});

// A film that was picked.
let film = null;

function factsOf(item) {
  const count = known.counts[item.id - 1], rank = 1 + known.counts.filter((other) => other > count).length;
  const told = count ? `a training target ${plural(count, "time")}, popularity rank ${rank.toLocaleString("en")} of ${items.length.toLocaleString("en")}`
    : "never a training target";
  return `${[item.genres.join(", "), told].filter(Boolean).join("; ")}.`;
}

function linksTo(histories) {
  return made("ul", {}, ...histories.map((one) => {
    const link = made("a", { href: `?items=${one.items.join(",")}&next=${one.next}` }, `${one.name}, ${plural(one.items.length, site.noun)}`);
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      film.remove();
      document.querySelector("#explore .verdict").focus({ preventScroll: true });
      goTo(one);
    });
    return made("li", {}, link);
  }));
}

const histories = (number) => plural(number, "history").replace(/ys$/, "ies");

// Those in which it is read come first; most people saw the common ones long before.
function whereItIs(item) {
  const holding = listed.filter((one) => one.items.includes(item.id));
  const read = holding.filter((one) => one.items.slice(-site.window).includes(item.id)), earlier = holding.filter((one) => !read.includes(one));
  if (!holding.length) return [made("p", {}, `No history of this copy holds it. ${LIVE}`)];
  const found = read.length ? [made("p", {}, `It is read in ${histories(read.length)} of this copy:`), linksTo(read)] : [];
  if (!earlier.length) return found;
  const words = `In ${histories(earlier.length)} it stands before what is read`;
  return [...found, made("details", read.length ? {} : { open: "" }, made("summary", {}, words), linksTo(earlier))];
}

function closeFilm() {
  film.remove();
  document.querySelector("#explore .search").focus();
}

function showFilm(item) {
  film?.remove();
  const title = item.year ? `${item.title} (${item.year})` : item.title, facts = factsOf(item), places = whereItIs(item);
  const close = made("button", { type: "button", class: "tp-btn", "aria-label": "Close" }, "×");
  film = made("section", { class: "tp-film", "aria-label": `About ${title}` }, close, made("p", {}, made("b", {}, title), ` ${facts}`), ...places);
  close.addEventListener("click", closeFilm);
  film.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeFilm();
  });
  document.querySelector("#explore .search-note").after(film);
  const first = places[0].querySelector("summary") ?? places[0];
  document.querySelector('#explore [data-part="live"]').textContent = `${title}: ${facts} ${first.textContent}`;
}

document.addEventListener("turnpoint:picked", (event) => {
  event.preventDefault();
  showFilm(event.detail);
});

// Controls that only a server could answer are grey, and say why.
const NEEDS_APP = "Needs the app, which computes live";
const GREY = [
  ['#explore [data-part="paste"], #explore :is(.chip:not(.next), .older) .remove, #explore .list-head select', NEEDS_APP],
  ['#denoise [data-part="steps-input"], #denoise [data-part="guidance-input"], #denoise [data-part="noise"]', NEEDS_APP],
  ["#benchmarks-page .boxes :is(input, button), #benchmarks-page .pair select", NEEDS_APP],
  ['#benchmarks-page [data-kind="download"]:is([data-name="pdf"], [data-name="vega-lite"])', "Made by the app alone"],
];

function greyOut() {
  for (const [selector, reason] of GREY) {
    for (const each of document.querySelectorAll(selector)) [each.disabled, each.title] = [true, reason];
  }
  for (const each of document.querySelectorAll(":is(#explore, #denoise, #family) .exports button")) {
    if (each.textContent === "PDF") [each.disabled, each.title] = [true, "Made by the app alone"];
  }
}

function keepGrey() {
  let due = 0;
  new MutationObserver(() => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      greyOut();
    });
  }).observe(document.getElementById("views"), { childList: true, subtree: true });
  greyOut();
}
