// Playing: one frame a step, nothing in between, since a tween would invent positions.
const STEP_TIME = 350, SPEEDS = { "½×": 0.5, "1×": 1, "2×": 2 };
let playing = 0, speed = 1;

function stopPlaying() {
  clearTimeout(playing);
  playing = 0;
  drawPlay();
}

function advance() {
  if (shown.step >= lastStep()) return stopPlaying();
  showStep(shown.step + 1);
  playing = setTimeout(advance, STEP_TIME / speed);
  return null;
}

// With reduced motion every press is one step.
function play() {
  if (playing) return stopPlaying();
  if (shown.step >= lastStep()) showStep(0);
  if (!motion()) return showStep(shown.step + 1);
  playing = setTimeout(advance, STEP_TIME / speed);
  return drawPlay();
}

function drawPlay() {
  const button = part("play");
  button.setAttribute("aria-label", playing ? "Pause" : "Play");
  button.querySelector("path").setAttribute("d", playing ? "M5 2H9V20H5ZM13 2H17V20H13Z" : "M5 2L20 11L5 20Z");
  button.disabled = lastStep() === 0;
}

part("play").addEventListener("click", play);
part("speeds").append(...Object.entries(SPEEDS).map(([words, value]) => {
  const button = node("button", { type: "button", "aria-pressed": String(value === speed) }, words);
  button.addEventListener("click", () => {
    speed = value;
    for (const other of part("speeds").children) other.setAttribute("aria-pressed", String(other === button));
  });
  return button;
}));
