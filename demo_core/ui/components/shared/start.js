// Every component starts here: which data set the address names, what is known of it, and then the page's own scripts.

// What is pressed or typed before those scripts are there waits for them; by itself, a form or a link would leave the page.
// By kind of event: what it is done to, or null where the browser may do it.
const WAITING = {
  click: ({ target, metaKey, ctrlKey }) => (metaKey || ctrlKey ? null : target.closest("button, a")),
  keydown: ({ target, key }) => (key === "Enter" && target.matches("input") && !target.form ? target : null), // in a form, it clicks
  input: ({ target }) => target,
  change: ({ target }) => target,
};

// Keeps each kind once for each target, until what it gives is called for what was kept.
function keepInput() {
  const kept = [];
  const keep = (event) => {
    const { type } = event, target = WAITING[type](event);
    if (!target) return;
    event.preventDefault();
    if (!kept.some((one) => one.target === target && one.type === type)) kept.push({ target, type });
  };
  for (const type of Object.keys(WAITING)) element.addEventListener(type, keep, true);
  return () => {
    for (const type of Object.keys(WAITING)) element.removeEventListener(type, keep, true);
    return kept.map((one) => ({ ...one, value: one.target.value })); // the scripts fill in values of their own
  };
}

function repeat({ target, type, value }) {
  if (type === "click") {
    target.click();
    return;
  }
  if (target.type !== "file") target.value = value; // a file is still there, and cannot be set
  const Kind = type === "keydown" ? KeyboardEvent : Event;
  target.dispatchEvent(new Kind(type, { key: "Enter", bubbles: true, cancelable: true }));
}

(async () => {
  const keptSoFar = keepInput();
  const wished = new URLSearchParams(location.search).get("data"), other = wished && wished !== props.value.first;
  // Of the first data set the page knows the facts already, unless bundles have come since the app started.
  const asked = other || props.value.changing ? await server.facts_of(other ? wished : null).catch(() => undefined) : undefined;
  const facts = other ? asked : { ...props.value, ...asked };
  if (facts === null) {
    // Without that data set the ids in the address mean nothing: the page starts anew and says so.
    location.replace(`${location.pathname}?gone=${encodeURIComponent(wished)}`);
    return;
  }
  if (!facts) {
    const note = document.createElement("p");
    note.className = "tp-unanswered";
    note.textContent = "No answer came. Load the page again.";
    element.replaceChildren(note);
    return;
  }
  const early = keptSoFar();
  const dataset = other ? wished : null;
  const ask = (name, question) => server[name]({ dataset, question });
  const NO_ANSWER = "No answer came. Try again.", NO_ANSWER_KEPT = "No answer came. Your history is kept; try again.";
// THE PAGE'S OWN SCRIPTS
  early.forEach(repeat);
})();
