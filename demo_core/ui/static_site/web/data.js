// What was computed before lies in data/, one script a value: JSON, deflated. Scripts are read from a disk too, where
// nothing can be fetched.
const arrived = new Map(), asked = new Map();

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(plain).text());
}

function brought(name) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = `data/${name}.js`;
    script.onload = () => (arrived.has(name) ? done(arrived.get(name)) : failed(new Error(`${name} is broken`)));
    script.onerror = () => failed(new Error(`${name} is missing`));
    document.head.append(script);
  });
}

// Once is enough, unless it failed.
function load(name) {
  if (!asked.has(name)) {
    asked.set(name, brought(name).then(inflated).catch((error) => {
      asked.delete(name);
      throw error;
    }));
  }
  return asked.get(name);
}

// The catalogue as items 1..M, and what is known of each beside: names to find it by, and how often it was a target.
let items = [], known = null, site = null;

async function open() {
  [known, site] = await Promise.all([load("catalogue"), load("site")]);
  items = known.titles.map((title, at) => ({ id: at + 1, title, year: known.years[at],
    genres: known.genres_of[at].map((genre) => known.genres[genre]), popularity: known.popularity[at], trained: known.counts[at] > 0 }));
}

const itemOf = (id) => items[id - 1] ?? { id, unknown: true };

// A copy of its own for whoever asked, with the items in the place of {"#": id}.
function fresh(value) {
  if (Array.isArray(value)) return value.map(fresh);
  if (value === null || typeof value !== "object") return value;
  if ("#" in value) return itemOf(value["#"]);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fresh(each)]));
}
