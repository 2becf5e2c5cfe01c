// Two distributions of a measurement over each other, with single ECGs marked in them.

import { element, number, svg } from "./dom.js";

const WIDTH = 260, HEIGHT = 120, BASE = 92, SIDE = 8;

const finite = (values) => values.filter((value) => value !== null);
const quantile = (sorted, share) => sorted[Math.round((sorted.length - 1) * share)];

export function histogram({ name, unit, sets, marks }) {
  const known = sets.map((set) => finite(set.values).sort((a, b) => a - b));
  const figure = element("figure", { class: "histogram" }, element("figcaption", {}, unit ? `${name} (${unit})` : name));
  const all = known.flat().sort((a, b) => a - b);
  if (!all.length) {
    figure.append(element("p", { class: "hint" }, "not measured in either"));
    return figure;
  }
  const values = [...all, ...marks.map((mark) => mark.value).filter((value) => value !== null)];
  const inside = [quantile(all, 0.005), quantile(all, 0.995)];
  let [low, high] = [Math.min(inside[0], ...values.slice(all.length)), Math.max(inside[1], ...values.slice(all.length))];
  if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
  const bins = 24, wide = (high - low) / bins;
  const x = (value) => SIDE + (Math.min(Math.max(value, low), high) - low) / (high - low) * (WIDTH - 2 * SIDE);
  const shares = known.map((sorted) => {
    const counts = new Array(bins).fill(0);
    for (const value of sorted) if (value >= low && value <= high) counts[Math.min(bins - 1, Math.floor((value - low) / wide))] += 1;
    return counts.map((count) => count / Math.max(1, sorted.length));
  });
  const top = Math.max(...shares.flat());
  const image = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": described(name, unit, sets, known, marks) });
  shares.forEach((share, i) => {
    let path = `M${x(low)} ${BASE}`;
    share.forEach((value, bin) => { path += `V${(BASE - 76 * value / top).toFixed(1)}H${x(low + (bin + 1) * wide).toFixed(1)}`; });
    image.append(svg("path", { d: `${path}V${BASE}Z`, class: `set set-${i}` }));
  });
  image.append(svg("path", { d: `M${SIDE} ${BASE}H${WIDTH - SIDE}`, class: "axis" }));
  for (const [value, anchor] of [[low, "start"], [(low + high) / 2, "middle"], [high, "end"]]) {
    image.append(svg("text", { x: x(value), y: BASE + 13, "text-anchor": anchor, class: "tick" }, number(value, unit)));
  }
  marks.forEach(({ value, set }) => {
    if (value === null) return;
    image.append(svg("path", { d: `M${x(value)} 10V${BASE + 2}`, class: `mark-line set-${set}` }));
    image.append(svg("path", { d: `M${x(value) - 4} 6h8l-4 6Z`, class: `mark-head set-${set}` }));
  });
  figure.append(image);
  return figure;
}

function described(name, unit, sets, known, marks) {
  const parts = sets.map((set, i) => {
    const sorted = known[i];
    if (!sorted.length) return `${set.name}: not measured`;
    return `${set.name}: median ${number(quantile(sorted, 0.5), unit)}, middle half ${number(quantile(sorted, 0.25), unit)} to ${number(quantile(sorted, 0.75), unit)}`;
  });
  const these = marks.filter(({ value }) => value !== null).map(({ label, value }) => `${label}: ${number(value, unit)}`);
  return `${name} ${unit}. ${[...parts, ...these].join(". ")}`;
}
