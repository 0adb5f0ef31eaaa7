"use strict";

/** The first page: the question, the table that answers it, and the figures. @param {any} study @returns {Node[]} */
explorer.results = (study) => {
  const { h } = explorer;
  const { count, fixed, signed, spread, NONE } = explorer.numbers;
  const reference = study.systems[study.reference];
  const own = study.systems.filter((/** @type {any} */ one) => !one.ablation);
  const ablations = study.systems.filter((/** @type {any} */ one) => one.ablation);
  const compared = (/** @type {any[]} */ systems) => systems.filter((one) => one.against);

  return [
    h(
      "header",
      { class: "lead" },
      h("p", { class: "eyebrow" }, study.name),
      h("h1", null, study.question),
      ...study.notes.map((/** @type {string} */ note) => h("p", { class: "warning", role: "note" }, note)),
    ),
    main(),
    h(
      "div",
      { class: "figures" },
      compared(own).length ? explorer.forest(study, compared(own), `${reference.label} against each`) : null,
      explorer.tokens(study),
      ...explorer.training(study),
    ),
    ...(ablations.length ? [ablated()] : []),
    ...explorer.heatmaps(study),
    h("div", { class: "figures" }, ...explorer.curves(study)),
    explorer.costs(study),
    everything(),
  ].filter((one) => one !== null);

  function main() {
    const marked = own.some((/** @type {any} */ one) => one.against?.significant);
    return h(
      "section",
      { "aria-label": "Main table" },
      h("h2", null, "Systems"),
      explorer.sortable({
        caption: `Systems: ${study.question}`,
        rows: own,
        kind: (row) => (row === reference ? "reference" : null),
        columns: [
          system("System"),
          ...hits(own),
          ...metrics(own, ["hr@5", "ndcg@10", "mrr", "mae"]),
          {
            head: "Tokens / user",
            sort: (row) => row.read + row.written || null,
            cell: (row) => count(row.read + row.written),
          },
          { head: "Train, s", sort: (row) => row.training, cell: (row) => count(row.training) },
          { head: "Ask, s", sort: (row) => row.evaluation, cell: (row) => count(row.evaluation) },
          run(),
        ],
      }),
      h(
        "p",
        { class: "caption" },
        `${study.protocol} ${study.captions.means} Bold: the best of its column.`,
        marked ? ` †: HR@1 differs from ${reference.label}, p < 0.05 after Holm.` : "",
      ),
      ...study.systems
        .filter((/** @type {any} */ one) => one.leftOut)
        .map((/** @type {any} */ one) =>
          h("p", { class: "caption" }, `Not compared with ${one.label} (${one.run}): ${one.leftOut}`),
        ),
    );
  }

  function ablated() {
    const rows = [reference, ...ablations].filter(Boolean);
    const lost = explorer.domain([[0], ...compared(ablations).map((one) => one.against.difference.slice(0, 3))]);
    /** @type {(row: any) => any} */
    const against = (row) => (row === reference ? null : row.against);
    return h(
      "section",
      { "aria-label": "Ablations" },
      h("h2", null, "Ablations"),
      explorer.sortable({
        caption: "Ablations of the full model",
        rows,
        kind: (row) => (row === reference ? "reference" : null),
        columns: [
          {
            head: "Without",
            left: true,
            sort: (row) => row.label,
            down: false,
            cell: (row) =>
              h(
                "span",
                null,
                explorer.quoted(row === reference ? "the full model" : row.label),
                study.questions[row.label] ? h("small", null, study.questions[row.label]) : null,
              ),
          },
          ...hits(rows),
          {
            head: "Full model has more",
            left: true,
            sort: (row) => against(row)?.difference[0] ?? null,
            cell: (row) =>
              against(row)
                ? h(
                    "span",
                    { class: "drawn" },
                    explorer.interval(against(row).difference, lost, "var(--accent)", {
                      zero: true,
                      filled: against(row).significant,
                    }),
                    h(
                      "span",
                      null,
                      signed(against(row).difference[0]),
                      " ",
                      h("small", null, spread(against(row).difference, signed)),
                    ),
                  )
                : NONE,
          },
          {
            head: "p, Holm",
            sort: (row) => against(row)?.holm ?? null,
            cell: (row) => fixed(against(row)?.holm, 4),
            down: false,
          },
          {
            head: "Win / tie / loss",
            cell: (row) =>
              against(row) ? [against(row).wins, against(row).ties, against(row).losses].join(" / ") : NONE,
          },
          {
            head: "Tokens / user",
            sort: (row) => row.read + row.written || null,
            cell: (row) => count(row.read + row.written),
          },
          run(),
        ],
      }),
      h(
        "p",
        { class: "caption" },
        `Above 0 the part helps. Filled: p < 0.05 after Holm. ${study.captions.comparisons}`,
      ),
      ...Object.entries(study.failed).map(([name, reason]) =>
        h("p", { class: "caption" }, `${name} failed: ${reason}`),
      ),
      compared(ablations).length
        ? h(
            "div",
            { class: "figures" },
            explorer.forest(study, compared(ablations), "What the full model has more than each ablation"),
          )
        : null,
    );
  }

  function everything() {
    const shown = study.metrics
      .filter((/** @type {any} */ one) => one.key !== "hr@1")
      .map((/** @type {any} */ one) => one.key);
    return h(
      "details",
      null,
      h("summary", null, "Every ranking and rating metric, with intervals"),
      explorer.sortable({
        caption: "Every metric of every system",
        rows: study.systems,
        columns: [system("System"), ...metrics(study.systems, ["hr@1", ...shown], true)],
      }),
    );
  }

  /** @param {string} head @returns {any} */
  function system(head) {
    return {
      head,
      left: true,
      sort: (/** @type {any} */ row) => row.label,
      down: false,
      cell: (/** @type {any} */ row) => explorer.quoted(row.label),
    };
  }

  /** @returns {any} */
  function run() {
    return {
      head: "Run",
      left: true,
      cell: (/** @type {any} */ row) => h("code", { title: row.runs.join(" ") }, row.run),
    };
  }

  /** HR@1 with its interval, drawn and told. @param {any[]} rows */
  function hits(rows) {
    if (rows.every((row) => !row.values["hr@1"])) return [];
    const domain = explorer.domain(rows.map((row) => row.values["hr@1"]?.slice(0, 3) ?? []));
    const best = Math.max(...rows.map((row) => row.values["hr@1"]?.[0] ?? -1));
    return [
      {
        head: "HR@1, 95 % interval",
        left: true,
        sort: (/** @type {any} */ row) => row.values["hr@1"]?.[0],
        cell: (/** @type {any} */ row) => {
          const hit = row.values["hr@1"] ?? [null, null, null];
          return h(
            "span",
            { class: "drawn" },
            explorer.interval(hit, domain, row === reference ? "var(--accent)" : "var(--ink)"),
            h(
              "span",
              null,
              h(hit[0] === best ? "strong" : "span", null, fixed(hit[0])),
              row.against?.significant
                ? h("abbr", { title: "differs from the reference, p < 0.05 after Holm" }, "†")
                : null,
              " ",
              h("small", null, spread(hit)),
            ),
          );
        },
      },
    ];
  }

  /** @param {any[]} rows @param {string[]} keys @param {boolean} [intervals] */
  function metrics(rows, keys, intervals = false) {
    return study.metrics
      .filter(
        (/** @type {any} */ metric) =>
          keys.includes(metric.key) &&
          rows.some((one) => (one.values[metric.key]?.[0] ?? null) !== null),
      )
      .map((/** @type {any} */ metric) => {
        const values = rows
          .map((one) => one.values[metric.key]?.[0])
          .filter((one) => one !== undefined && one !== null);
        const best = metric.higher === null ? null : metric.higher ? Math.max(...values) : Math.min(...values);
        return {
          head: metric.head,
          down: metric.higher !== false,
          sort: (/** @type {any} */ row) => row.values[metric.key]?.[0],
          cell: (/** @type {any} */ row) => {
            const found = row.values[metric.key] ?? [null, null, null];
            const value = h(
              found[0] !== null && found[0] === best ? "strong" : "span",
              null,
              fixed(found[0], metric.digits),
            );
            return intervals ? h("span", null, value, " ", h("small", null, spread(found))) : value;
          },
        };
      });
  }
};
