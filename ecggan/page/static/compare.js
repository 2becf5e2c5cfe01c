// Two sources side by side: an ECG of each, each measurement's distribution, and the differences.

import { $, ask, element, fromTemplate, number, options, say } from "./dom.js";
import { histogram } from "./histogram.js";
import { paperOf } from "./record.js";

const places = (unit) => (unit === "mV" ? "mV" : "");

export class CompareView {
  constructor(main, about, go) {
    Object.assign(this, { main, about, go });
    main.replaceChildren(fromTemplate("view-compare"));
    this.fields = $(".controls", main).elements;
    const names = about.sources.map(({ name, kind }) => [name, `${name} (${kind})`]);
    options(this.fields.source, names);
    options(this.fields.reference, names, about.sources.find(({ kind }) => kind === "real")?.name ?? about.sources.at(-1).name);
    for (const field of [this.fields.source, this.fields.reference]) {
      field.addEventListener("change", () => this.go(this.address({})));
    }
    const reports = about.reports.map((name) => element("li", {}, element("a", { href: `/report/${name}`, target: "_blank", rel: "noopener" }, name)));
    $(".reports", main).replaceChildren(...(reports.length ? reports : [element("li", { class: "hint" }, "None is listed: start the page with report=FOLDER, as evaluate.py wrote it.")]));
  }

  address(change) {
    const where = { source: this.fields.source.value, reference: this.fields.reference.value, ...this.at, ...change };
    return `/compare?${new URLSearchParams(where)}`;
  }

  async show(query) {
    const first = this.about.sources[0].name;
    this.fields.source.value = query.get("source") ?? first;
    if (query.get("reference")) this.fields.reference.value = query.get("reference");
    this.at = { seed: query.get("seed") ?? "0", index: query.get("index") ?? "0", of: query.get("of") ?? "0" };
    const names = [this.fields.source.value, this.fields.reference.value];
    try {
      await this.showEcgs(names);
      say("Measuring 256 ECGs of each …");
      await this.showDistributions(names);
      await this.showDifferences(names);
      say("");
    } catch (error) { say(error.message, true); }
  }

  async showEcgs(names) {
    const { seed, index, of } = this.at;
    this.ecgs = await Promise.all(names.map((source, i) => ask("/api/ecg", { source, seed, index: i ? of : index })));
    const root = $(".side-by-side", this.main);
    root.replaceChildren();
    this.ecgs.forEach((found, i) => {
      const draws = this.about.sources.find(({ name }) => name === found.source).draws;
      paperOf(root, found, draws ? `${found.source}, seed ${found.seed}, ECG ${found.index}` : `${found.source}, ECG ${found.index}`);
      const buttons = [["← previous", -1], ["next →", 1]].map(([text, by]) => {
        const button = element("button", { type: "button" }, text);
        button.addEventListener("click", () => this.step(i, by));
        return button;
      });
      root.lastChild.append(element("div", { class: "bar no-print" }, ...buttons));
    });
  }

  step(which, by) {
    const key = which ? "of" : "index", index = Number(this.at[key]) + by;
    const most = this.about.sources.find(({ name }) => name === this.ecgs[which].source).num_records ?? Infinity;
    if (index >= 0 && index < most) this.go(this.address({ [key]: index }));
  }

  async showDistributions(names) {
    const tables = await Promise.all(names.map((source) => ask("/api/distribution", { source })));
    const { rows } = await ask("/api/comparison", { source: names[0], reference: names[1] });
    this.rows = rows;
    const legend = names.map((name, i) => {
      const normal = tables[i].is_normal;
      const share = Math.round(100 * normal.filter(Boolean).length / normal.length);
      return element("span", {}, element("span", { class: `key set-${i}` }), ` ${name}: ${normal.length} ECGs, ${share} % normal `);
    });
    $("[data-say=legend]", this.main).replaceChildren(...legend, "The triangles are the two ECGs above.");
    const values = this.ecgs.map((found) => measured(found));
    $(".panels", this.main).replaceChildren(...rows.map(({ column, name, unit }) => histogram({
      name, unit,
      sets: names.map((set, i) => ({ name: set, values: tables[i][column] })),
      marks: values.map((of, set) => ({ label: "this ECG", value: of[column] ?? null, set })),
    })));
  }

  showDifferences(names) {
    const head = ["Measurement", names[0], names[1], "Difference", "Margin", "Finding"];
    const pair = (row, which) => `${number(row[`${which}_mean`], places(row.unit))} ± ${number(row[`${which}_sd`], places(row.unit))}`;
    const lines = this.rows.map((row) => {
      const show = (value) => number(value, places(row.unit));
      const interval = row.difference_low === null ? "" : ` (${show(row.difference_low)} to ${show(row.difference_high)})`;
      return element("tr", { class: row.finding === "beyond the margin" ? "high" : "" },
        element("th", { scope: "row" }, row.unit ? `${row.name} (${row.unit})` : row.name),
        element("td", { class: "number" }, pair(row, "generated")), element("td", { class: "number" }, pair(row, "real")),
        element("td", { class: "number" }, show(row.difference) + interval),
        element("td", { class: "number" }, show(row.margin)), element("td", {}, row.finding));
    });
    const table = element("table", {},
      element("thead", {}, element("tr", {}, ...head.map((name, i) => element("th", { scope: "col", class: i > 0 && i < 5 ? "number" : "" }, name)))),
      element("tbody", {}, ...lines));
    $("[data-table=differences]", this.main).replaceChildren(table);
  }
}

// The measurements of one ECG by column, amplitudes included.
function measured(found) {
  const by = Object.fromEntries(found.measurements.map(({ column, value }) => [column, value]));
  const { leads, waves, values } = found.amplitudes;
  leads.forEach((lead, i) => waves.forEach((wave, j) => {
    by[`${wave.toLowerCase()}_${wave === "ST" ? "level" : "amplitude"}_${lead.toLowerCase()}_mv`] = values[i][j];
  }));
  return by;
}
