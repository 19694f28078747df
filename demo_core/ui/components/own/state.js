// What is asked of the workshop, and what it tells. The training goes on without this page; the page only looks.
const PAUSE = 1000; // between two looks while something is trained
const order = { file: null, found: null, sending: false, brought: 0, checking: false, asked: 0, starting: false, eager: false };
let told = { progress: null, own: [] };
let looking = null;

const running = () => told.progress?.state === "running";
const wanted = () => ({
  file: order.file,
  title: part("title").value.trim(),
  noun: part("noun").value.trim(),
  fewest: Number(part("fewest").value),
  models: facts.models.map(({ name }) => name).filter((name) => part("boxes").querySelector(`[value="${name}"]`).checked),
  effort: part("effort").value,
  seed: Math.round(Number(part("seed").value)),
});

// The file that is chosen last counts, whichever arrives first.
async function bring(file) {
  if (file.size > facts.largest) {
    draw(`${file.name} has ${Math.ceil(file.size / 1e6)} MB; expected at most ${Math.floor(facts.largest / 1e6)} MB. Parquet is smaller than CSV.`);
    return;
  }
  const mine = ++order.brought;
  Object.assign(order, { sending: true, name: file.name });
  draw(undefined);
  const sent = await upload(file).catch(() => null);
  if (mine !== order.brought) return;
  order.sending = false;
  if (!sent) {
    Object.assign(order, { file: null, found: null, eager: false });
    draw("The file did not arrive. Try again.");
    return;
  }
  order.file = { path: sent.path };
  if (!part("title").value) part("title").value = file.name.replace(/(\.(csv|tsv|txt|parquet|gz))+$/i, "").slice(0, 40);
  await check(file.name);
}

// Looks into the file. What was found before stays until then, so that nothing jumps under a click; an answer that another
// question has overtaken is not drawn.
async function check(name) {
  const mine = ++order.asked;
  order.checking = true;
  order.name = name;
  draw(undefined);
  const { file, fewest, noun } = wanted();
  const answer = await ask("check", { file, fewest, noun }).catch(() => null);
  if (mine !== order.asked) return;
  const { eager } = order;
  Object.assign(order, { checking: false, eager: false, found: answer?.found ?? null });
  draw(answer ? answer.error ?? "" : NO_ANSWER);
  if (order.found) part("live").textContent = part("found").textContent;
  if (order.found && eager) start();
}

// While a table is on its way or read once more, a start waits for it; one start is enough.
async function start() {
  if (order.starting) return;
  if (order.sending || order.checking) {
    order.eager = true;
    return;
  }
  order.starting = true;
  const { brought } = order, answer = await ask("start", wanted()).catch(() => null);
  order.starting = false;
  if (!answer || answer.error) {
    draw(answer?.error ?? NO_ANSWER);
    return;
  }
  if (brought === order.brought) Object.assign(order, { file: null, found: null }); // another file may have come meanwhile
  part("verdict").focus({ preventScroll: true });
  take(answer, "");
}

async function stop() {
  part("verdict").focus({ preventScroll: true }); // the button goes, the focus must not go with it
  const answer = await ask("stop", null).catch(() => null);
  if (answer) take(answer, "");
}

async function remove(name) {
  const answer = await ask("remove", name).catch(() => null);
  if (!answer || answer.error) draw(answer?.error ?? NO_ANSWER);
  if (!answer || answer.error) return;
  // Where nothing is left to look at, the page goes back to the first data set.
  if (name === dataset) location.assign("?view=own");
  else {
    document.dispatchEvent(new CustomEvent("turnpoint:data"));
    take(answer, "");
  }
}

const trainedOf = (progress) => (progress?.lessons ?? []).filter((lesson) => lesson.state === "trained").length;

// `problem`: what to say in place of an old problem, undefined: leave it.
function take(answer, problem) {
  const before = told.progress;
  told = answer;
  const { progress } = told, ended = before?.state === "running" && !running();
  if (trainedOf(progress) !== trainedOf(before) || ended || !before) document.dispatchEvent(new CustomEvent("turnpoint:data"));
  draw(problem);
  if (ended) part("live").textContent = part("verdict").textContent;
  clearTimeout(looking);
  if (running()) looking = setTimeout(look, PAUSE);
}

// What was told meanwhile, such as that a training has begun, is newer than the answer.
async function look() {
  const before = told, answer = await ask("progress", null).catch(() => null);
  if (told !== before) return;
  if (answer) take(answer, undefined);
  else looking = setTimeout(look, 5 * PAUSE);
}
