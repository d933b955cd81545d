// The wheel goes through slices, all waiting steps in one call; a double click shows one view alone, or all again.
(function () {
  const NOTCH = 100, FINE = 40;
  const waiting = new Map();
  const sending = new Set();
  const over = (event) => event.target.closest("div:has(> .over-view)")?.querySelector(":scope > .over-view");
  const isSlice = (view) => view && !view.classList.contains("view-space");

  async function send(name) {
    if (sending.has(name)) return;
    sending.add(name);
    try {
      for (let steps; (steps = Math.trunc(waiting.get(name) || 0)) !== 0;) {
        waiting.set(name, waiting.get(name) - steps);
        await window.trame.trigger("scroll", [name, steps]);
      }
    } finally {
      sending.delete(name);
    }
  }

  document.addEventListener("wheel", (event) => {
    const view = over(event);
    if (!isSlice(view) || event.ctrlKey) return;
    event.preventDefault();
    event.stopPropagation();
    const name = view.id.slice("over-".length);
    const amount = event.deltaMode === 0 ? event.deltaY : event.deltaY * NOTCH;
    const steps = Math.abs(amount) >= NOTCH / 2 ? Math.sign(amount) * Math.max(1, Math.round(Math.abs(amount) / NOTCH))
      : amount / FINE;
    waiting.set(name, (waiting.get(name) || 0) - steps);
    send(name);
  }, { capture: true, passive: false });

  // Pictures say what they show, for who does not see them; and nobody is kept from enlarging the page.
  function describe() {
    for (const view of document.querySelectorAll(".over-view")) {
      const words = view.querySelector(".view-name")?.innerText.replace(/\s+/g, " ") || "";
      const picture = view.parentElement.querySelector("img");
      if (picture && picture.alt !== words) picture.alt = words;
    }
  }
  new MutationObserver(describe).observe(document.body, { childList: true, subtree: true, characterData: true });
  document.querySelector("meta[name=viewport]").content = "width=device-width, initial-scale=1";

  document.addEventListener("dblclick", (event) => {
    const view = over(event);
    if (!view || event.target.closest("button, .view-slider")) return;
    window.trame.trigger("alone", [view.id.slice("over-".length)]);
  });
})();
