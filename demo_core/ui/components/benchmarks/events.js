// What the visitor does.
async function download(format, figure) {
  try {
    const file = await ask("download", { ...view.choice, format, figure, dark: dark() });
    if (file.message) return notice([file.message]);
    const bytes = Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  } catch (error) {
    notice(["The file could not be made. Try again."]);
  }
}

function jump(name) {
  const section = page.querySelector(`[data-section="${name}"]`);
  if (section.matches("details")) section.open = true;
  section.scrollIntoView({ block: "start" });
  (section.querySelector("summary") ?? section).focus({ preventScroll: true });
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-kind]");
  if (!button) return;
  const { kind, name, protocol, figure } = button.dataset;
  if (kind === "download") download(name, figure);
  else if (kind === "jump") jump(name);
  else if (kind === "pair") look({ dataset: name, protocol, beside: false });
  else if (kind === "beside") look({ beside: name === "true" });
  else if (kind === "models") look({ models: name === "all" ? null : [] });
  else look({ [kind]: name, beside: false });
});

// Does not bubble, so it is caught on its way down.
element.addEventListener("toggle", (event) => {
  if (!view || !event.target.matches("details.section[open]")) return;
  compareRows();
  loadFigures();
}, true);

element.addEventListener("change", (event) => {
  const { kind } = event.target.dataset;
  if (kind === "model") {
    const boxes = [...page.querySelectorAll('input[data-kind="model"]')], chosen = boxes.filter((box) => box.checked);
    look({ models: chosen.length === boxes.length ? null : chosen.map((box) => box.dataset.name) });
  } else if (kind === "first" || kind === "second") {
    wishes = { ...wishes, [kind]: event.target.value };
    view.choice[kind] = event.target.value;
    writeAddress(wishes);
    compareRows();
  }
});

at("exports").innerHTML = exportButtons();
new ResizeObserver(refit).observe(page);
new MutationObserver(refit).observe(document.body, { attributes: true, attributeFilter: ["class"] });
look();
