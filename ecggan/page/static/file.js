// Somebody's own ECG: sent to this machine's server, shown, measured; and the generated ECG that is nearest.

import { $, ask, element, fromTemplate, options, say } from "./dom.js";
import { Record, paperOf } from "./record.js";

export class FileView {
  constructor(main, about) {
    Object.assign(this, { main, about });
    main.replaceChildren(fromTemplate("view-file"));
    this.form = $("[data-form=file]", main);
    this.fields = this.form.elements;
    this.fields.file.addEventListener("change", () => this.take(this.fields.file.files));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.read(); });
    for (const name of ["position", "start"]) this.fields[name].addEventListener("change", () => this.read());
    const over = (isOver) => (event) => { event.preventDefault(); this.form.classList.toggle("over", isOver); };
    main.addEventListener("dragover", over(true));
    main.addEventListener("dragleave", over(false));
    main.addEventListener("drop", (event) => { over(false)(event); this.take(event.dataTransfer.files); });
    const generators = about.sources.filter(({ kind }) => kind === "generated");
    options($(".nearest select", main), generators.map(({ name }) => [name, name]));
    $(".nearest select", main).addEventListener("change", () => this.findNearest());
    this.canSearch = generators.length > 0;
  }

  show() { say(""); }

  take(files) {
    if (!files.length) return;
    this.files = [...files];
    this.fields.position.replaceChildren();
    this.fields.start.value = 0;
    this.read();
  }

  async read() {
    if (!this.files) return say("Choose a file first.", true);
    say(`Reading ${this.files.map(({ name }) => name).join(", ")} …`);
    const { position, start, leads, sampling_rate: rate, unit } = this.fields;
    const where = { position: position.value, start: start.value, leads: leads.value, sampling_rate: rate.value, unit: unit.value };
    try {
      this.found = await ask("/api/file", where, { method: "POST", body: packed(this.files) });
    } catch (error) {
      $(".record", this.main).replaceChildren();
      $(".nearest", this.main).hidden = true;
      if (/not known/.test(error.message)) $("details", this.form).open = true;
      return say(error.message, true);
    }
    say("");
    this.describe();
    this.record = new Record($(".record", this.main));
    this.record.show(this.found, this.title());
    if (this.canSearch) await this.findNearest();
  }

  title() {
    const { record, facts, start_s: start, duration_s: duration } = this.found;
    const known = [facts.sex, facts.age && `${facts.age} years`].filter(Boolean).join(", ");
    const part = duration > 10.05 ? `, from ${start.toFixed(0)} s` : "";
    return `${record}${known ? ` (${known})` : ""}${part}`;
  }

  describe() {
    const { records, num_records: many, duration_s: duration, position = this.fields.position.value || "0" } = this.found;
    $(".which", this.main).hidden = many < 2 && duration <= 10.05;
    $(".position", this.main).hidden = many < 2;
    $(".start", this.main).hidden = duration <= 10.05;
    options(this.fields.position, records.map((name, i) => [i, name]), position);
    if (this.found.other_leads.length) say(`Not shown: ${this.found.other_leads.join(", ")}.`);
  }

  async findNearest() {
    const section = $(".nearest", this.main), source = $("select", section).value, paper = $(".nearest-paper", section);
    section.hidden = false;
    paper.replaceChildren();
    const tell = (...parts) => $("[data-say=nearest]", section).replaceChildren(...parts);
    tell(`Searching the first ECGs of ${source} …`);
    const { leads, sampling_rate, signal } = this.found;
    try {
      const near = await ask("/api/nearest", { source }, { method: "POST", body: JSON.stringify({ leads, sampling_rate, signal }) });
      const copy = near.is_copy
        ? `ECG ${near.copy_index} is a copy of it (correlation over the whole length ${near.copy_correlation.toFixed(2)}).`
        : `None is a copy: over the whole length the nearest, ECG ${near.copy_index}, correlates by ${near.copy_correlation?.toFixed(2) ?? "–"}; copies by ${near.copy_limit} and more.`;
      const draws = this.about.sources.find(({ name }) => name === source).draws;
      const link = element("a", { href: `/ecg/${near.seed}/${near.index}?source=${encodeURIComponent(source)}` }, `ECG ${near.index}`);
      tell("Of the first ", `${near.num_searched} ECGs${draws ? ` of seed ${near.seed}` : ""}, the median beat of `, link,
        ` is most like it: correlation ${near.beat_correlation.toFixed(2)} over ${near.leads.join(", ")}. ${copy}`);
      const found = await ask("/api/ecg", { source, seed: near.seed, index: near.index });
      const own = this.record;
      paperOf(paper, found, `${source}, ECG ${near.index}`);
      own.show(this.found, this.title()); // keys and printing are for the own ECG
    } catch (error) { tell(error.message); }
  }
}

// A line of JSON, [[name, size], …], and the files' bytes.
function packed(files) {
  const names = files.map(({ name, size }) => [name, size]);
  return new Blob([`${JSON.stringify(names)}\n`, ...files]);
}
