// Asks a streaming endpoint and takes its answer in part by part, over the public address: what a program gets, the page gets.
let source = null;

function cancelStream() {
  source?.close();
  source = null;
}

// `data` are the endpoint's parameters in their order; `onPart(part)` for each object that arrives; `onEnd(problem)` once,
// with null when everything came.
async function stream(endpoint, data, onPart, onEnd) {
  cancelStream();
  const place = `gradio_api/call/${endpoint}`;
  const mine = { close() {} };
  source = mine;
  let id;
  try {
    const asked = await fetch(new URL(place, document.baseURI), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ data }),
    });
    if (!asked.ok) {
      if (source === mine) onEnd(BUSY);
      return;
    }
    ({ event_id: id } = await asked.json());
  } catch {
    if (source === mine) onEnd(NO_ANSWER);
    return;
  }
  if (source !== mine) {
    // Nobody waits any more: a connection that closes at once frees the place.
    const gone = new EventSource(new URL(`${place}/${id}`, document.baseURI));
    gone.addEventListener("open", () => gone.close());
    return;
  }
  const events = new EventSource(new URL(`${place}/${id}`, document.baseURI));
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
