// The steps of a sampling, as they were computed before: all of them are there at once.
let walkAsked = 0;

function cancelStream() {
  walkAsked += 1;
}

async function stream(endpoint, [items, , , , , seed, threshold, next, off], onPart, onEnd) {
  const mine = (walkAsked += 1);
  const answer = await ask("walks", { items, off, next, threshold, seed }).catch(() => null);
  if (mine !== walkAsked) return;
  for (const part of answer?.parts ?? []) onPart(part);
  onEnd(answer ? answer.problem ?? null : NO_ANSWER);
}
