// The tabs, and the theme: what Gradio does in the app.
const tabs = [...document.querySelectorAll('#views [role="tab"]')];

function openTab(tab) {
  for (const each of tabs) {
    const open = each === tab;
    each.setAttribute("aria-selected", String(open));
    each.classList.toggle("selected", open);
    each.tabIndex = open ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !open;
  }
  document.body.dataset.view = tab.dataset.tabId;
  turnpoint.remember[tab.dataset.tabId]();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => openTab(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], at = tabs.indexOf(tab);
    const next = step ? tabs.at((at + step) % tabs.length) : { Home: tabs[0], End: tabs.at(-1) }[event.key];
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // the same arrows walk through steps
    next.focus();
    openTab(next);
  });
}

const wishedTheme = new URLSearchParams(location.search).get("__theme"), darkness = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.body.classList.toggle("dark", wishedTheme ? wishedTheme === "dark" : darkness.matches);
paint();
if (!wishedTheme) darkness.addEventListener("change", paint);
