// Every component starts here: which data set the address names, what is known of it, and then the page's own scripts.
(async () => {
  // What is pressed or typed before those scripts are there waits for them. By itself, a form or a link would leave the page.
  const early = [], itself = ({ target }) => target, kinds = {
    click: ({ target, metaKey, ctrlKey }) => (metaKey || ctrlKey ? null : target.closest("button, a")),
    keydown: ({ target, key }) => (key === "Enter" && target.matches("input") && !target.form ? target : null), // in a form, it clicks
    input: itself,
    change: itself,
  };
  const keepForLater = (event) => {
    const { type } = event, target = kinds[type](event);
    if (!target) return;
    event.preventDefault();
    if (!early.some((one) => one.target === target && one.type === type)) early.push({ target, type });
  };
  for (const kind of Object.keys(kinds)) element.addEventListener(kind, keepForLater, true);
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
  for (const kind of Object.keys(kinds)) element.removeEventListener(kind, keepForLater, true);
  for (const one of early) one.value = one.target.value; // the scripts fill in values of their own
  const dataset = other ? wished : null;
  const ask = (name, question) => server[name]({ dataset, question });
// THE PAGE'S OWN SCRIPTS
  for (const { target, type, value } of early) {
    if (type === "click") target.click();
    else {
      if (target.type !== "file") target.value = value; // a file is still there, and cannot be set
      const Kind = type === "keydown" ? KeyboardEvent : Event;
      target.dispatchEvent(new Kind(type, { key: "Enter", bubbles: true, cancelable: true }));
    }
  }
})();
