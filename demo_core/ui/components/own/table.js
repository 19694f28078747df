// What was found in the table.
const counted = (number, word) => `${number.toLocaleString("en")} ${word}`;

function columnsWords({ columns }) {
  const named = Object.entries(columns).map(([ours, theirs]) => (ours === theirs.toLowerCase() ? ours : `${ours} (“${theirs}”)`));
  return `Columns: ${named.join(", ")}${columns.title ? "" : "; without titles, ids stand for names"}.`;
}

function keptWords(found) {
  const { people, items, interactions, people_before, items_before, rows, since, until } = found;
  const time = since ? `, ${since} to ${until}` : "";
  return `${counted(rows, "rows")}${time}. ${counted(people, "of")} ${counted(people_before, "people")} and ${counted(items, "of")} `
    + `${counted(items_before, "items")} have enough interactions: ${counted(interactions, "interactions")}, ${(interactions / people).toFixed(1)} a person.`;
}

function drawTable() {
  const { found, sending, checking, name, file } = order;
  show(part("found"), Boolean(found));
  part("file-words").textContent = sending || checking ? `${name} is being read …` : file ? name : "or drop one here";
  if (!found) return;
  const lines = [keptWords(found), columnsWords(found), ...found.notes, `The first: ${found.examples.join(", ")}.`];
  part("found").replaceChildren(...lines.map((text) => node("p", {}, text)));
}
