// Dragging: by the whole chip with a mouse, by its number with a finger, so that the page still scrolls.
let drag = null;

const othersThan = (dragged) => [...chips.children].filter((chip) => chip.dataset.at !== "next" && chip !== dragged);

// How many of the other chips stand before the pointer.
function dragTarget(event) {
  const axis = isPhone() ? ["top", "height", event.clientY] : ["left", "width", event.clientX];
  const before = othersThan(drag.chip).filter((chip) => {
    const place = chip.getBoundingClientRect();
    return place[axis[0]] + place[axis[1]] / 2 < axis[2];
  });
  return before.length;
}

// Where `chip`, now at `from`, comes to stand before the first chip behind the pointer that is still in the history.
function dropPlace(chip, from, target) {
  const behind = othersThan(chip).slice(target).map(placeOf).find((place) => place >= 0) ?? state.items.length;
  return behind - (from < behind ? 1 : 0);
}

function letGo() {
  drag.chip.style.transform = "";
  drag.chip.classList.remove("dragged");
  drag = null;
}

chips.addEventListener("pointerdown", (event) => {
  const chip = event.target.closest(".chip");
  if (!chip || chip.dataset.at === "next" || event.button || event.target.closest(".remove, .toggle")) return;
  if (event.pointerType !== "mouse" && !event.target.closest(".number")) return;
  drag = { chip, x: event.clientX, y: event.clientY, lifted: false };
});

addEventListener("pointermove", (event) => {
  if (!drag) return;
  const x = event.clientX - drag.x, y = event.clientY - drag.y;
  if (!drag.lifted && Math.hypot(x, y) < 6) return;
  drag.lifted = true;
  drag.chip.classList.add("dragged");
  drag.chip.style.transform = isPhone() ? `translate(4px, ${y / enlarged()}px)` : `translate(${x / enlarged()}px, -4px)`;
  const target = dragTarget(event), layout = layoutOf(answered), own = Number(drag.chip.dataset.column);
  if (target === drag.target) return;
  drag.target = target;
  const others = othersThan(drag.chip);
  glide(() => others, () => others.forEach((chip, index) => placeChip(chip, index + (index >= target ? 1 : 0), layout)));
  placeChip(drag.chip, own, layout);
});

addEventListener("pointerup", () => {
  if (!drag) return;
  const { chip, lifted, target } = drag, from = placeOf(chip);
  letGo();
  if (lifted && move(from, dropPlace(chip, from, target)) === null) draw(answered);
});
addEventListener("pointercancel", () => {
  if (!drag) return;
  const { lifted } = drag;
  letGo();
  if (lifted) drawAll(answered, false, null);
});
