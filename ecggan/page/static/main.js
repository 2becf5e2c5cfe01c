// Which view the address asks for; links within the page; keys.

import { $, $$, ask, isTyping, say } from "./dom.js";
import { CompareView } from "./compare.js";
import { DrawView } from "./draw.js";
import { FileView } from "./file.js";
import { QuizView } from "./quiz.js";
import { current, forget } from "./record.js";

const VIEWS = { ecg: DrawView, compare: CompareView, file: FileView, quiz: QuizView };
const main = $("#main");
let view, name, about;

function go(address) {
  history.pushState(null, "", address);
  return route();
}

async function route() {
  const [, first = "", seed = "0", index = "0"] = location.pathname.split("/");
  const query = new URLSearchParams(location.search), wanted = VIEWS[first] ? first : "ecg";
  if (wanted !== name) {
    forget();
    view = new VIEWS[wanted](main, about, go);
    name = wanted;
    document.title = "ecggan";
  }
  for (const link of $$("nav a")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  await (name === "ecg" ? view.show(seed, index, query.get("source")) : view.show(query));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/']");
  const isOurs = link && !link.hasAttribute("download") && !link.target && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!isOurs) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

document.addEventListener("keydown", (event) => {
  if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches?.("button, a, summary") && [" ", "Enter"].includes(event.key)) return;
  if (current()?.key(event) || view?.key?.(event)) event.preventDefault();
});

addEventListener("popstate", route);

try {
  about = await ask("/api/about");
  $("#version").textContent = `Version ${about.version}.`;
  await route();
} catch (error) { say(error.message, true); }
