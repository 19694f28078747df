// Every component starts here: which data set the address names, what is known of it, and then the page's own scripts.
(async () => {
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
  const dataset = other ? wished : null;
  const ask = (name, question) => server[name]({ dataset, question });
// THE PAGE'S OWN SCRIPTS
})();
