// The history in the page's address, which all views share: a link brings it back.
function historyInAddress() {
  const query = new URLSearchParams(location.search);
  const id = (text) => (/^\d{1,9}$/.test(text) ? Number(text) : text.slice(0, 40));
  const list = (name) => (query.get(name) ?? "").split(",").map((text) => text.trim()).filter(Boolean);
  const threshold = query.get("threshold") ? Number(query.get("threshold")) : null;
  const items = list("items").map(id);
  return {
    items,
    off: list("off").map(Number).filter((position) => Number.isInteger(position) && position >= 1 && position <= items.length),
    next: query.get("next") ? id(query.get("next")) : null,
    threshold: Number.isNaN(threshold) ? null : threshold,
    seed: /^\d{1,10}$/.test(query.get("seed") ?? "") ? Number(query.get("seed")) : 0,
  };
}

// A link of its own that stays with the data set.
const linkWith = (query) => `?${dataset ? `data=${encodeURIComponent(dataset)}&` : ""}${query}`;

// Values that are empty leave the address.
function writeInAddress(values) {
  const address = new URL(location);
  for (const [name, value] of Object.entries(values)) {
    if (value === "" || value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ",").replaceAll("%40", "@"));
}
