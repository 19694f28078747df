// What the keys do, behind `?`.
const KEYS = [
  ["anywhere", [["?", "this map"]]],
  ["explore", [["/", "search"], ["1 to 9, 0", `${noun} off or on`], ["Ctrl Z, Ctrl Shift Z", "undo, redo"]]],
  ["history", [["← →", "from one to the next"], ["Space", "off or on"], ["Enter", "replace"], ["Alt ← →", "move"], ["Delete", "remove"]]],
  ["threshold, steps", [["← →", "a little"], ["Shift ← →", "ten times as much"], ["Home, End", "to either end"], ["Enter", "back"]]],
  ["lists", [["↑ ↓", "row"], ["← →", `the same ${noun} in the list beside`], ["Enter", "why"]]],
  ["family tree", [["← → ↑ ↓", "from system to system"]]],
  ["denoising", [["k or Space", "play, pause"], ["← →", "step"]]],
  ["presentation", [["← →", "step"], ["d", "dark"], ["f", "full screen"], ["Esc", "leave"]]],
];

part("keys-list").append(...KEYS.map(([where, keys]) => node("section", {}, node("h3", {}, where),
  node("dl", {}, ...keys.flatMap(([key, words]) => [node("dt", {}, key), node("dd", {}, words)])))));

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || (event.target instanceof Element && event.target.matches("input, textarea, select"))) return;
  event.preventDefault();
  if (part("keys").open) part("keys").close();
  else part("keys").showModal();
});
part("keys-close").addEventListener("click", () => part("keys").close());
