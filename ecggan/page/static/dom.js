// Small helpers: elements, requests, numbers as text.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const SVG = "http://www.w3.org/2000/svg";

export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function fromTemplate(id) {
  return document.getElementById(id).content.cloneNode(true);
}

export async function ask(path, parameters = {}, options = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  let answer;
  try {
    answer = await fetch(`${path}?${query}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the page's server does not answer; is it still running?");
  }
  const found = await answer.json().catch(() => ({ error: `the server answers ${answer.status}` }));
  if (!answer.ok) throw new Error(found.error ?? `the server answers ${answer.status}`);
  return found;
}

export function say(text, isError = false) {
  const message = $("#message");
  message.textContent = text;
  message.classList.toggle("error", isError);
}

export const minus = (text) => String(text).replace("-", "−");

export function number(value, unit = "") {
  if (value === null || value === undefined) return "–";
  const digits = unit === "mV" ? 2 : 0;
  const text = value.toFixed(digits);
  return minus(Number(text) === 0 ? (0).toFixed(digits) : text);
}

export function options(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  if (chosen !== undefined && entries.some(([value]) => String(value) === String(chosen))) select.value = chosen;
}

export function isTyping(event) {
  return event.target.matches?.("input:not([type=checkbox]):not([type=radio]), select, textarea");
}

// Settings of the view survive a reload; a browser that forbids storage goes without.
export function remember(key, value) {
  try { localStorage.setItem(`ecggan.${key}`, value); } catch { /* private mode */ }
}

export function recall(key, fallback) {
  try { return localStorage.getItem(`ecggan.${key}`) ?? fallback; } catch { return fallback; }
}
