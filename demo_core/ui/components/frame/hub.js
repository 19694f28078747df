// Which models come from the Hub, how far each is, and a line to name another.
const STATES = { ready: "here", waiting: "fetched when it is first chosen", fetching: "being fetched…", failed: "not used" };
let hubTimer = null;

function bundleLine(line, { title, source, state, message }) {
  const parts = [node("strong", {}, title ?? source), ` ${title ? source : ""} · ${STATES[state] ?? state}`];
  if (message) parts.push(node("p", {}, message));
  line.replaceChildren(...parts);
  line.dataset.state = state;
}

async function showBundles() {
  clearTimeout(hubTimer);
  const told = await ask("bundles").catch(() => null);
  if (!told) return;
  show(part("hub"), told.open || told.bundles.length > 0);
  show(part("hub-form"), told.open);
  keyed(part("hub-list"), told.bundles, (one) => one.name, () => node("li"), bundleLine);
  show(part("hub-none"), !told.bundles.length);
  const fetching = told.bundles.some((one) => one.state === "fetching");
  if (showBundles.fetching && !fetching) {
    part("hub-note").textContent = "Load the page again to see what has come.";
    show(part("hub-again"), true);
  }
  showBundles.fetching = fetching;
  if (fetching && part("hub-dialog").open) hubTimer = setTimeout(showBundles, 700);
}

part("hub").addEventListener("click", () => {
  part("hub-dialog").showModal();
  showBundles();
});
part("hub-close").addEventListener("click", () => part("hub-dialog").close());
part("hub-again").addEventListener("click", () => location.reload());
part("hub-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const named = part("hub-name").value;
  const answer = await ask("add_bundle", named).catch(() => ({ error: NO_ANSWER }));
  part("hub-note").textContent = answer.error ?? "";
  if (answer.error) return;
  if (part("hub-name").value === named) part("hub-name").value = ""; // the next may be typed already
  showBundles.fetching = true;
  showBundles();
});
if (facts.hub) showBundles();
