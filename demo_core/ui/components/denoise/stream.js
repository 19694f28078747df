// Asks for the sampling and takes it in step by step, over the public endpoint: what a program gets, the page gets.
const ENDPOINT = "gradio_api/call/denoise";
let source = null;

function cancelStream() {
  source?.close();
  source = null;
}

// `onPart(part)` for each object that arrives; `onEnd(problem)` once, with null when everything came.
async function stream(question, onPart, onEnd) {
  cancelStream();
  const { items, off, next, threshold, seed, steps, guidance } = question;
  const data = [items, null, steps, guidance, 10, seed, threshold, next, off];
  const mine = { close() {} };
  source = mine;
  let id;
  try {
    const asked = await fetch(new URL(ENDPOINT, document.baseURI), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ data }),
    });
    ({ event_id: id } = await asked.json());
  } catch {
    if (source === mine) onEnd("No answer came. Try again.");
    return;
  }
  if (source !== mine) return;
  const events = new EventSource(new URL(`${ENDPOINT}/${id}`, document.baseURI));
  source = events;
  const end = (problem) => {
    events.close();
    if (source !== events) return;
    source = null;
    onEnd(problem);
  };
  events.addEventListener("generating", (event) => {
    if (source === events) onPart(JSON.parse(event.data)[0]);
  });
  events.addEventListener("complete", () => end(null));
  events.addEventListener("error", (event) => end(event.data ? problemIn(event.data) : "The connection was lost. Try again."));
}

// The message of a refused question comes as JSON; without one the machine was busy.
function problemIn(data) {
  try {
    const found = JSON.parse(data);
    return found?.error ?? (typeof found === "string" ? found : BUSY);
  } catch {
    return data || BUSY;
  }
}
const BUSY = "The machine is busy. Your history is kept; try again.";
