// Which data and device answer, and the link to what is seen.
const LEFT = ["view", "present", "tour", "step"]; // what an address keeps when the data set changes: no ids
part("pill").textContent = [facts.dataset, facts.device].filter(Boolean).join(" · ");

// The tabs of the views stand on the same line, and scroll in what these leave of it.
function leaveRoom() {
  const header = part("data").parentElement, shown = [...header.children].slice(1).filter((one) => one.offsetWidth);
  const taken = shown.length ? header.getBoundingClientRect().right - shown[0].getBoundingClientRect().left : 0;
  document.documentElement.style.setProperty("--tp-right", `${Math.ceil(taken)}px`);
}
const room = new ResizeObserver(leaveRoom);
for (const one of [part("data").parentElement, ...part("data").parentElement.children]) room.observe(one);

function linkToData(name) {
  const now = new URLSearchParams(location.search), next = new URLSearchParams();
  if (name !== props.value.first) next.set("data", name);
  for (const each of LEFT) if (now.get(each)) next.set(each, now.get(each));
  return `${location.pathname}?${next}`;
}

// Read anew at every visit: data sets come and go while the app runs.
async function offerData() {
  const offered = await ask("datasets").catch(() => null);
  if (!offered) return;
  const choice = offered.datasets.length > 1;
  part("data").replaceChildren(...offered.datasets.map(({ name, title, own }) =>
    node("option", { value: name, selected: name === offered.chosen }, own ? `${title} (own)` : title)));
  part("data").value = offered.chosen;
  part("data").title = `Answers come from ${facts.device}`;
  show(part("data"), choice);
  show(part("pill"), !choice);
}

// A choice by pointer leads there at once. By keys it may be one on the way: it counts with Enter, or when it is left.
let byKeys = false;
function goToData() {
  byKeys = false;
  const { value } = part("data");
  if (value && value !== (dataset ?? props.value.first)) location.assign(linkToData(value));
}
part("data").addEventListener("keydown", (event) => {
  byKeys = event.key !== "Enter";
  if (event.key === "Enter") goToData();
});
part("data").addEventListener("pointerdown", () => {
  byKeys = false;
});
part("data").addEventListener("change", () => {
  if (!byKeys) goToData();
});
part("data").addEventListener("blur", goToData);

// In a new tab these links show what is seen here: they are made when they are about to be used.
for (const [name, change] of [["tour", { tour: "history" }], ["present", { present: "1" }]]) {
  for (const about of ["pointerdown", "focus", "contextmenu"]) {
    part(name).addEventListener(about, () => {
      part(name).href = addressWith(change);
    });
  }
}
document.addEventListener("turnpoint:data", offerData);
offerData();
if (addressValue("gone")) {
  part("gone").textContent = `There is no data set “${addressValue("gone").slice(0, 60)}” here any more. This is ${facts.dataset}.`;
  show(part("gone"), true);
  writeInAddress({ gone: null });
}

part("copy").addEventListener("click", async () => {
  const button = part("copy");
  const say = (words) => {
    button.textContent = words;
    part("live").textContent = words;
    setTimeout(() => {
      button.textContent = "Copy link";
    }, 2000);
  };
  try {
    await navigator.clipboard.writeText(location.href);
    say("Copied");
  } catch {
    prompt("Copy this link:", location.href);
  }
});

// The view as it is now, in one file that needs no server: styles inside, nothing that runs, nothing that is fetched.
function offlinePage() {
  const root = document.documentElement, page = root.cloneNode(true);
  const live = [...root.querySelectorAll("*")], copies = [...page.querySelectorAll("*")];
  live.forEach((each, at) => {
    if (each.matches("body *") && !each.closest("svg") && getComputedStyle(each).display === "none") copies[at].dataset.gone = "";
    if (each.matches("input, select, textarea, button")) copies[at].setAttribute("disabled", "");
    if (each.matches("input")) copies[at].setAttribute("value", each.value);
    if (each.matches("[type=checkbox], [type=radio]")) copies[at].toggleAttribute("checked", each.checked);
    if (each.matches("option")) copies[at].toggleAttribute("selected", each.selected);
    if (each.matches("textarea")) copies[at].textContent = each.value;
  });
  for (const each of page.querySelectorAll("[data-gone], script, noscript, link, style, iframe, template, base, meta[http-equiv]")) each.remove();
  for (const each of page.querySelectorAll("a[href]")) each.removeAttribute("href");
  const rules = [...document.styleSheets].flatMap((sheet) => {
    try {
      return [...sheet.cssRules].map((rule) => rule.cssText);
    } catch {
      return [];
    }
  }).filter((rule) => !/^@(font-face|import)|url\((?!["']?data:)/.test(rule));
  const style = document.createElement("style");
  style.textContent = rules.join("\n");
  page.querySelector("head").append(style);
  const note = document.createElement("p");
  note.textContent = `Saved on ${new Date().toISOString().slice(0, 10)} from ${location.href}`;
  note.style.cssText = "padding: 0 24px 24px; font-size: 13px; overflow-wrap: anywhere";
  page.querySelector("body").append(note);
  return `<!doctype html>\n${page.outerHTML}`;
}

part("save").addEventListener("click", () => {
  const link = node("a", { download: "turnpoint.html", href: URL.createObjectURL(new Blob([offlinePage()], { type: "text/html" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
