"use strict";

/**
 * Two runs side by side: their values, the difference, and the users on whom they agree and disagree.
 *
 * @param {any} study
 * @param {any} users
 * @param {URLSearchParams} asked
 * @returns {Node[]}
 */
explorer.sides = (study, users, asked) => {
  const { h } = explorer;
  const { fixed, signed, spread, count, NONE } = explorer.numbers;
  const wanted = explorer.cases.wantedIn(study, asked);
  const [a, b] = [wanted.run, wanted.against];
  const [left, right] = [study.systems[a], study.systems[b]];
  const options = study.cases.systems.map((/** @type {number} */ place) => [place, study.systems[place].label]);
  const set = (/** @type {Record<string, string>} */ change) =>
    explorer.go("sides", { ...Object.fromEntries(asked), ...change });

  return [
    h("header", { class: "lead" }, h("p", { class: "eyebrow" }, study.name), h("h1", null, "Side by side")),
    h(
      "div",
      { class: "controls" },
      explorer.choice("Left", options, a, (run) => set({ run })),
      explorer.choice("Right", options, b, (against) => set({ against })),
    ),
    values(),
    agreement(),
  ];

  function values() {
    const rows = [
      ...study.metrics
        .filter((/** @type {any} */ metric) => left.values[metric.key] || right.values[metric.key])
        .map((/** @type {any} */ metric) => ({
          head: metric.head,
          cells: [left, right].map((one) => told(one.values[metric.key], metric.digits)),
          key: metric.key,
        })),
      { head: "Tokens / user", cells: [left, right].map((one) => count(one.read + one.written)) },
      { head: "Training, s", cells: [left, right].map((one) => count(one.training)) },
      { head: "Evaluation, s", cells: [left, right].map((one) => count(one.evaluation)) },
      { head: "Run", cells: [left, right].map((one) => h("code", null, one.run)) },
    ];
    const difference = between();
    return h(
      "section",
      { class: "sides", "aria-label": "Values" },
      explorer.sortable({
        caption: `${left.label} and ${right.label}`,
        rows,
        columns: [
          { head: "", left: true, cell: (row) => row.head },
          { head: left.label, cell: (row) => row.cells[0] },
          { head: right.label, cell: (row) => row.cells[1] },
        ],
      }),
      h(
        "p",
        { class: "summary" },
        ...(difference
          ? [
              "HR@1, left less right: ",
              h("strong", null, signed(difference[0])),
              ` ${spread(difference, signed)}, 95 % interval, paired by user, n = ${difference[3]}. `,
            ]
          : a === b
            ? ["The same run twice. "]
            : ["These two were not asked the same. "]),
        "For p-values: ",
        h("code", null, `r2rec compare ${named(left)} ${named(right)}`),
      ),
    );
  }

  /** Its runs, one per seed, as commands take them. @param {any} system */
  function named(system) {
    return system.runs.map((/** @type {string} */ run) => run.slice(0, 12)).join(",");
  }

  /** @param {(number | null)[] | undefined} found @param {number} digits */
  function told(found, digits) {
    if (!found || found[0] === null) return NONE;
    return h("span", null, fixed(found[0], digits), " ", h("small", null, spread(found)));
  }

  /** Left less right; kept once, for the earlier less the later. */
  function between() {
    const kept = study.pairs[`${Math.min(a, b)}-${Math.max(a, b)}`];
    if (!kept || a === b) return null;
    return a < b ? kept : [-kept[0], -kept[2], -kept[1], kept[3]];
  }

  function agreement() {
    const [mine, theirs] = [users.ranks[a], users.ranks[b]];
    const tally = [0, 0, 0, 0];
    for (let row = 0; row < users.ids.length; row++) tally[(mine[row] === 1 ? 0 : 2) + (theirs[row] === 1 ? 0 : 1)]++;
    const cell = (/** @type {number} */ at, /** @type {string} */ outcome, /** @type {boolean} */ apart) =>
      h(
        "td",
        { class: apart ? "apart" : null },
        apart && a !== b
          ? h(
              "a",
              {
                href: `#/cases?${new URLSearchParams({ run: String(a), against: String(b), outcome, apart: "1", beside: study.cases.told.includes(b) ? String(b) : "" })}`,
              },
              `${tally[at]} users`,
            )
          : `${tally[at]} users`,
      );
    return h(
      "section",
      { "aria-label": "Agreement" },
      h("h2", null, "Who is served by whom"),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Agreement of the two" },
        h(
          "table",
          { class: "agreement" },
          h("caption", { class: "unseen" }, "Users for whom each run puts what they took first"),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              h("td", null),
              h("th", { scope: "col" }, `${right.label} hits`),
              h("th", { scope: "col" }, `${right.label} misses`),
            ),
          ),
          h(
            "tbody",
            null,
            h("tr", null, h("th", { scope: "row" }, `${left.label} hits`), cell(0, "hit", false), cell(1, "hit", true)),
            h(
              "tr",
              null,
              h("th", { scope: "row" }, `${left.label} misses`),
              cell(2, "miss", true),
              cell(3, "miss", false),
            ),
          ),
        ),
      ),
      h(
        "p",
        { class: "caption" },
        `A hit: what the user took is ranked first.${explorer.cases.firstOf([left, right])} Open the users on whom they disagree; a case shows both runs' evidence and thoughts beside each other.`,
      ),
    );
  }
};
