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

  // Resolves when the file is sent, or could not be.
  function send(file, name) {
    return new Promise((done) => {
      if (request !== null) { problem("Another file is being sent. Wait until it is there."); return done(); }
      let shown = -1;
      request = new XMLHttpRequest();
      request.open("POST", address);
      request.setRequestHeader("X-File-Name", encodeURIComponent(name));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => {
        const percent = event.total ? Math.floor((100 * event.loaded) / event.total) : 0;
        if (request !== null && percent !== shown) set({ upload_percent: (shown = percent) });
      };
      request.onload = () => {
        const status = request.status;
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch (error) { answer = {}; }
        if (status === 200) set({ upload_percent: -1 });
        else problem(answer.problem || `The file was not taken (${status}).`);
      };
      request.onerror = () => problem("The file was not sent: the connection ended, or it is too large.");
      request.onabort = () => set({ upload_percent: -1 });
      request.onloadend = () => { request = null; done(); };
      set({ upload_percent: 0 });
      request.send(file);
    });
  }

  const VOLUME = /\.(nii|nii\.gz|nrrd|mha|zip)$/i;
  const MOST_FILES = 5000;

  // files: [{name, file}]. A volume is sent as it is; what else was dropped is taken for the slices of one series.
  async function sendAll(files) {
    const visible = files.filter(({ name }) => !name.split("/").pop().startsWith("."));
    if (visible.length === 1) return send(visible[0].file, visible[0].file.name);
    const volumes = visible.filter(({ name }) => VOLUME.test(name));
    if (volumes.length === 1) return send(volumes[0].file, volumes[0].file.name);
    if (volumes.length > 1) return problem("One scan at a time, please: these are several. Files of a DICOM series may come together.");
    if (visible.length === 0) return problem("There is no file in it.");
    if (visible.length > MOST_FILES) return problem(`At most ${MOST_FILES} files can be opened together.`);
    set({ upload_percent: 0 });
    const zip = await window.zipOf(visible);
    const folder = visible[0].name.includes("/") ? visible[0].name.split("/")[0] : visible[0].file.name;
    return send(zip, `${folder}.zip`);
  }

  async function within(entry, path, files) {
    if (entry.isFile) {
      files.push({ name: path + entry.name, file: await new Promise((done, fail) => entry.file(done, fail)) });
      return files;
    }
    const reader = entry.createReader();
    for (let batch; (batch = await new Promise((done, fail) => reader.readEntries(done, fail))).length;)
      for (const one of batch) await within(one, `${path}${entry.name}/`, files);
    return files;
  }

  async function dropped(data) {
    const entries = [...data.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    const plain = [...data.files].map((file) => ({ name: file.name, file }));
    if (entries.length === 0) return sendAll(plain);
    const files = [];
    for (const entry of entries) await within(entry, "", files);
    return sendAll(files);
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#open-file")) document.getElementById("scan-file").click();
    if (event.target.closest("#cancel-upload") && request !== null) request.abort();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "scan-file") return;
    sendAll([...event.target.files].map((file) => ({ name: file.name, file })));
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
    dropped(event.dataTransfer);
  });
})();
