// An ECG on ECG paper, as SVG whose unit is a millimetre: 1 mm is 40 ms and 0.1 mV at 25 mm/s and 10 mm/mV.

import { svg } from "./dom.js";
import { median } from "./signals.js";

const CLINICAL = [["I", "aVR", "V1", "V4"], ["II", "aVL", "V2", "V5"], ["III", "aVF", "V3", "V6"]];
const TWO_COLUMNS = [["I", "V1"], ["II", "V2"], ["III", "V3"], ["aVR", "V4"], ["aVL", "V5"], ["aVF", "V6"]];
const EIGHT = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"];
const RHYTHM = "II";
const LONGEST_S = 10;

const MARGIN = 2.5, PULSE = 12.5, HEADER = 5, FOOTER = 7.5;
const ROW = 25, DENSE_ROW = 15, GAP = 3, LABEL = 4;

// The rows of a layout: each a list of [lead, from s, to s].
export function rowsOf(layout, leads, durationS) {
  const whole = Math.min(durationS, LONGEST_S);
  const has = (names) => names.every((lead) => leads.includes(lead));
  const twelve = has(CLINICAL.flat());
  if (layout === "8" && has(EIGHT)) return EIGHT.map((lead) => [[lead, 0, whole]]);
  if (!twelve || layout === "12" || layout === "8") return leads.map((lead) => [[lead, 0, whole]]);
  const columns = (rows, seconds) => rows.map((row) => row.map((lead, i) => [lead, i * seconds, (i + 1) * seconds]));
  const rhythm = [[RHYTHM, 0, whole]];
  if (layout === "6x2") return [...columns(TWO_COLUMNS, whole / 2), rhythm];
  if (layout === "narrow") {
    const halves = [[[RHYTHM, 0, whole / 2]], [[RHYTHM, whole / 2, whole]]];
    return [...columns(TWO_COLUMNS, whole / 4), ...halves];
  }
  return [...columns(CLINICAL, whole / 4), rhythm];
}

export function drawPaper({ signals, leads, samplingRate, layout, speed, gain, title }) {
  const length = signals[leads[0]].length;
  const rows = rowsOf(layout, leads, length / samplingRate);
  const traces = rows.map((row) => row.map(([lead, from, to]) => {
    const level = median(signals[lead]);
    const part = signals[lead].subarray(Math.round(from * samplingRate), Math.round(to * samplingRate));
    return { lead, from, mm: part.map((value) => (value - level) * gain) };
  }));
  const { zeros, height } = place(traces, gain, rows.length > 6 ? DENSE_ROW : ROW);
  const seconds = Math.max(...rows.map((row) => row.reduce((sum, [, from, to]) => sum + to - from, 0)));
  const width = squares(2 * MARGIN + PULSE + seconds * speed);
  const image = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, width: `${width}mm`, height: `${height}mm`, class: "ecg", role: "img",
    "aria-label": `${title}: ${leads.join(", ")}, ${speed} mm/s, ${gain} mm/mV`,
  });
  image.append(...ruled(width, height));
  traces.forEach((row, i) => {
    let x = MARGIN + PULSE;
    image.append(pulse(MARGIN, zeros[i], speed, gain));
    for (const { lead, mm } of row) {
      const step = speed / samplingRate;
      image.append(svg("path", { d: line(mm, x, zeros[i], step), class: "trace", "data-lead": lead }));
      image.append(...label(lead, x, zeros[i], mm, step));
      x += mm.length * step;
    }
  });
  image.append(text(title, MARGIN, HEADER - 0.8, "title"));
  image.append(text(`${speed} mm/s   ${gain} mm/mV   ${samplingRate} Hz, no filter added`, MARGIN, height - 2.5, "foot"));
  return { image, width, height, speed, gain };
}

export function ruled(width, height) {
  const lines = (step) => {
    let path = "";
    for (let x = 0; x <= width; x += step) path += `M${x} 0V${height}`;
    for (let y = 0; y <= height; y += step) path += `M0 ${y}H${width}`;
    return path;
  };
  return [
    svg("rect", { width, height, class: "sheet" }),
    svg("path", { d: lines(1), class: "fine" }),
    svg("path", { d: lines(5), class: "coarse" }),
  ];
}

export function line(mm, x, zero, step) {
  let path = "", pen = "M";
  for (let i = 0; i < mm.length; i++) {
    if (Number.isNaN(mm[i])) { pen = "M"; continue; }
    path += `${pen}${(x + i * step).toFixed(2)} ${(zero - mm[i]).toFixed(2)}`;
    pen = "L";
  }
  return path;
}

export function text(content, x, y, kind) {
  return svg("text", { x, y, class: kind }, content);
}

export const squares = (mm) => Math.ceil(mm / 5 - 1e-9) * 5;

// Zero lines on coarse lines of the grid; rows move apart where a large wave needs room, so that nothing is clipped.
function place(traces, gain, leastRow) {
  const largest = (row, sign) => Math.max(0, ...row.map(({ mm }) => mm.reduce((most, value) => Math.max(most, sign * value || 0), 0)));
  const up = traces.map((row) => Math.max(gain, largest(row, 1)) + LABEL);
  const down = traces.map((row) => largest(row, -1));
  const zeros = [squares(HEADER + up[0])];
  for (let i = 1; i < traces.length; i++) zeros.push(squares(zeros[i - 1] + Math.max(leastRow, down[i - 1] + GAP + up[i])));
  return { zeros, height: squares(zeros.at(-1) + Math.max(7.5, down.at(-1)) + FOOTER) };
}

// 1 mV for 0.2 s.
function pulse(x, zero, speed, gain) {
  const wide = 0.2 * speed, side = (PULSE - wide) / 2;
  return svg("path", { d: `M${x} ${zero}h${side}v${-gain}h${wide}v${gain}h${side}`, class: "trace pulse" });
}

function label(lead, x, zero, mm, step) {
  const near = mm.subarray(0, Math.round((2 + 2.2 * lead.length) / step));
  const highest = near.reduce((most, value) => Math.max(most, value || 0), 4);
  return [svg("path", { d: `M${x} ${zero - 2.5}v5`, class: "mark" }), text(lead, x + 1, zero - highest - 1, "lead")];
}
