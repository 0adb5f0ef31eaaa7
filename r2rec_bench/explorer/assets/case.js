"use strict";

/**
 * One user: the candidates with everybody's ranks and scores, and why the run chosen, or two of them, judged one as
 * they did.
 *
 * @param {any} study
 * @param {any} users
 * @param {number} row of the user
 * @param {URLSearchParams} asked
 * @returns {Promise<Node[]>}
 */
explorer.casePage = async (study, users, row, asked) => {
  const { h } = explorer;
  const { cases } = study;
  if (!(row >= 0 && row < users.ids.length)) return [h("p", { class: "warning" }, "There is no such user here.")];
  const file = Math.floor(row / cases.perFile);
  const list = (await explorer.load(`lists/${file}`))[row % cases.perFile];
  const wanted = explorer.cases.wantedIn(study, asked);
  const told = cases.told.includes(wanted.run) ? wanted.run : (cases.told[0] ?? null);
  const beside = asked.get("beside") ? Number(asked.get("beside")) : null;
  const runs = [told, beside].filter((place) => place !== null && cases.told.includes(place));
  const thoughts = await Promise.all(
    runs.map(async (place) => (await explorer.load(`told/${place}/${file}`))[row % cases.perFile]),
  );
  const ranks = list.ranks[told ?? wanted.run];
  const first = ranks.indexOf(Math.min(...ranks.filter((/** @type {number | null} */ one) => one !== null)));
  const item = asked.get("item") === null ? list.positive : Number(asked.get("item"));
  const chosen = list.titles[item] === undefined ? first : item;
  const set = (/** @type {Record<string, any>} */ change) =>
    explorer.go(`case/${row}`, { ...Object.fromEntries(asked), ...change });
  const systems = [
    ...new Set([told ?? wanted.run, ...(beside === null ? [] : [beside]), wanted.against, ...cases.systems]),
  ];

  return [
    h(
      "header",
      { class: "lead" },
      h("p", { class: "eyebrow" }, h("a", { href: `#/cases?${asked}` }, "‹ Cases")),
      h(
        "h1",
        null,
        "User ",
        explorer.quoted(users.ids[row]),
        " took ",
        h("em", null, explorer.quoted(users.taken[row])),
      ),
      h("p", { class: "summary" }, `${users.seen[row]} interactions seen before. `, ...placed()),
    ),
    controls(),
    h("div", { class: runs.length > 1 ? "case two" : "case" }, candidates(), ...runs.map(panel)),
  ];

  function placed() {
    const width = list.titles.length;
    return [told ?? wanted.run, wanted.against].flatMap((place, at) => [
      at ? "; " : "",
      explorer.quoted(study.systems[place].label),
      ` ranks it ${users.ranks[place][row]} of ${width}`,
    ]);
  }

  function controls() {
    const options = cases.told.map((/** @type {number} */ place) => [place, study.systems[place].label]);
    const step = (/** @type {number} */ by) => () =>
      explorer.go(`case/${row + by}`, { ...Object.fromEntries(asked), item: undefined });
    return h(
      "div",
      { class: "controls" },
      options.length ? explorer.choice("Run", options, told ?? "", (run) => set({ run })) : null,
      options.length > 1
        ? explorer.choice(
            "Beside it",
            [["", "nothing"], ...options.filter(([place]) => place !== told)],
            beside ?? "",
            (value) => set({ beside: value || undefined }),
          )
        : null,
      h(
        "div",
        { class: "pages" },
        h("button", { type: "button", id: "user-back", disabled: row === 0, onclick: step(-1) }, "‹ Previous user"),
        h(
          "button",
          { type: "button", id: "user-on", disabled: row === users.ids.length - 1, onclick: step(1) },
          "Next user ›",
        ),
      ),
    );
  }

  function candidates() {
    const columns = [
      {
        head: "Candidate",
        left: true,
        sort: (/** @type {number} */ at) => list.titles[at],
        down: false,
        cell: (/** @type {number} */ at) =>
          h(
            "button",
            {
              type: "button",
              class: "candidate",
              id: `candidate-${at}`,
              "aria-pressed": String(at === chosen),
              onclick: () => set({ item: at }),
            },
            explorer.quoted(list.titles[at], "title"),
            at === list.positive ? h("span", { class: "tag good" }, "taken") : null,
          ),
      },
      ...systems.map((place) => ({
        head: study.systems[place].label,
        down: false,
        sort: (/** @type {number} */ at) => list.ranks[place][at],
        cell: (/** @type {number} */ at) => {
          const [rank, score] = [list.ranks[place][at], list.scores[place]?.[at]];
          const words = score === undefined ? null : score === null ? "invalid" : explorer.numbers.score(score);
          return h(
            "span",
            { class: rank === 1 ? "hit" : "rank" },
            rank ?? explorer.numbers.NONE,
            words ? h("small", null, words) : null,
          );
        },
      })),
    ];
    const order = list.titles
      .map((/** @type {string} */ _, /** @type {number} */ at) => at)
      .sort((/** @type {number} */ a, /** @type {number} */ b) => (ranks[a] ?? 999) - (ranks[b] ?? 999));
    return h(
      "section",
      { class: "candidates", "aria-label": "Candidates" },
      explorer.sortable({
        caption: "Candidates: rank, and below it the score, of every system",
        columns,
        rows: order,
        kind: (at) => (at === chosen ? "chosen" : null),
      }),
      h(
        "p",
        { class: "caption" },
        "Rank, and in small the system's own score; scores of different systems have different scales. Ties lose.",
      ),
      cases.systems.length > cases.scored.length
        ? h(
            "p",
            { class: "caption" },
            "Runs of older versions kept their first ten items without scores; run them again for all.",
          )
        : null,
    );
  }

  /** @param {number} place @param {number} at */
  function panel(place, at) {
    const system = study.systems[place];
    const found = thoughts[at][chosen];
    if (!found) {
      return h(
        "section",
        { class: "why" },
        h("p", { class: "eyebrow" }, explorer.quoted(system.label)),
        h("h2", null, explorer.quoted(list.titles[chosen])),
        h(
          "p",
          null,
          `Evidence and thoughts are here for what the user took, the best baseline's first choice and this run's first ${cases.first}; `,
          h("code", null, `r2rec explorer … --first ${list.titles.length}`),
          " writes them for all.",
        ),
      );
    }
    return explorer.steps({
      system,
      told: found,
      title: list.titles[chosen],
      score: list.scores[place]?.[chosen] ?? null,
      rank: list.ranks[place][chosen],
      taken: chosen === list.positive,
    });
  }
};
