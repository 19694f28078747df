// What the visitor has chosen stands in the page's address, and nothing else, so that a link brings it back.
const addressWords = ["dataset", "protocol", "metric", "first", "second"];

function readAddress() {
  const query = new URLSearchParams(location.search), wishes = {};
  for (const name of addressWords) if (query.get(name)) wishes[name] = query.get(name).slice(0, 80);
  const models = query.get("models");
  if (models) wishes.models = models === "none" ? [] : models.split(",").slice(0, 100);
  if (query.get("beside") === "true") wishes.beside = true;
  return wishes;
}

function writeAddress(wishes) {
  const address = new URL(location), { models } = wishes;
  const values = { ...wishes, models: models && (models.length ? models.join(",") : "none"), beside: wishes.beside || null };
  for (const name of [...addressWords, "models", "beside"]) {
    if (values[name]) address.searchParams.set(name, values[name]);
    else address.searchParams.delete(name);
  }
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ",").replaceAll("%40", "@").replaceAll("%3A", ":"));
}
