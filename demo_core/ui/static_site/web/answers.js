// What the views ask, answered from what was computed before. What was not is said plainly, in the page's own places.
const LIVE = "The app computes any history live.";
const COPY = () => `A copy without a server holds what was computed before: ${site.holds}.`;
const UNDO = "Undo goes back; every history it holds can be chosen above.";

const keyOf = (ids) => ids.join(",");
const entryOf = (ids) => site.histories.find((one) => keyOf(one.items) === keyOf(ids)) ?? null;
const chipsOf = (ids, off) => ids.map((id, at) => ({ ...itemOf(id), off: off.includes(at + 1) }));

// The reason why there is no answer, or what was recorded of the state that is asked for.
async function found({ items: ids, off, next, threshold, seed }) {
  const entry = entryOf(ids);
  if (seed) return { refused: `This copy holds the noise of seed 0 alone, not of seed ${seed}.` };
  if (!entry) return { strange: `${COPY()} ${LIVE} ${UNDO}` };
  if (next !== null && next !== entry.next) return { strange: `This copy knows another ${site.noun} that followed this history. ${LIVE}` };
  if (off.length > 1) return { strange: `This copy holds every ${site.noun} switched off alone, not several together. ${LIVE} ${UNDO}` };
  const told = await load(`histories/${site.histories.indexOf(entry)}`), [at = ""] = off;
  if (!told.looks[at]) return { strange: `This copy holds the ${site.noun}s that are read switched off, not earlier ones. ${LIVE} ${UNDO}` };
  const own = { look: told.looks[at], walk: told.walks[at], told, quiet: next === null, at };
  const { evenness, outcome } = own.look.comparison.route ?? {};
  const across = threshold !== null && ["turning", "stable"].includes(outcome) && evenness > threshold !== (outcome === "turning");
  if (!across) return { ...own, moved: threshold !== null && Boolean(outcome) };
  if (at !== "" || !told.other) return { refused: "This copy moves the threshold for whole histories alone." };
  return { ...own, look: told.other, walk: told.other.walk, moved: true };
}

// No answer, as a route without stations: its sentence and its reason stand where the page puts them.
async function strange(ids, reason) {
  const { route } = (await load("histories/0")).looks[""].comparison; // that of the empty history
  if (!route) return { comparison: null, error: reason };
  const told = { ...fresh(route), verdict: "This was not computed for this copy.", reason };
  return { comparison: { route: told, lists: [], effects: null, shared: [], dropped: Math.max(ids.length - site.window, 0), messages: [],
    provenance: [] }, error: null };
}

// Nobody asks for the one that followed: no ranks of it.
function withoutNext(comparison, quiet) {
  for (const each of [...comparison.lists, ...(comparison.effects ? [comparison.effects, ...comparison.effects.items] : [])]) {
    each.truth_rank = null;
  }
  comparison.messages = quiet;
  return comparison;
}

function placesOfHandle({ told }) {
  const { trained_threshold: trained } = told.looks[""].comparison.route, other = told.other?.comparison.route.threshold;
  const number = (value) => value.toFixed(3).replace(/^0/, "");
  return `This copy knows ${other === undefined ? "one threshold" : "two thresholds"} for this history: ${number(trained)}, as trained`
    + `${other === undefined ? "" : `, and ${number(other)}`}. The app takes any.`;
}

async function look(state) {
  const { items: ids, off, next } = state, answer = { items: chipsOf(ids, off), next: next === null ? null : { ...itemOf(next) } };
  const kept = await found(state);
  document.dispatchEvent(new CustomEvent("turnpoint:looked", { detail: entryOf(ids) }));
  if (kept.refused) return { ...answer, comparison: null, error: kept.refused };
  if (kept.strange) return { ...answer, ...await strange(ids, kept.strange) };
  const comparison = fresh(kept.look.comparison), { route } = comparison;
  if (kept.quiet) withoutNext(comparison, [...kept.look.quiet]);
  if (kept.moved) comparison.messages.push(placesOfHandle(kept));
  if (route && !ids.length) route.verdict = "Take a ready history, or a random person.";
  return { ...answer, comparison, error: null };
}

async function why(state) {
  const kept = await found({ ...state, next: null }), own = kept.told?.why[state.item], plain = kept.at === "" && !kept.moved;
  return own && plain ? { why: fresh(own), error: null }
    : { why: null, error: `This copy tells why for whole histories alone, with the threshold as trained. ${LIVE}` };
}

// The app draws somebody by a seed; here the same seed draws among those that were computed.
async function person({ kind, seed }) {
  const people = site.histories.filter((one) => one.kind === "person"), one = people[seed % people.length];
  if (!one) return { error: "This copy holds no example people." };
  return { items: one.items.map(itemOf), next: kind === "real" ? itemOf(one.next) : null, older: Math.max(one.items.length - site.window, 0) };
}

async function walks(state) {
  const { refused, strange: reason, walk, quiet } = await found(state);
  if (!walk) return { problem: refused ?? reason };
  const parts = fresh(walk);
  for (const part of parts) {
    if (part.kind === "model") part.around = site.around[part.model] ?? [];
    if (part.kind === "frame" && quiet) part.truth_rank = null;
  }
  return { parts };
}

const noPdf = async () => ({ error: "A PDF comes from the app alone. SVG and PNG are made here." });
