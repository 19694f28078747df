// Titles are found as the app finds them: without case, accents and punctuation, by any name, and when misspelt.
const EXACT = 0, PREFIX = 1, WORDS = 2, INSIDE = 3;
const MOST_SHOWN = 8, MOST_ALIKE = 40, SHORTEST = 3, HALF = 0.9; // half a title counts a little less than a whole one

function normalised(text) {
  const plain = text.replaceAll("&", " and ").normalize("NFKD").toLowerCase().replaceAll("ß", "ss");
  return plain.replace(/[\p{M}'’`]/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

function articleFirst(text) {
  const last = new RegExp(`^(.*), (${known.search.articles.join("|")}|l')((?: *\\([^()]*\\))*)$`, "i");
  return text.replace(last, "$2 $1$3");
}

function howItMatches(name, wanted, words) {
  if (name.startsWith(wanted)) return name === wanted ? EXACT : PREFIX;
  const padded = ` ${name}`;
  if (words.every((word) => padded.includes(word))) return WORDS;
  return wanted.length >= SHORTEST && name.includes(wanted) ? INSIDE : null;
}

const commoner = (a, b) => known.counts[b - 1] - known.counts[a - 1] || a - b;

function direct(query, wanted) {
  const best = new Map(), number = /^#?\s*([0-9]{1,12})$/.exec(query);
  const offer = (id, how, kind) => {
    const old = best.get(id);
    if (!old || how < old[0] || (how === old[0] && kind < old[1])) best.set(id, [how, kind]);
  };
  if (number && items[Number(number[1]) - 1]) offer(Number(number[1]), EXACT, known.search.alternative + 1);
  if (wanted && !query.startsWith("#")) {
    const words = wanted.split(" ").map((word) => ` ${word}`);
    known.names.forEach((names, at) => names.forEach(([name, kind]) => {
      for (const text of known.years[at] === null ? [name] : [name, `${name} ${known.years[at]}`]) {
        const how = howItMatches(text, wanted, words);
        if (how !== null) offer(at + 1, how, kind);
      }
    }));
  }
  return [...best].sort(([a, [how, kind]], [b, [other, its]]) => how - other || kind - its || commoner(a, b)).map(([id]) => id);
}

// How alike two texts are, in per cent: twice their longest common subsequence by their lengths.
function alikeness(a, b) {
  let row = new Uint16Array(b.length + 1);
  for (const letter of a) {
    const next = new Uint16Array(b.length + 1);
    for (let at = 1; at <= b.length; at += 1) next[at] = letter === b[at - 1] ? row[at - 1] + 1 : Math.max(row[at], next[at - 1]);
    row = next;
  }
  return (200 * row[b.length]) / (a.length + b.length);
}

function alike(wanted) {
  if (wanted.length < SHORTEST) return [];
  const scores = new Map(), names = known.names.flatMap((all, at) => all.map(([name]) => [name, at + 1]));
  for (const [part, worth] of [[(name) => name, 1], [(name) => name.slice(0, wanted.length), HALF]]) {
    const found = names.map(([name, id]) => [alikeness(wanted, part(name)), id]).filter(([score]) => score * worth >= known.search.alike);
    for (const [score, id] of found.sort(([a], [b]) => b - a).slice(0, MOST_ALIKE)) {
      scores.set(id, Math.max(scores.get(id) ?? 0, score * worth));
    }
  }
  return [...scores].sort(([a, one], [b, other]) => other - one || commoner(a, b)).map(([id]) => id);
}

function search(typed) {
  const query = String(typed).slice(0, known.search.longest).trim();
  if (!query) return { query, suggestions: [], message: null };
  const wanted = normalised(articleFirst(query)), found = direct(query, wanted), near = found.length ? [] : alike(wanted);
  const suggestions = [...found, ...near].slice(0, MOST_SHOWN).map((id) => ({ item: itemOf(id), near_miss: !found.length }));
  return { query, suggestions, message: suggestions.length ? null : `No ${site.noun} is called “${query}”, and none is spelt like it.` };
}
