// Every component starts here: which data set the address names, what is known of it, and then the page's own scripts.
(async () => {
  const wished = new URLSearchParams(location.search).get("data");
  const facts = wished && wished !== props.value.first ? await server.facts_of(wished).catch(() => undefined) : props.value;
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
  const dataset = facts === props.value ? null : wished;
  const ask = (name, question) => server[name]({ dataset, question });
// THE PAGE'S OWN SCRIPTS
})();
