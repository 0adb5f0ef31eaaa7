"use strict";

/**
 * A table whose heads sort it.
 *
 * @typedef {{ head: string, title?: string, left?: boolean, sort?: (row: any) => number | string | null, cell: (row: any) => Node | string, down?: boolean }} Column
 *
 * @param {object} table
 * @param {string} table.caption what it shows, for everybody
 * @param {Column[]} table.columns the first one heads its row; `down`: the largest first
 * @param {any[]} table.rows
 * @param {(row: any) => string | null} [table.kind] a class for a row
 * @returns {HTMLElement}
 */
explorer.sortable = ({ caption, columns, rows, kind }) => {
  const { h } = explorer;
  const body = h("tbody", null);
  /** @type {{ column: Column | null, down: boolean }} */
  const order = { column: null, down: false };

  const heads = columns.map((column) =>
    h(
      "th",
      { scope: "col", class: column.left ? "left" : null, title: column.title },
      column.sort ? h("button", { type: "button", onclick: () => sortBy(column) }, column.head) : column.head,
    ),
  );

  /** @param {Column} column */
  function sortBy(column) {
    order.down = order.column === column ? !order.down : (column.down ?? true);
    order.column = column;
    fill();
  }

  function fill() {
    const { column, down } = order;
    const sorted = column ? [...rows].sort((a, b) => compare(column.sort?.(a), column.sort?.(b), down)) : rows;
    body.replaceChildren(
      ...sorted.map((row) =>
        h(
          "tr",
          { class: kind?.(row) },
          ...columns.map((one, place) =>
            h(place ? "td" : "th", { scope: place ? null : "row", class: one.left ? "left" : null }, one.cell(row)),
          ),
        ),
      ),
    );
    columns.forEach((one, place) => {
      const sign = one === column ? (down ? "descending" : "ascending") : one.sort ? "none" : null;
      if (sign) heads[place].setAttribute("aria-sort", sign);
    });
  }

  fill();
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h("table", null, h("caption", { class: "unseen" }, caption), h("thead", null, h("tr", null, ...heads)), body),
  );

  /** What is missing comes last, either way. @param {any} a @param {any} b @param {boolean} down */
  function compare(a, b, down) {
    const missing = Number(a === null || a === undefined) - Number(b === null || b === undefined);
    if (missing || a === b) return missing;
    return (a < b ? -1 : 1) * (down ? -1 : 1);
  }
};
