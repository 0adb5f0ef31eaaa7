"use strict";

/**
 * The evidence as a graph, from the user on the left to the candidate on the right: what is revealed up to a step is
 * drawn, what is still masked is dashed, and the closing edge, which nobody may see, always is.
 */
explorer.graph = (() => {
  const ROW = 46;

  /**
   * @param {any} told
   * @param {string} title of the candidate
   * @param {number} step how many pieces are revealed
   * @param {number} width
   * @returns {any} the options of Plot
   */
  function plot(told, title, step, width) {
    const links = told.steps.flatMap((/** @type {any} */ one, /** @type {number} */ at) =>
      one.links.map((/** @type {any} */ link) => ({
        ...link,
        open: !told.masked || at < step,
        weight: at < step ? one.weight : null,
      })),
    );
    const bundled = links.some((/** @type {any} */ link) => "peers" in link);
    const { nodes, edges, rows, columns } = bundled ? bundles(links) : chains(links);
    const middle = (rows - 1) / 2;
    const narrow = width < 560;
    const [size, right] = narrow ? [9, 84] : [11, 132];
    const room = (width - 26 - right) / columns;
    nodes.unshift({ x: 0, y: middle, words: "user", kind: "user", open: true });
    nodes.push({ x: columns, y: middle, words: title, kind: "target", open: true });
    const shown = (/** @type {boolean} */ open) => edges.filter((/** @type {any} */ edge) => edge.open === open);
    const at = { x1: "x1", y1: "y1", x2: "x2", y2: "y2", curve: "bump-x" };
    return {
      height: Math.max(130, 76 + ROW * rows),
      marginLeft: 26,
      marginRight: right,
      marginTop: 26,
      marginBottom: 26,
      x: { axis: null, domain: [0, columns] },
      y: { axis: null, domain: [rows - 0.25, -0.5] },
      r: { type: "sqrt", domain: [0, Math.max(1, ...nodes.map((one) => one.size ?? 0))], range: [0, 10] },
      marks: [
        // The closing edge runs below all others.
        Plot.line(
          [
            [0, middle],
            [0.15, rows - 0.35],
            [columns - 0.15, rows - 0.35],
            [columns, middle],
          ],
          { curve: "monotone-x", stroke: "var(--accent)", strokeWidth: 1.25, strokeDasharray: "2 4" },
        ),
        Plot.text([0], {
          x: columns / 2,
          y: rows - 0.35,
          text: () => "closing edge: masked",
          dy: 9,
          fill: "var(--accent)",
          fontSize: 10.5,
        }),
        Plot.link(shown(false), { ...at, stroke: "var(--muted)", strokeWidth: 1, strokeDasharray: "3 4" }),
        Plot.link(shown(true), { ...at, stroke: "colour", strokeWidth: "weight" }),
        Plot.dot(
          nodes.filter((one) => !one.size && round(one)),
          { x: "x", y: "y", r: 5, fill, stroke, strokeWidth: 1.5 },
        ),
        Plot.dot(
          nodes.filter((one) => !round(one)),
          { x: "x", y: "y", r: 5, symbol: "square", fill, stroke, strokeWidth: 1.5 },
        ),
        Plot.dot(
          nodes.filter((one) => one.size),
          { x: "x", y: "y", r: "size", fill, stroke, strokeWidth: 1.5 },
        ),
        Plot.text(
          edges.filter((/** @type {any} */ edge) => edge.words),
          {
            // Where the line runs level, just above it.
            x: (/** @type {any} */ edge) => edge.x1 + (edge.x2 - edge.x1) * edge.beside,
            y: (/** @type {any} */ edge) => (edge.beside < 0.5 ? edge.y1 : edge.y2),
            dy: -9,
            text: (/** @type {any} */ edge) => (edge.open ? edge.words : "[MASK]"),
            fill: (/** @type {any} */ edge) => (edge.open ? "var(--ink)" : "var(--muted)"),
            stroke: "var(--paper)",
            strokeWidth: 4,
            fontSize: 10.5,
          },
        ),
        Plot.text(
          nodes.filter((one) => one.kind !== "target"),
          {
            x: "x",
            y: "y",
            dy: 17,
            text: "words",
            fontSize: size,
            lineWidth: (0.92 * room) / size,
            textOverflow: "ellipsis-end",
            fill: (/** @type {any} */ one) => (one.open ? "var(--ink)" : "var(--muted)"),
            stroke: "var(--paper)",
            strokeWidth: 3,
          },
        ),
        Plot.text(nodes.slice(-1), {
          x: "x",
          y: "y",
          dx: 11,
          text: (/** @type {any} */ one) => shortened(one.words),
          fontSize: size,
          fontWeight: 650,
          textAnchor: "start",
          lineWidth: (right - 14) / size / 1.3,
          fill: "var(--ink)",
        }),
      ],
    };
  }

  /** One line for each shared item: the user's edge to it, and everybody who went on from there. @param {any[]} links */
  function bundles(links) {
    const rows = links.length;
    const middle = (rows - 1) / 2;
    /** @type {any[]} */
    const nodes = [];
    /** @type {any[]} */
    const edges = [];
    links.forEach((link, y) => {
      const { open } = link;
      const strong = judged(link);
      nodes.push({ x: 1, y, words: open ? link.item : "?", kind: "item", open });
      nodes.push({
        x: 2,
        y,
        words: open ? `${link.peers} of ${link.known} peers` : "?",
        kind: "peer",
        open,
        size: open ? Math.max(link.peers, 0.01) : 0.01,
      });
      edges.push({
        x1: 0,
        y1: middle,
        x2: 1,
        y2: y,
        open,
        words: stars(link.rating),
        beside: 0.8,
        colour: "var(--ink)",
        weight: 1.25,
      });
      edges.push({ x1: 1, y1: y, x2: 2, y2: y, open, colour: "var(--accent)", weight: 1 });
      edges.push({
        x1: 2,
        y1: y,
        x2: 3,
        y2: middle,
        open,
        words: `${link.peers ? link.lift : 0}×${claimed(link)}`,
        beside: 0.27,
        colour: strong,
        weight: Math.min(5, 0.6 + (link.lift ?? 0)),
      });
    });
    return { nodes, edges, rows: Math.max(rows, 1), columns: 3 };
  }

  /** One line for each chain, edge by edge; the last goes to the candidate. @param {any[]} links */
  function chains(links) {
    const numbers = [...new Set(links.map((link) => link.chain))];
    const rows = Math.max(numbers.length, 1);
    const middle = (rows - 1) / 2;
    const longest = Math.max(3, ...numbers.map((number) => links.filter((link) => link.chain === number).length));
    /** @type {any[]} */
    const nodes = [];
    /** @type {any[]} */
    const edges = [];
    numbers.forEach((number, y) => {
      const own = links.filter((link) => link.chain === number);
      own.forEach((link, k) => {
        const end = link.target && k === own.length - 1;
        const to = end ? { x: longest, y: middle } : { x: k + 1, y };
        // Odd edges go from the item back to a peer, even ones on to an item.
        nodes.push(
          ...(end
            ? []
            : [
                {
                  ...to,
                  words: link.open ? (k % 2 ? `peer ${link.peer}` : link.item) : "?",
                  kind: k % 2 ? "peer" : "item",
                  open: link.open,
                },
              ]),
        );
        edges.push({
          x1: k,
          y1: k ? y : middle,
          x2: to.x,
          y2: to.y,
          open: link.open,
          words: stars(link.rating) + (end ? claimed(link) : ""),
          beside: k ? (end ? 0.2 : 0.5) : 0.8,
          colour: k ? judged(link) : "var(--ink)",
          weight: 1.5,
        });
      });
    });
    return { nodes, edges, rows, columns: longest };
  }

  /** People are round, items square. @param {any} node */
  function round(node) {
    return node.kind === "peer" || node.kind === "user";
  }

  /** What the thought about an edge claims. @param {any} link */
  function claimed(link) {
    return link.weight === null ? "" : `  ${explorer.numbers.signed(link.weight, 0)}`;
  }

  /** For, against or neither, as the thought about an edge says. @param {any} link */
  function judged(link) {
    if (link.weight === null) return "var(--accent)";
    return link.weight > 0 ? "var(--good)" : link.weight < 0 ? "var(--bad)" : "var(--line-strong)";
  }

  /** @param {string} words */
  function shortened(words) {
    return words.length > 48 ? `${words.slice(0, 47)}…` : words;
  }

  /** @param {number | null} rating */
  function stars(rating) {
    return rating === null ? "" : `★ ${rating}`;
  }

  /** @param {any} node */
  function fill(node) {
    if (!node.open) return "var(--paper)";
    return node.kind === "target" || node.kind === "user"
      ? "var(--ink)"
      : node.kind === "peer"
        ? "var(--peer)"
        : "var(--item)";
  }

  /** @param {any} node */
  function stroke(node) {
    return node.open ? (node.kind === "peer" ? "var(--accent)" : "var(--ink)") : "var(--muted)";
  }

  /** What the drawing means. @param {any} told */
  function legend(told) {
    const bundled = told.steps.some((/** @type {any} */ one) =>
      one.links.some((/** @type {any} */ link) => "peers" in link),
    );
    return (
      "Squares are items, circles people; ★ is a rating. " +
      (bundled
        ? "A circle holds the peers who know the item and the candidate; × says how many times as many as by chance. "
        : "") +
      "Last, what the thought says: +2 strongly for, −2 strongly against."
    );
  }

  return { plot, legend };
})();
