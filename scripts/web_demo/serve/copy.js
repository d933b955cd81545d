// Copies answers and links, and follows a link that leads to a place of this session.
(function () {
  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const field = document.createElement("textarea");  // without HTTPS browsers have no clipboard
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  const tell = (text) => { window.trame.state.set("message", text); window.trame.state.set("message_problem", false); };

  async function copyLink() {
    const here = await window.trame.trigger("here");
    const hash = "#" + new URLSearchParams(here).toString();
    history.replaceState(null, "", hash);
    await copy(location.href);
    tell("The link is copied. It leads back to this view for as long as this page is open.");
  }

  async function copyAnswer() {
    await copy(window.trame.state.get("answer_text"));
    tell("The answer is copied.");
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#copy-link")) copyLink();
    if (event.target.closest("#copy-answer")) copyAnswer();
  });

  function follow() {
    if (location.hash.length > 1)
      window.trame.trigger("go_to", [Object.fromEntries(new URLSearchParams(location.hash.slice(1)))]);
  }
  window.addEventListener("hashchange", follow);
  follow();
})();
