// What was pressed shows at once that it works, and the views are dimmed while their pictures are older than the page.
(function () {
  const PRESSABLE = "button, .v-chip, .v-list-item, .structure-offer, .hits tr, input";
  const running = new Map();
  let pressed = null;

  function press(event) {
    pressed = event.target.closest ? event.target.closest(PRESSABLE) : null;
    setTimeout(() => { pressed = null; }, 0);
  }
  document.addEventListener("click", press, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") press(event); }, true);
  document.addEventListener("mousedown", (event) => { if (event.target.closest(".structure-offer")) press(event); }, true);

  function count(element, step) {
    const now = (running.get(element) || 0) + step;
    if (now > 0) running.set(element, now); else running.delete(element);
    if (now > 0) element.setAttribute("aria-busy", "true"); else element.removeAttribute("aria-busy");
    document.body.classList.toggle("waiting", running.size > 0);
  }

  const trigger = window.trame.trigger;
  window.trame.trigger = async function (...call) {
    const by = pressed;
    if (by === null) return trigger.apply(this, call);
    count(by, 1);
    try { return await trigger.apply(this, call); } finally { count(by, -1); }
  };

  // A plane that has moved, until the picture of it is there.
  const PLACE = /^(\w+)_place$/;
  const viewOf = (name) => document.getElementById(`over-${name}`)?.parentElement;
  window.trame.state.addListener(({ type, keys }) => {
    if (type !== "dirty-state") return;
    for (const key of keys) {
      const found = PLACE.exec(key);
      if (found) viewOf(found[1])?.classList.add("stale");
    }
  });
  document.addEventListener("load", (event) => {
    if (event.target.tagName === "IMG") event.target.closest(".stale")?.classList.remove("stale");
  }, true);
})();
