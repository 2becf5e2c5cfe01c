// Real or generated? One ECG after the other, then the score.

import { $, $$, ask, element, fromTemplate, options, say } from "./dom.js";
import { forget, paperOf } from "./record.js";

export class QuizView {
  constructor(main, about) {
    Object.assign(this, { main, about, answers: [] });
    main.replaceChildren(fromTemplate("view-quiz"));
    this.form = $("[data-form=quiz]", main);
    this.fields = this.form.elements;
    const named = (kind, test = () => true) => about.sources.filter((source) => source.kind === kind && test(source)).map(({ name }) => [name, name]);
    options(this.fields.real, named("real"));
    options(this.fields.generated, named("generated"));
    this.fields.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0] % 100000);
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.begin(); });
    for (const button of $$("[data-answer]", main)) button.addEventListener("click", () => this.answer(button.dataset.answer));
    $("[data-do=finish]", main).addEventListener("click", () => this.finish());
    for (let sure = 1; sure <= 5; sure++) {
      const choice = element("input", { type: "radio", name: "confidence", value: sure });
      $(".confidence", main).append(element("label", {}, choice, ` ${sure}`));
    }
  }

  show() {
    const isPossible = this.fields.real.options.length && this.fields.generated.options.length;
    this.form.hidden = !isPossible;
    say(isPossible ? "" : "The quiz needs real and generated ECGs: start the page with ecg_set=DIR, a set of real ones, beside a generator.");
  }

  kit() {
    const { real, generated, num_each: each, seed } = this.fields;
    return { real: real.value, generated: generated.value, num_each: each.value, seed: seed.value };
  }

  async begin() {
    this.answers = [];
    $(".score", this.main).hidden = true;
    try {
      this.given = this.kit();
      this.num = (await ask("/api/quiz", this.given)).num_ecgs;
      this.number = 1;
      await this.question();
    } catch (error) { say(error.message, true); }
  }

  async question() {
    const found = await ask("/api/quiz/ecg", { ...this.given, number: this.number });
    say("");
    $(".question", this.main).hidden = false;
    $(".progress", this.main).textContent = `ECG ${this.number} of ${this.num}. Half of them are real.`;
    const paper = $(".quiz-paper", this.main);
    paper.replaceChildren();
    paperOf(paper, found, `ECG ${this.number}`);
    for (const choice of $$("[name=confidence]", this.main)) choice.checked = false;
  }

  async answer(answer) {
    if (this.isBusy) return;
    this.isBusy = true;
    const confidence = $("[name=confidence]:checked", this.main)?.value;
    this.answers.push({ ecg: this.number, answer, confidence: confidence ? Number(confidence) : null });
    this.number += 1;
    try {
      await (this.number > this.num ? this.finish() : this.question());
    } catch (error) { say(error.message, true); } finally { this.isBusy = false; }
  }

  async finish() {
    if (!this.answers.length) return say("Answer one ECG at least.", true);
    let found;
    try {
      found = await ask("/api/quiz/scores", this.given, { method: "POST", body: JSON.stringify({ answers: this.answers }) });
    } catch (error) { return say(error.message, true); }
    $(".question", this.main).hidden = true;
    forget();
    const { score, table, ecgs } = found, percent = (share) => `${Math.round(100 * share)} %`;
    $(".score", this.main).hidden = false;
    $(".result", this.main).replaceChildren(
      element("b", {}, `${percent(score.accuracy)} right`),
      ` (95 % interval ${percent(score.accuracy_low)} to ${percent(score.accuracy_high)}) of ${score.num_answered} answered; guessing gives 50 %. `,
      `Real called real: ${table["real called real"]}; generated called generated: ${table["generated called generated"]}; `,
      `p of guessing ${table["p, guessing"]}.`);
    const link = (name, text) => { $(`[data-do=${name}]`, this.main).href = URL.createObjectURL(new Blob([text], { type: "text/csv" })); };
    link("sheet", found.sheet);
    link("key", found.key);
    const rows = ecgs.map(([ecg, origin, answer]) => element("tr", { class: answer && answer !== origin ? "high" : "" },
      element("th", { scope: "row" }, ecg), element("td", {}, origin), element("td", {}, answer || "–"),
      element("td", {}, answer ? (answer === origin ? "✓" : "✗") : "")));
    const head = element("tr", {}, ...["ECG", "was", "you said", ""].map((name) => element("th", { scope: "col" }, name)));
    $("[data-table=answers]", this.main).replaceChildren(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
  }

  key(event) {
    if ($(".question", this.main).hidden) return false;
    const key = event.key.toLowerCase();
    if (key === "r" || key === "g") this.answer(key === "r" ? "real" : "generated");
    else if (key >= "1" && key <= "5") $(`[name=confidence][value="${key}"]`, this.main).checked = true;
    else return false;
    return true;
  }
}
