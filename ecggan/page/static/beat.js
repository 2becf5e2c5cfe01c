// The median beat, with the boundaries that were measured.

import { svg } from "./dom.js";
import { line, ruled, squares, text } from "./paper.js";
import { decode } from "./signals.js";

const SPEED = 100, GAIN = 20; // mm/s, mm/mV
const TOP = 17.5, BOTTOM = 7.5;
const SPANS = [
  ["P", "p_onset", "p_offset", 0], ["PR", "p_onset", "qrs_onset", 1], ["QRS", "qrs_onset", "qrs_offset", 0],
  ["QT", "qrs_onset", "t_offset", 2],
];

export function drawBeat(beat, lead) {
  const signals = decode(beat), names = lead === "all" ? beat.leads : [lead];
  const onset = beat.boundaries.qrs_onset ?? beat.r_peak_ms - 40;
  const level = Math.round(onset / 1000 * beat.sampling_rate);
  const curves = names.map((name) => signals[name].map((value) => (value - signals[name][level]) * GAIN));
  const highest = Math.max(5, ...curves.map((curve) => Math.max(...curve)));
  const lowest = Math.max(5, ...curves.map((curve) => -Math.min(...curve)));
  const step = SPEED / beat.sampling_rate;
  const width = squares(curves[0].length * step), zero = squares(TOP + highest), height = squares(zero + lowest + BOTTOM);
  const image = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, width: `${width}mm`, height: `${height}mm`, class: "ecg beat", role: "img",
    "aria-label": `median beat, ${lead === "all" ? "all leads" : lead}, ${SPEED} mm/s, ${GAIN} mm/mV`,
  });
  image.append(...ruled(width, height));
  const x = (ms) => ms / 1000 * SPEED;
  for (const time of Object.values(beat.boundaries)) {
    if (time !== null) image.append(svg("path", { d: `M${x(time)} ${TOP - 3}V${height - BOTTOM}`, class: "boundary" }));
  }
  curves.forEach((curve, i) => image.append(svg("path", { d: line(curve, 0, zero, step), class: "trace", "data-lead": names[i] })));
  for (const [name, from, to, row] of SPANS) {
    const [start, end] = [beat.boundaries[from], beat.boundaries[to]];
    if (start === null || end === null) continue;
    const y = 4.5 + row * 4.5;
    image.append(svg("path", { d: `M${x(start)} ${y - 1}v2m0 -1H${x(end)}m0 -1v2`, class: "span-line" }));
    const label = text(`${name} ${Math.round(end - start)}`, (x(start) + x(end)) / 2, y - 1.2, "span-label");
    image.append(label);
  }
  image.append(text(`${SPEED} mm/s   ${GAIN} mm/mV`, 2.5, height - 2.5, "foot"));
  return { image, width, height, speed: SPEED, gain: GAIN };
}
