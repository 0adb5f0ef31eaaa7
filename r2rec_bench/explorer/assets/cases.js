"use strict";

/** The page of users: filters, and a list in pages. */
explorer.cases = (() => {
  const PAGE = 50;

  /** What to say of ranks where a value is a mean over seeds. @param {any[]} systems */
  const firstOf = (systems) =>
    systems.some((one) => one.runs.length > 1) ? " Ranks are those under the first of a system's seeds." : "";

  /**
   * @param {any} study
   * @param {any} users
   * @param {URLSearchParams} asked the filters, as in the address
   * @returns {Node[]}
   */
  function page(study, users, asked) {
    const { h } = explorer;
    const { cases } = study;
    const wanted = wantedIn(study, asked);
    const rows = explorer.filtered(users, cases, wanted);
    const last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
    const shown = Math.min(Number(asked.get("page") ?? 0), last);
    const [run, against] = [study.systems[wanted.run], study.systems[wanted.against]];
    const hits = rows.filter((row) => users.ranks[wanted.run][row] === 1).length;
    const theirs = rows.filter((row) => users.ranks[wanted.against][row] === 1).length;

    return [
      h("header", { class: "lead" }, h("p", { class: "eyebrow" }, study.name), h("h1", null, "Cases")),
      controls(study, users, wanted, asked),
      h(
        "p",
        { class: "summary", role: "status", id: "found" },
        h("strong", null, rows.length.toLocaleString("en-US")),
        ` of ${users.ids.length.toLocaleString("en-US")} users. ${run.label} puts what they took first for ${hits}, ${against.label} for ${theirs}.${firstOf([run, against])}`,
      ),
      list(),
      pages(),
    ];

    function list() {
      const columns = [
        { head: "User", left: true, sort: (/** @type {number} */ row) => row, down: false, cell: link },
        {
          head: "Took",
          left: true,
          sort: (/** @type {number} */ row) => users.taken[row],
          down: false,
          cell: (/** @type {number} */ row) => explorer.quoted(users.taken[row], "title"),
        },
        {
          head: "Seen before",
          sort: (/** @type {number} */ row) => users.seen[row],
          cell: (/** @type {number} */ row) => seen(row),
        },
        rank(run.label, wanted.run),
        ...(wanted.run === wanted.against ? [] : [rank(against.label, wanted.against)]),
      ];
      return explorer.sortable({ caption: "Users found", columns, rows: rows.slice(shown * PAGE, (shown + 1) * PAGE) });
    }

    /** @param {number} row */
    function link(row) {
      const found = new URLSearchParams(asked);
      found.delete("page");
      return h("a", { href: `#/case/${row}?${found}` }, explorer.quoted(users.ids[row]));
    }

    /** @param {number} row */
    function seen(row) {
      const cold = users.seen[row] <= cases.cold;
      return h("span", null, users.seen[row], cold ? h("span", { class: "tag" }, "cold") : null);
    }

    /** @param {string} head @param {number} place */
    function rank(head, place) {
      return {
        head: `Rank, ${head}`,
        down: false,
        sort: (/** @type {number} */ row) => users.ranks[place][row],
        cell: (/** @type {number} */ row) => {
          const invalid = users.invalid[place]?.[row];
          const found = users.ranks[place][row];
          return h(
            "span",
            null,
            h("span", { class: found === 1 ? "hit" : "rank" }, found === 1 ? "1 ✓" : found),
            invalid ? h("span", { class: "tag bad" }, `${invalid} invalid`) : null,
          );
        },
      };
    }

    function pages() {
      if (!last) return h("p", { class: "caption" }, `${run.label}, run ${run.run}. ${study.protocol}`);
      const to = (/** @type {number} */ number) => () =>
        explorer.go("cases", { ...Object.fromEntries(asked), page: number });
      return h(
        "nav",
        { class: "pages", "aria-label": "Pages of users" },
        h("button", { type: "button", id: "page-back", disabled: shown === 0, onclick: to(shown - 1) }, "‹ Previous"),
        h("span", null, `Page ${shown + 1} of ${last + 1}`),
        h("button", { type: "button", id: "page-on", disabled: shown === last, onclick: to(shown + 1) }, "Next ›"),
      );
    }
  }

  /** @param {any} study @param {any} users @param {any} wanted @param {URLSearchParams} asked */
  function controls(study, users, wanted, asked) {
    const { h } = explorer;
    const set = (/** @type {Record<string, string>} */ change) =>
      explorer.go("cases", { ...Object.fromEntries(asked), page: "0", ...change });
    const options = study.cases.systems.map((/** @type {number} */ place) => [place, study.systems[place].label]);
    const check = (/** @type {string} */ name, /** @type {string} */ words, /** @type {boolean} */ possible) =>
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          id: `filter-${name}`,
          checked: wanted[name],
          disabled: !possible,
          onchange: (/** @type {any} */ event) => set({ [name]: event.target.checked ? "1" : "" }),
        }),
        words,
      );
    const found = h("input", {
      type: "search",
      id: "filter-words",
      value: wanted.words,
      onchange: (/** @type {any} */ event) => set({ words: event.target.value }),
    });
    return h(
      "form",
      { class: "controls", "aria-label": "Filters", onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
      explorer.choice("Run", options, wanted.run, (run) => set({ run })),
      explorer.choice("Against", options, wanted.against, (against) => set({ against })),
      explorer.choice(
        "Show",
        [
          ["all", "all users"],
          ["hit", "hits: what they took comes first"],
          ["miss", "misses"],
        ],
        wanted.outcome,
        (outcome) => set({ outcome }),
      ),
      h("label", { class: "field" }, h("span", null, "User id, or words of a title"), found),
      h(
        "fieldset",
        null,
        h("legend", { class: "unseen" }, "Only"),
        check("apart", "where the two disagree", wanted.run !== wanted.against),
        check("cold", `cold users (at most ${study.cases.cold} seen)`, true),
        check("invalid", "invalid answers", Boolean(users.invalid[wanted.run])),
      ),
    );
  }

  /** The filters of an address; by default the reference against the best baseline. @param {any} study @param {URLSearchParams} asked */
  function wantedIn(study, asked) {
    const places = study.cases.systems;
    const hit = (/** @type {number} */ place) => study.systems[place].values["hr@1"]?.[0] ?? 0;
    const baselines = places.filter((/** @type {number} */ place) => study.systems[place].kind === "baseline");
    const best = [...baselines].sort((a, b) => hit(b) - hit(a))[0];
    const place = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
      const given = asked.get(name);
      return given !== null && places.includes(Number(given)) ? Number(given) : otherwise;
    };
    const run = place("run", study.reference ?? places[0]);
    return {
      run,
      against: place("against", best ?? places.find((/** @type {number} */ one) => one !== run) ?? run),
      outcome: asked.get("outcome") ?? "all",
      apart: asked.get("apart") === "1",
      cold: asked.get("cold") === "1",
      invalid: asked.get("invalid") === "1",
      words: asked.get("words") ?? "",
    };
  }

  return { page, wantedIn, firstOf };
})();
