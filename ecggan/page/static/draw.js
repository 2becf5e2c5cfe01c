// The view of one ECG of a source: draw, next and previous, take along.

import { $, ask, fromTemplate, options, recall, remember, say } from "./dom.js";
import { Record } from "./record.js";

export class DrawView {
  constructor(main, about, go) {
    Object.assign(this, { about, go });
    main.replaceChildren(fromTemplate("view-ecg"));
    this.record = new Record($(".record", main));
    this.controls = $(".controls", main);
    this.take = $("[data-form=take]", main);
    options(this.controls.elements.source, about.sources.map(({ name, kind }) => [name, `${name} (${kind})`]));
    $(".source-choice", main).hidden = about.sources.length < 2;
    options(this.take.elements.form, about.forms.map(({ form }) => [form, form === "npz" ? "NPZ" : form === "asc" ? ".asc" : form.toUpperCase()]));
    this.controls.elements.normal.checked = recall("normal", "") === "1";
    this.controls.elements.normal.addEventListener("change", (event) => remember("normal", event.target.checked ? "1" : ""));
    this.controls.elements.source.addEventListener("change", () => this.open({ index: 0 }));
    this.controls.addEventListener("submit", (event) => { event.preventDefault(); this.open({}); });
    for (const [name, act] of Object.entries({ draw: () => this.draw(), next: () => this.step(1), previous: () => this.step(-1), print: () => print() })) {
      $(`[data-do=${name}]`, main).addEventListener("click", act);
    }
    this.take.addEventListener("input", () => this.describeTake());
    this.take.addEventListener("submit", (event) => { event.preventDefault(); $("[data-do=download]", main).click(); });
    const screen = $("[name=screen]", main), bar = $(".card-bar", main);
    const show = () => { bar.style.width = `${85.6 * screen.value}mm`; };
    screen.value = recall("screen", "1");
    screen.addEventListener("input", () => { remember("screen", screen.value); show(); this.record.fit(); });
    show();
    this.main = main;
  }

  source() { return this.about.sources.find(({ name }) => name === this.controls.elements.source.value); }

  // The address of an ECG is permanent: what it names is the same for ever.
  address({ seed = this.controls.elements.seed.value || "0", index = Number(this.controls.elements.index.value || 0) }) {
    const isFirst = this.source() === this.about.sources[0];
    return `/ecg/${seed}/${index}${isFirst ? "" : `?source=${encodeURIComponent(this.source().name)}`}`;
  }

  open(where) { this.go(this.address(where)); }

  async draw() {
    const { num_records: most, draws } = this.source();
    const random = new Uint32Array(1);
    crypto.getRandomValues(random);
    await this.find(draws ? { seed: String(random[0]), index: 0 } : { index: random[0] % most }, 1);
  }

  async step(by) {
    const index = this.found.index + by;
    if (index < 0) return say("This is the first ECG.");
    if (index >= (this.source().num_records ?? Infinity)) return say("This is the last ECG.");
    await this.find({ seed: this.found.seed, index }, by);
  }

  async find({ seed = "0", index }, by) {
    const source = this.source().name;
    try {
      if (this.controls.elements.normal.checked) {
        ({ index } = await ask("/api/normal", { source, seed, index, back: by < 0 ? 1 : "" }));
      }
      this.open({ seed, index });
    } catch (error) { say(error.message, true); }
  }

  async show(seed, index, source) {
    const fields = this.controls.elements;
    fields.source.value = source ?? this.about.sources[0].name;
    if (!this.source()) return say(`There is no source ${source}.`, true);
    fields.seed.value = seed;
    fields.index.value = index;
    $(".seed", this.main).hidden = !this.source().draws;
    this.wanted?.abort();
    this.wanted = new AbortController();
    const question = { source: this.source().name, seed, index }, { signal } = this.wanted;
    try { // both at once: the paper is there before the measurements
      const [drawn, measured] = ["/api/drawn", "/api/ecg"].map((path) => ask(path, question, { signal }));
      measured.catch(() => {}); // it fails as the first does
      this.found = await drawn;
      say("");
      this.record.show(this.found, this.title());
      document.title = `${this.title()} – ecggan`;
      this.describeTake();
      this.record.measured(await measured);
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, true);
    }
  }

  title() {
    const { source, seed, index } = this.found;
    return this.source().draws ? `${source}, seed ${seed}, ECG ${index}` : `${source}, ECG ${index}`;
  }

  request() {
    const { what, form, leads, num_records: many } = this.take.elements, { draws, name } = this.source();
    const most = this.about.forms.find((each) => each.form === form.value).most;
    many.max = most;
    if (Number(many.value) > most) many.value = most;
    $(".many", this.main).hidden = what.value === "one";
    $(".leads-choice", this.main).hidden = !draws;
    return {
      source: name, seed: this.found.seed, index: this.found.index, form: form.value, leads: draws ? leads.value : "",
      num_records: what.value === "one" ? "" : Math.max(1, Number(many.value)),
      normal: what.value === "many" && this.controls.elements.normal.checked ? 1 : "",
    };
  }

  async describeTake() {
    if (!this.found) return;
    const wanted = this.request();
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== ""));
    $("[data-do=download]", this.main).href = `/download?${query}`;
    const { command, python } = await ask("/api/command", wanted).catch((error) => ({ command: error.message, python: "" }));
    for (const part of [".command", ".command-hint"]) $(part, this.main).hidden = !command;
    $(".command code", this.main).textContent = command;
    $(".python code", this.main).textContent = python;
  }

  key(event) {
    const act = {
      d: () => this.draw(), ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), p: () => print(),
      n: () => this.controls.elements.normal.click(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    act?.();
    return Boolean(act);
  }
}
