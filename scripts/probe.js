// Put into the page before its own scripts: when something asked for stands on the screen. All times are milliseconds
// of one clock, which begins with the navigation.
const probe = (window.probe = {});
const PATIENCE = 60_000;

// After the next frame: what was changed until now has been laid out and painted. One time for all that one frame shows.
let coming = null;
const painted = () => (coming ??= new Promise((done) => requestAnimationFrame(() => {
  coming = null;
  setTimeout(() => done(performance.now()));
})));

// Calls `look` after every change under `root` until it gives something other than undefined; a promise of that.
function watch(root, look, attributes = false) {
  return new Promise((done, fail) => {
    const observer = new MutationObserver((changes) => {
      const found = look(changes);
      if (found === undefined) return;
      observer.disconnect();
      clearTimeout(late);
      done(found);
    });
    const late = setTimeout(() => {
      observer.disconnect();
      fail(new Error(`nothing to see within ${PATIENCE / 1000} s`));
    }, PATIENCE);
    observer.observe(root, { childList: true, subtree: true, attributes });
  });
}

const adds = (changes, what) => changes.some(({ addedNodes }) => [...addedNodes].some((node) => node.nodeType === 1
  && node.matches(what)));

// The first row of a list that can be seen.
probe.row = watch(document, () => document.querySelector(".list.shown .row")?.checkVisibility() || undefined, true)
  .then(painted);

// A key that was pressed has brought the focus into the search box.
probe.focus = new Promise((done) => {
  addEventListener("focusin", ({ target }) => target.matches(".search") && done(painted()), true);
});

// Gets ready for one event `begin`; `probe.took` is how long after it a node like `what`, new under `where`, was painted.
probe.expect = (begin, where, what) => {
  let began = null;
  addEventListener(begin, (event) => {
    began = event.timeStamp;
  }, { capture: true, once: true });
  probe.took = watch(document.querySelector(where), (changes) => (began !== null && adds(changes, what)) || undefined)
    .then(painted).then((now) => now - began);
};

// Gets ready for the denoising: when each of its frames, as they stream in, was painted, until `.settled b` says that all did.
probe.stream = (begin) => {
  const frames = [];
  let began = null;
  addEventListener(begin, (event) => {
    began = event.timeStamp;
  }, { capture: true, once: true });
  probe.took = watch(document, (changes) => {
    if (adds(changes, ".squares-cell")) frames.push(painted());
    return document.querySelector(".settled b") ? true : undefined;
  }).then(() => Promise.all(frames)).then((times) => times.map((time) => time - began));
};

// Gets ready for the button Play: the time between each two frames of the screen, from there until it stops by itself.
probe.play = () => {
  const button = document.querySelector('[data-part="play"]'), plays = () => button.getAttribute("aria-label") === "Pause";
  probe.took = new Promise((done) => {
    const gaps = [];
    let begun = false, last = 0;
    const frame = (now) => {
      if (begun) gaps.push(now - last);
      last = now;
      if (begun && !plays()) return done(gaps);
      begun ||= plays();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
};
