"use strict";

/**
 * Why a candidate got its score: the graph, and beside it evidence and thoughts, step by step.
 *
 * @param {object} why
 * @param {any} why.system
 * @param {any} why.told
 * @param {string} why.title of the candidate
 * @param {number | null} why.score
 * @param {number | null} why.rank
 * @param {boolean} why.taken whether the user took it
 * @returns {HTMLElement}
 */
explorer.steps = ({ system, told, title, score, rank, taken }) => {
  const { h } = explorer;
  const steps = told.steps ?? [];
  const WEIGHTS = ["strongly against", "against", "neutral", "for", "strongly for"];
  let step = steps.length;

  const place = h("div", { class: "plot graph" });
  const list = h("ol", { class: "steps" });
  const now = h("span", { role: "status" });
  const back = h("button", { type: "button", onclick: () => to(step - 1), "aria-label": "One step back" }, "‹");
  const on = h("button", { type: "button", onclick: () => to(step + 1), "aria-label": "One step on" }, "›");
  let width = 0;
  new ResizeObserver(([entry]) => {
    const found = Math.floor(entry.contentRect.width);
    if (!found || found === width) return;
    width = found;
    draw();
  }).observe(place);
  fill();

  return h(
    "section",
    { class: "why", "aria-label": `${system.label} on ${title}` },
    h(
      "header",
      null,
      h("p", { class: "eyebrow" }, explorer.quoted(system.label), " ", h("code", null, system.run)),
      h("h2", null, explorer.quoted(title)),
      h(
        "p",
        { class: "verdict" },
        h("strong", null, told.verdict ?? "as stored"),
        ` · score ${explorer.numbers.score(score)} · ranked ${rank ?? explorer.numbers.NONE}`,
        taken ? h("span", { class: "tag good" }, "taken by the user") : null,
        told.problems?.length ? h("span", { class: "tag bad" }, `not well-formed: ${told.problems.join(", ")}`) : null,
      ),
    ),
    steps.length
      ? h("div", { class: "stepper", role: "group", "aria-label": "Steps of the reasoning" }, back, now, on)
      : h(
          "p",
          { class: "caption" },
          told.steps
            ? "No evidence: the sampler found none for this user and item."
            : "This run's questions can no longer be put as they were; its texts are below.",
        ),
    steps.length ? place : null,
    steps.length ? h("p", { class: "caption" }, explorer.graph.legend(told)) : null,
    list,
    steps.length
      ? h(
          "p",
          { class: "caption" },
          "The verdict is the likeliest single answer; the rank goes by the score, which weighs all answers.",
        )
      : null,
    told.dropped ? h("p", { class: "caption" }, `${told.dropped} more pieces did not fit the token budget.`) : null,
    texts(),
  );

  /** @param {number} wanted */
  function to(wanted) {
    step = Math.max(0, Math.min(steps.length, wanted));
    fill();
    draw();
  }

  function draw() {
    if (!width || !steps.length) return;
    const says = `${told.masked ? step : steps.length} of ${steps.length} pieces of evidence revealed, told in the list that follows.`;
    place.replaceChildren(explorer.plot({ ariaLabel: says, width, ...explorer.graph.plot(told, title, step, width) }));
  }

  function fill() {
    back.toggleAttribute("disabled", step === 0);
    on.toggleAttribute("disabled", step === steps.length);
    const hidden = told.masked ? steps.length - step : 0;
    now.replaceChildren(
      told.masked === false && step === 0 ? "All evidence is shown at once" : `Step ${step} of ${steps.length}`,
      h("small", null, hidden ? ` ${hidden} masked, and the closing edge` : " the closing edge stays masked"),
    );
    list.replaceChildren(...steps.map(line));
  }

  /** @param {any} one @param {number} at */
  function line(one, at) {
    const open = !told.masked || at < step;
    const thought = one.weight !== null && at < step;
    return h(
      "li",
      { class: at === step - 1 ? "now" : open ? null : "masked", "aria-current": at === step - 1 ? "step" : null },
      h(
        "button",
        { type: "button", class: "number", onclick: () => to(at + 1), "aria-label": `Go to step ${at + 1}` },
        at + 1,
      ),
      h(
        "div",
        null,
        h(
          "p",
          { class: "fact" },
          open ? explorer.quoted(one.fact.replace(/^Step \d+: /, "")) : told.mask || "[MASK]",
          open ? null : h("small", null, " masked at this step"),
        ),
        thought
          ? h(
              "p",
              { class: "thought" },
              h(
                "span",
                { class: `weight w${one.weight + 2}` },
                `${explorer.numbers.signed(one.weight, 0)} ${WEIGHTS[one.weight + 2]}`,
              ),
              h(
                "span",
                null,
                ` forecast of the next masked edge: ${rated(one.forecast)}`,
                one.truth === null ? "" : `; it was ${rated(one.truth)}`,
              ),
            )
          : null,
      ),
    );
  }

  /** @param {number} value */
  function rated(value) {
    return value ? `★ ${value}` : "none";
  }

  function texts() {
    const part = (/** @type {string} */ head, /** @type {string} */ words) =>
      words ? [h("h4", null, head), h("pre", { tabindex: 0 }, words)] : [];
    return h(
      "details",
      null,
      h("summary", null, "What the model read and wrote"),
      ...part("In words", told.background ?? ""),
      ...part("Instruction", told.system ?? ""),
      ...part("Read", told.prompt),
      ...part("Written", told.completion),
    );
  }
};
