// One ECG, shown and measured: the paper with its options, the table, the median beat.

import { $, $$, element, fromTemplate, options, recall, remember } from "./dom.js";
import { drawBeat } from "./beat.js";
import { Calipers } from "./calipers.js";
import { drawPaper } from "./paper.js";
import { decode } from "./signals.js";
import { amplitudeTable, measurementTable, ruleList, strip, verdict } from "./tables.js";

const SETTINGS = { layout: "auto", speed: "25", gain: "10", size: "fit" };
const A4_MM = [281, 194]; // landscape, without the margins
const NARROW_PX = 640, TRUE_PX = 96 / 25.4;

let shown; // the record in view, for keys and printing

export class Record {
  // root: an empty element; isBare: the paper alone.
  constructor(root, { isBare = false } = {}) {
    root.replaceChildren(fromTemplate("record"));
    Object.assign(this, { root, isBare });
    root.classList.toggle("bare", isBare);
    if (isBare) for (const part of $$(".details, .measurements, .strip, .verdict", root)) part.remove();
    for (const [name, usual] of Object.entries(SETTINGS)) {
      const select = $(`[name=${name}]`, root);
      select.value = recall(name, usual);
      if (!select.value) select.value = usual;
      select.addEventListener("change", () => { remember(name, select.value); this.draw(); });
    }
    $("[data-do=calipers]", root).addEventListener("click", () => this.calipers?.toggle());
    $("[name=beat-lead]", root)?.addEventListener("change", () => this.drawBeat());
    new ResizeObserver(() => this.fit()).observe($(".paper", root));
  }

  show(found, title) {
    Object.assign(this, { found, title, signals: decode(found) });
    $("h1", this.root).textContent = title;
    this.draw();
    if (!this.isBare) this.describe();
    shown = this;
  }

  // The ECG in view, as it is known once it is measured.
  measured(found) {
    this.found = found;
    this.describe();
  }

  setting(name) { return $(`[name=${name}]`, this.root).value; }

  layout() {
    const chosen = this.setting("layout");
    if (chosen !== "auto") return chosen;
    return this.root.clientWidth < NARROW_PX || this.setting("speed") === "50" ? "narrow" : "3x4";
  }

  draw(change = {}) {
    if (!this.found) return;
    const { leads, sampling_rate: samplingRate } = this.found;
    const wanted = { layout: this.layout(), speed: Number(this.setting("speed")), gain: Number(this.setting("gain")), ...change };
    this.drawn = wanted.layout;
    this.drawing = drawPaper({ signals: this.signals, leads, samplingRate, title: this.title, ...wanted });
    $(".paper", this.root).replaceChildren(this.drawing.image);
    this.calipers = this.withCalipers(this.drawing, $(".paper-figure .readout", this.root), $("[data-do=calipers]", this.root));
    this.fit();
  }

  withCalipers(drawing, readout, button) {
    return new Calipers(drawing, (text) => { readout.textContent = text; }, (isOn) => button?.setAttribute("aria-pressed", isOn));
  }

  // How many times larger a CSS millimetre must be to be one on this screen.
  screen() { return Number(recall("screen", "1")) || 1; }

  fit() {
    if (!this.drawing) return;
    if (this.setting("layout") === "auto" && this.layout() !== this.drawn && !this.isPrinting) return this.draw();
    const { image, width, height } = this.drawing, screen = this.screen(), room = $(".paper", this.root).clientWidth / TRUE_PX / screen;
    const size = this.setting("size");
    const scale = size === "fit" ? Math.min(room / width, 1) : Number(size);
    image.setAttribute("width", `${width * scale * screen}mm`);
    image.setAttribute("height", `${height * scale * screen}mm`);
    const isTrue = Math.abs(scale - 1) < 0.005;
    $(".scale-note", this.root).textContent = isTrue ? "true size" : `${Math.round(100 * scale)} % of true size`;
  }

  describe() {
    const { found, root } = this, line = $(".verdict", root);
    const isWaiting = found.is_measurable === undefined; // the last ECG's numbers keep their place
    for (const part of $$(".strip, .measurements, .details", root)) part.classList.toggle("waiting", isWaiting);
    if (isWaiting) {
      line.className = "verdict";
      line.textContent = "Measuring …";
      return;
    }
    const [kind, words] = verdict(found);
    line.className = `verdict ${kind}`;
    line.textContent = words;
    const isMeasured = Boolean(found.measurements);
    for (const part of $$(".strip, .measurements, .details", root)) part.hidden = !isMeasured;
    if (!isMeasured) return;
    $(".strip", root).replaceChildren(...strip(found.measurements));
    $(".measurements", root).replaceChildren(...measurementTable(found));
    $(".amplitudes", root).replaceChildren(amplitudeTable(found.amplitudes));
    $(".rules", root).replaceChildren(...ruleList(found.rules, found.is_measurable));
    $(".beat-figure", root).hidden = !found.beat;
    if (!found.beat) return;
    options($("[name=beat-lead]", root), [["all", "all"], ...found.beat.leads.map((lead) => [lead, lead])], $("[name=beat-lead]", root).value);
    this.drawBeat();
  }

  drawBeat() {
    const drawing = drawBeat(this.found.beat, $("[name=beat-lead]", this.root).value);
    $(".beat-paper", this.root).replaceChildren(drawing.image);
    this.beatCalipers = this.withCalipers(drawing, $(".beat-figure .readout", this.root));
  }

  // True if the key was for the calipers of this record.
  key(event) {
    const own = $(".beat-paper", this.root)?.contains(document.activeElement) ? this.beatCalipers : this.calipers;
    if (own?.key(event)) return true;
    if (event.key.toLowerCase() !== "c" || event.ctrlKey || event.metaKey) return false;
    own?.toggle();
    return true;
  }

  // On paper: true to scale where it fits on A4, or as a layout that does.
  beforePrint() {
    this.isPrinting = true;
    const fits = () => this.drawing.width <= A4_MM[0] && this.drawing.height <= A4_MM[1];
    if (!fits() || this.drawn === "narrow") this.draw({ layout: this.drawing.speed === 50 ? "narrow" : "3x4" });
    const { image, width, height } = this.drawing, scale = Math.min(1, A4_MM[0] / width, A4_MM[1] / height);
    image.setAttribute("width", `${width * scale}mm`);
    image.setAttribute("height", `${height * scale}mm`);
    $(".scale-note", this.root).textContent = scale === 1 ? "" : `printed at ${Math.round(100 * scale)} % of true size`;
  }

  afterPrint() { this.isPrinting = false; this.draw(); }
}

export const current = () => (shown?.root.isConnected ? shown : undefined);
export const forget = () => { shown = undefined; };

export function paperOf(root, found, title) {
  const record = new Record(root.appendChild(element("div", { class: "record" })), { isBare: true });
  record.show(found, title);
  return record;
}

addEventListener("beforeprint", () => current()?.beforePrint());
addEventListener("afterprint", () => current()?.afterPrint());
