// Calipers on a drawing in millimetres: two legs, dragged by mouse or finger or moved by the arrows.

import { minus, svg } from "./dom.js";

const STEP = 0.5, LARGE_STEP = 5; // mm

export class Calipers {
  // drawing: { image, width, height, speed (mm/s), gain (mm/mV) }; say(text) shows the reading.
  constructor(drawing, say, onChange = () => {}) {
    Object.assign(this, drawing, { say, onChange, isOn: false, held: 1 });
    this.group = svg("g", { class: "calipers", visibility: "hidden" });
    this.area = svg("rect", { class: "span" });
    this.legs = [svg("path", { class: "leg" }), svg("path", { class: "leg" })];
    this.group.append(this.area, ...this.legs);
    this.image.append(this.group);
    this.image.addEventListener("pointerdown", (event) => this.press(event));
    this.image.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.image.addEventListener(name, () => { this.isDragging = false; });
  }

  toggle(isOn = !this.isOn) {
    this.isOn = isOn;
    this.image.classList.toggle("measuring", isOn);
    if (isOn && !this.points) {
      const x = this.width / 2, y = this.height / 2;
      this.points = [[x, y + 2.5], [x + this.speed / 5, y - 2.5]];
    }
    if (!isOn) this.points = undefined;
    this.show();
    this.onChange(isOn);
  }

  at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.image.getScreenCTM().inverse());
    return [point.x, point.y];
  }

  press(event) {
    if (event.button > 0 || (event.pointerType !== "mouse" && !this.isOn)) return; // a finger scrolls until they are on
    event.preventDefault();
    const here = this.at(event);
    const distances = this.points?.map((point) => Math.hypot(point[0] - here[0], point[1] - here[1])) ?? [];
    const reach = event.pointerType === "mouse" ? 1.5 : 6;
    this.held = distances.findIndex((distance) => distance < reach);
    if (this.held < 0) { this.points = [here, [...here]]; this.held = 1; }
    if (!this.isOn) this.toggle(true);
    this.isDragging = true;
    this.image.setPointerCapture(event.pointerId);
    this.show();
  }

  drag(event) {
    if (!this.isDragging) return;
    this.points[this.held] = this.at(event);
    this.show();
  }

  // True if the key was for the calipers.
  key(event) {
    if (!this.isOn) return false;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (event.key === "Escape") this.toggle(false);
    else if (event.key === " ") this.held = 1 - this.held;
    else if (move) this.points[this.held] = this.points[this.held].map((value, axis) => value + move[axis]);
    else return false;
    this.show();
    return true;
  }

  show() {
    this.group.setAttribute("visibility", this.points ? "visible" : "hidden");
    if (!this.points) { this.say(""); return; }
    const limit = (value, most) => Math.min(Math.max(value, 0), most);
    this.points = this.points.map(([x, y]) => [limit(x, this.width), limit(y, this.height)]);
    const [[x0, y0], [x1, y1]] = this.points;
    this.points.forEach(([x, y], i) => {
      this.legs[i].setAttribute("d", `M${x} 0V${this.height}M${x - 4} ${y}h8`);
      this.legs[i].classList.toggle("held", i === this.held);
    });
    for (const [key, value] of Object.entries({ x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) })) {
      this.area.setAttribute(key, value);
    }
    const ms = Math.abs(x1 - x0) / this.speed * 1000, mv = (y0 - y1) / this.gain * (x1 < x0 ? -1 : 1);
    const rate = ms > 150 ? `, ${Math.round(60000 / ms)} bpm` : "";
    this.say(`${Math.round(ms)} ms${rate}, ${minus(mv.toFixed(2))} mV`);
  }
}
