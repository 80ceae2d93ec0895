"use strict";
// The page as it is now replaces the one before; what was opened stays open. Without a stream the page still reloads.
const live = () => document.getElementById("live");
const take = (text) => {
  const open = new Set(Array.from(document.querySelectorAll("details[open]"), (each) => each.id));
  const shut = new Set(Array.from(document.querySelectorAll("details:not([open])"), (each) => each.id));
  const selected = getSelection();
  if (selected && !selected.isCollapsed) return; // somebody is copying a command
  const focused = document.activeElement && document.activeElement.id;
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  if (!next) return;
  for (const each of next.querySelectorAll("details")) {
    if (open.has(each.id)) each.open = true;
    if (shut.has(each.id)) each.open = false;
  }
  live().replaceWith(next);
  document.title = next.dataset.title;
  document.documentElement.dataset.live = "yes";
  if (focused) document.getElementById(focused)?.focus();
};
const source = new EventSource("events");
source.addEventListener("status", (event) => take(event.data));
source.addEventListener("open", () => { document.documentElement.dataset.live = "yes"; });
source.addEventListener("error", () => {
  document.documentElement.dataset.live = "no";
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 30000);
});
