// Measurements beside an ECG: the strip above it, the table with usual limits, amplitudes by lead, the screen's rules.

import { element, minus, number } from "./dom.js";

const STATES = { normal: "✓", low: "↓ low", high: "↑ high", missing: "missing" };

function withUnit(text, unit) {
  return unit ? `${text}${unit === "°" ? "" : "\u00a0"}${unit}` : text;
}

function range({ low, high, unit }) {
  if (low === null && high === null) return "";
  if (low === null) return `up to ${number(high, unit)}`;
  if (high === null) return `from ${number(low, unit)}`;
  return minus(`${low}`) + (low < 0 ? " to " : "–") + minus(`${high}`);
}

export function strip(measurements) {
  const by = Object.fromEntries(measurements.map((line) => [line.column, line]));
  const axes = ["p_axis_deg", "qrs_axis_deg", "t_axis_deg"].map((column) => by[column]);
  const entries = [
    ["Rate", [by.heart_rate_bpm], "bpm"], ["PR", [by.pr_interval_ms], "ms"], ["QRS", [by.qrs_duration_ms], "ms"],
    ["QT / QTc", [by.qt_interval_ms, by.qtc_fridericia_ms], "ms"], ["P-QRS-T axes", axes, "°"],
  ];
  return entries.map(([name, lines, unit]) => {
    const isOff = lines.some((line) => ["low", "high", "missing"].includes(line.state));
    const values = lines.map((line) => number(line.value, line.unit)).join(" / ");
    return element("li", { class: isOff ? "off" : "" }, element("span", {}, name), element("b", {}, withUnit(values, unit)));
  });
}

export function measurementTable(found) {
  const rows = found.measurements.map((line) => element("tr", { class: line.state },
    element("th", { scope: "row" }, line.name),
    element("td", { class: "number" }, line.value === null ? "–" : withUnit(number(line.value, line.unit), line.unit)),
    element("td", { class: "range" }, range(line)),
    element("td", { class: "state" }, STATES[line.state] ?? "")));
  const head = element("tr", {}, ...["Measurement", "Value", "Usual", ""].map((name) => element("th", { scope: "col" }, name)));
  const [used, all] = found.num_beats;
  const notes = [`On the median of ${used} of ${all} beats. Usual limits of adults; the screen's are wider.`];
  if (found.missing) notes.push(`Missing: ${found.missing}.`);
  return [element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    ...notes.map((note) => element("p", { class: "hint" }, note))];
}

export function amplitudeTable({ waves, leads, values, derived }) {
  const head = element("tr", {}, element("th", { scope: "col" }, "Lead"), ...waves.map((wave) => element("th", { scope: "col" }, wave)));
  const rows = leads.map((lead, i) => element("tr", {},
    element("th", { scope: "row", title: derived.includes(lead) ? "follows from I and II" : null }, lead),
    ...values[i].map((value) => element("td", { class: "number" }, number(value, "mV")))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
}

export function ruleList(rules, isMeasurable) {
  const sorted = [...rules].sort((one, other) => Boolean(other.finding) - Boolean(one.finding));
  return sorted.map(({ title, finding, source }) => element("li", { class: finding ? "broken" : "kept", title: `Source: ${source}` },
    element("span", { class: "sign", "aria-hidden": "true" }, !isMeasurable ? "·" : finding ? "✗" : "✓"),
    element("span", {}, finding ? element("b", {}, `${finding}. `) : "", title.replace(/(^|[^\w])-(?=\d)/g, "$1−"))));
}

export function verdict(found) {
  if (found.not_measured) return ["bad", `Not measured: ${found.not_measured}`];
  if (!found.is_measurable) return ["bad", found.reasons[0] ?? "not measurable"];
  return found.reasons.length ? ["bad", `Not normal: ${found.reasons.join("; ")}`] : ["good", "Normal by the screen"];
}
