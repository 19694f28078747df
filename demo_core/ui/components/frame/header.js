// Which data and device answer, and the link to what is seen.
part("pill").textContent = [props.value?.dataset, props.value?.device].filter(Boolean).join(" · ");

part("copy").addEventListener("click", async () => {
  const button = part("copy");
  const say = (words) => {
    button.textContent = words;
    part("live").textContent = words;
    setTimeout(() => {
      button.textContent = "Copy link";
    }, 2000);
  };
  try {
    await navigator.clipboard.writeText(location.href);
    say("Copied");
  } catch {
    prompt("Copy this link:", location.href);
  }
});
