// What pages with figures need around them: their size, their tables, and when to draw them.
function roomFor(svg, least) {
  const frame = svg.parentNode, style = getComputedStyle(frame);
  return Math.max(frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight), least);
}

function setSize(svg, width, height) {
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
}

// `heads` are texts, `rows` lists of values; nothing is read as HTML.
function tableOf(heads, rows, caption) {
  return node("table", {}, ...(caption ? [node("caption", {}, caption)] : []),
    node("thead", {}, node("tr", {}, ...heads.map((text) => node("th", { scope: "col" }, text)))),
    node("tbody", {}, ...rows.map((cells) => node("tr", {}, ...cells.map((value) => node("td", {}, String(value)))))));
}

// Opening a tab shows its component; another tab may have changed the address meanwhile.
function whenSeen(act) {
  new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting) act();
  }).observe(element);
}

// A talk fits what has come into the screen.
let grownTo = 0; // pixels
function tellGrown() {
  if (!element.offsetParent || element.offsetHeight === grownTo) return;
  grownTo = element.offsetHeight;
  document.dispatchEvent(new CustomEvent("turnpoint:grown"));
}

// Only another width is drawn anew. It is 0 while another tab is open, so what came meanwhile is drawn on the way back.
function whenWidthChanges(act) {
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width === drawn) return;
    drawn = width;
    if (width) act();
  }).observe(element);
}
