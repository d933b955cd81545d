// Files that are chosen or dropped go to this page's own server, with progress; nothing else leaves the browser.
(function () {
  const address = location.pathname.replace(/[^/]*$/, "") + "upload";
  let request = null;

  function set(values) {
    for (const [name, value] of Object.entries(values)) window.trame.state.set(name, value);
  }

  function problem(text) {
    set({ upload_percent: -1, message: text, message_problem: true });
  }

  function send(file) {
    if (request !== null) return problem("Another file is being sent. Wait until it is there.");
    let shown = -1;
    request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => {
      const percent = event.total ? Math.floor((100 * event.loaded) / event.total) : 0;
      if (request !== null && percent !== shown) set({ upload_percent: (shown = percent) });
    };
    request.onload = () => {
      const status = request.status;
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch (error) { answer = {}; }
      request = null;
      if (status === 200) set({ upload_percent: -1 });
      else problem(answer.problem || `The file was not taken (${status}).`);
    };
    request.onerror = () => { request = null; problem("The file was not sent: the connection ended, or it is too large."); };
    request.onabort = () => { request = null; set({ upload_percent: -1 }); };
    set({ upload_percent: 0 });
    request.send(file);
  }

  function sendFirst(files) {
    if (files.length > 1) problem("One file at a time, please. Put the files of a DICOM series into a ZIP.");
    else if (files.length === 1) send(files[0]);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#open-file")) document.getElementById("scan-file").click();
    if (event.target.closest("#cancel-upload") && request !== null) request.abort();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "scan-file") return;
    sendFirst(event.target.files);
    event.target.value = "";
  });

  let inside = 0;
  const carriesFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const mark = () => document.body.classList.toggle("dropping", inside > 0);
  document.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { inside += 1; mark(); } });
  document.addEventListener("dragleave", (event) => { if (carriesFiles(event)) { inside = Math.max(0, inside - 1); mark(); } });
  document.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    inside = 0;
    mark();
    sendFirst(event.dataTransfer.files);
  });
})();
