"""Which view is open stands in the page's address (``?view=benchmarks``), so that a link opens it again."""

from __future__ import annotations

FIRST_VIEW = "explore"

# Gradio selects the first tab by itself while the page starts, in no fixed order with the page's load event: whichever
# comes first opens what the address says, and only what is selected after that is written.
OPEN_VIEW = """() => {
  const views = document.querySelector("#views"), view = new URLSearchParams(location.search).get("view");
  const tab = view && views?.querySelector(`[role="tab"][data-tab-id="${CSS.escape(view)}"]`);
  if (!views || views.dataset.opened) return;
  views.dataset.opened = "yes";
  tab?.click();
}"""


def remember(view: str) -> str:
    """JavaScript that writes the opened view into the address; the first one needs no mention. Where not all tabs have
    room, theirs is brought into sight.
    """
    change = "delete('view')" if view == FIRST_VIEW else f"set('view', '{view}')"
    return f"""() => {{
  if (!document.querySelector("#views")?.dataset.opened) return ({OPEN_VIEW})();
  const tab = document.querySelector('#views [role="tab"][data-tab-id="{view}"]');
  document.fonts.ready.then(() => tab?.scrollIntoView({{ block: "nearest", inline: "center" }}));
  const address = new URL(location);
  address.searchParams.{change};
  history.replaceState(history.state, "", address.href.replaceAll("%2C", ",").replaceAll("%40", "@"));
}}"""
