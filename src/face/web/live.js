"use strict";
// The page as it is now takes the place of the one before; what was opened stays open. Without a stream it still reloads.
const root = document.documentElement;
const ids = (selector) => new Set(Array.from(document.querySelectorAll(selector), (each) => each.id));
const take = (text) => {
  const selected = getSelection();
  if (selected && !selected.isCollapsed) return; // somebody is copying a command
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  const before = document.getElementById("live");
  if (!next || !before) return;
  const [open, shut] = [ids("details[open]"), ids("details:not([open])")];
  for (const each of next.querySelectorAll("details")) {
    if (open.has(each.id)) each.open = true;
    if (shut.has(each.id)) each.open = false;
  }
  const focused = document.activeElement.closest("details")?.id;
  before.replaceWith(next);
  if (focused) document.getElementById(focused)?.querySelector("summary").focus();
  document.title = next.dataset.title;
};
let source;
const listen = () => {
  source = new EventSource("events");
  source.addEventListener("status", (event) => take(event.data));
  source.addEventListener("open", () => { root.dataset.live = "yes"; });
  source.addEventListener("error", () => {
    root.dataset.live = "no";
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 30000);
  });
};
listen();
// A page that is only kept for the way back must hold no place in the stream.
addEventListener("pagehide", () => source.close());
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
