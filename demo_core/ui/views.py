"""Which view is open stands in the page's address (``?view=benchmarks``), so that a link opens it again."""

from __future__ import annotations

FIRST_VIEW = "explore"

# Gradio selects the first tab by itself while the page starts, in no fixed order with the page's load event: whichever
# comes first opens what the address says, and only what is selected after that is written. Any other tab was chosen by
# somebody, however early: it stays.
OPEN_VIEW = f"""() => {{
  const views = document.querySelector("#views"), view = new URLSearchParams(location.search).get("view");
  if (!views || views.dataset.opened) return;
  views.dataset.opened = "yes";
  const selected = views.querySelector('[role="tab"][aria-selected="true"]');
  if (selected && selected.dataset.tabId !== "{FIRST_VIEW}") return;
  if (view) views.querySelector(`[role="tab"][data-tab-id="${{CSS.escape(view)}}"]`)?.click();
}}"""


def remember(view: str) -> str:
    """JavaScript that writes the opened view into the address; the first one needs no mention. Where not all tabs have
    room, theirs is brought into sight.
    """
    change = "delete('view')" if view == FIRST_VIEW else f"set('view', '{view}')"
    first = f"if (!views?.dataset.opened) return ({OPEN_VIEW})();"
    opened = first if view == FIRST_VIEW else 'views.dataset.opened = "yes";'
    return f"""() => {{
  const views = document.querySelector("#views");
  {opened}
  const tab = document.querySelector('#views [role="tab"][data-tab-id="{view}"]');
  document.fonts.ready.then(() => tab?.scrollIntoView({{ block: "nearest", inline: "center" }}));
  const address = new URL(location);
  address.searchParams.{change};
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ",").replaceAll("%40", "@"));
}}"""
