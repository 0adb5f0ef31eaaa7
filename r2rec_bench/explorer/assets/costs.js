"use strict";

/** What every system took. @param {any} study @returns {HTMLElement} */
explorer.costs = (study) => {
  const { h } = explorer;
  const { count, fixed, NONE } = explorer.numbers;
  const seconds = (/** @type {number | null} */ value) =>
    value === null ? NONE : count(value) === NONE ? fixed(value, 1) : count(value);
  return h(
    "figure",
    null,
    h("h3", null, "Cost"),
    explorer.sortable({
      caption: "What every system took",
      rows: study.systems,
      columns: [
        {
          head: "System",
          left: true,
          sort: (one) => one.label,
          cell: (one) => explorer.quoted(one.label),
          down: false,
        },
        { head: "Tokens read / user", sort: (one) => one.read, cell: (one) => count(one.read) },
        { head: "Tokens written / user", sort: (one) => one.written, cell: (one) => count(one.written) },
        { head: "Training, s", sort: (one) => one.training, cell: (one) => seconds(one.training) },
        { head: "Evaluation, s", sort: (one) => one.evaluation, cell: (one) => seconds(one.evaluation) },
        { head: "Peak memory, MiB", sort: (one) => one.peak, cell: (one) => count(one.peak / 2 ** 20) },
        {
          head: "Stages, s",
          left: true,
          cell: (one) =>
            one.stages.map((/** @type {any} */ stage) => `${stage.stage} ${seconds(stage.seconds)}`).join(", "),
        },
      ],
    }),
    h(
      "figcaption",
      null,
      "Wall seconds. Training includes making the traces; a baseline is fitted within its evaluation. Stages that " +
        "systems share are counted with each. Memory is the process's peak.",
    ),
  );
};
