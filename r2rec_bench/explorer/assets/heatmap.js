"use strict";

/** HR@1 of models trained in the row and asked in the column. @param {any} study @returns {HTMLElement[]} */
explorer.heatmaps = (study) =>
  study.transfer.map((/** @type {any} */ map) => {
    const { h } = explorer;
    const { fixed, spread } = explorer.numbers;
    const rows = [...new Set(map.cells.map((/** @type {any} */ cell) => cell.row))];
    const columns = [...new Set(map.cells.map((/** @type {any} */ cell) => cell.column))];
    const domain = explorer.domain(map.cells.map((/** @type {any} */ cell) => cell.value.slice(0, 1)));
    const figure = explorer.chart({
      title: `Transfer: ${map.name}`,
      says: map.cells
        .map(
          (/** @type {any} */ cell) =>
            `trained on ${cell.row}, asked about ${cell.column}: ${fixed(cell.value[0])} ${spread(cell.value)}`,
        )
        .join("; "),
      caption:
        "HR@1 with its 95 % interval, trained on the row, asked about the column. Framed: trained on the domain itself. " +
        `The colour runs from ${fixed(domain[0], 2)} to ${fixed(domain[1], 2)}; compare within a column, whose lists are the same. ${map.notes.join(" ")}`,
      plot: (width) => {
        const room = Math.min(160, width * 0.3);
        const at = { x: "column", y: "row" };
        return {
          height: 40 + 48 * rows.length,
          marginLeft: room,
          marginTop: 30,
          x: { axis: "top", label: null, domain: columns, tickSize: 0 },
          y: { label: null, domain: rows, tickSize: 0 },
          color: { type: "linear", domain, range: ["var(--heat-low)", "var(--heat-high)"], interpolate: mixed },
          marks: [
            Plot.cell(map.cells, { ...at, fill: (/** @type {any} */ cell) => cell.value[0], inset: 1.5, rx: 4 }),
            Plot.cell(map.cells, {
              ...at,
              filter: "own",
              fill: "none",
              stroke: "var(--ink)",
              strokeWidth: 2,
              inset: 2,
              rx: 4,
            }),
            Plot.text(map.cells, {
              ...at,
              dy: -7,
              fontWeight: 600,
              fill: "var(--ink)",
              text: (/** @type {any} */ cell) => (cell.failure ? "failed" : fixed(cell.value[0])),
            }),
            Plot.text(map.cells, {
              ...at,
              dy: 9,
              fontSize: width < 500 ? 8 : 10,
              fill: "var(--ink)",
              text: (/** @type {any} */ cell) =>
                spread(cell.value, (/** @type {number} */ value) => fixed(value, width < 500 ? 2 : 3)),
            }),
          ],
        };
      },
    });
    const failed = map.cells.filter((/** @type {any} */ cell) => cell.failure);
    if (failed.length) {
      figure.append(
        h(
          "ul",
          null,
          ...failed.map((/** @type {any} */ cell) =>
            h("li", null, `${cell.row} → ${cell.column} failed: ${cell.failure}`),
          ),
        ),
      );
    }
    figure.append(
      h(
        "details",
        null,
        h("summary", null, "The same as a table, with run ids"),
        explorer.sortable({
          caption: `Cells of ${map.name}`,
          rows: map.cells,
          columns: [
            { head: "Trained on", left: true, sort: (cell) => cell.row, cell: (cell) => cell.row, down: false },
            { head: "Asked about", left: true, sort: (cell) => cell.column, cell: (cell) => cell.column, down: false },
            { head: "HR@1", sort: (cell) => cell.value[0], cell: (cell) => fixed(cell.value[0]) },
            { head: "95 % interval", cell: (cell) => spread(cell.value) },
            { head: "n", sort: (cell) => cell.value[3], cell: (cell) => String(cell.value[3]) },
            { head: "Run", left: true, cell: (cell) => h("code", null, cell.run) },
          ],
        }),
      ),
    );
    return figure;

    /** Mixed by the browser, so that both ends follow light and dark. @param {string} low @param {string} high */
    function mixed(low, high) {
      return (/** @type {number} */ share) => `color-mix(in oklab, ${high} ${Math.round(100 * share)}%, ${low})`;
    }
  });
