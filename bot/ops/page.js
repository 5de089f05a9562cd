"use strict";
let stream, quiet;
function heard() {
  document.body.classList.remove("old");
  clearTimeout(quiet);
  quiet = setTimeout(() => document.body.classList.add("old"), 30000);
}
function listen() {
  stream = new EventSource(document.body.dataset.stream);
  stream.onmessage = (event) => {
    heard();
    const sections = JSON.parse(event.data);
    for (const [id, content] of Object.entries(sections)) {
      const section = document.getElementById(id);
      if (section && !section.contains(document.activeElement)) section.innerHTML = content;
    }
  };
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 10000);
  };
}
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
heard();
listen();
