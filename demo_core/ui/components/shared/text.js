// Words and figures. Figures drop the leading zero: .961
function decimal(value, digits) {
  const text = Math.abs(value).toFixed(digits), sign = value < 0 && Number(text) > 0 ? "−" : "";
  return sign + text.replace(/^0\./, ".");
}
const evennessText = (value) => decimal(value, 3);
const cosineText = (value) => decimal(value, 2);
const percent = (share) => `${Math.round(100 * share)} %`;
const asPercent = (share) => (100 * share).toFixed(1);

function ordinal(number) {
  const teen = number % 100 >= 10 && number % 100 <= 20;
  return number.toLocaleString("en") + (teen ? "th" : { 1: "st", 2: "nd", 3: "rd" }[number % 10] ?? "th");
}

// Where a word that is wider than its chip may break: before the consonants with which a syllable begins. Chromium
// breaks no capitalised words by itself, and titles are capitalised.
const ONSET = "(?:[bcdfgkpt][rl]|[cpst]h|qu|[b-df-hj-np-tv-xz])[aeiouy]";
const BREAK = new RegExp(`(?<=\\p{L}{3})(?<=[aeiouy]\\p{L}*)(?!(?<=[bcdfgkpt])[rl]|(?<=[cpst])h)(?=${ONSET}\\p{L})`, "giu");
const breakable = (word) => word.replace(BREAK, "\u00AD");

const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// Alternative titles stand in brackets after the main one; the whole title is in the tooltip.
const mainTitle = (item) => item.title.replace(/(\s*\([^()]*\))+\s*$/, "") || item.title;
const nameOf = (item) => (item.unknown ? String(item.id) : mainTitle(item));
const fullTitle = (item) => (item.year ? `${item.title} (${item.year})` : item.title);

const MARKS = {
  card: { colour: "var(--card)", sign: "●" },
  tdm: { colour: "var(--tdm)", sign: "■" },
  globaldiff: { colour: "var(--gd)", sign: "▲" },
};
const markOf = (model) => MARKS[model] ?? { colour: "var(--muted)", sign: "⬢" };

// A text in lines of at most so many characters; a word that is longer is cut. Drawings break no lines by themselves.
function wrapped(text, most) {
  const found = [""], piece = new RegExp(`.{1,${Math.max(most, 4)}}`, "gsu");
  for (const word of text.split(" ").flatMap((each) => each.match(piece) ?? [""])) {
    const line = found.at(-1);
    if (line && line.length + word.length >= most) found.push(word);
    else found[found.length - 1] = line ? `${line} ${word}` : word;
  }
  return found;
}
