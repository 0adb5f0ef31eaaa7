"use strict";

/**
 * The reference less each other system, with intervals.
 *
 * @param {any} study
 * @param {any[]} systems those compared
 * @param {string} title
 * @returns {HTMLElement}
 */
explorer.forest = (study, systems, title) => {
  const { signed, spread } = explorer.numbers;
  const reference = study.systems[study.reference];
  const lines = systems.map((system, at) => {
    const [mean, low, high] = system.against.difference;
    return { at, label: system.label, mean, low, high, sure: system.against.significant };
  });
  const says = lines.map((one) => `${one.label}: ${signed(one.mean)} ${spread([one.mean, one.low, one.high], signed)}`);
  return explorer.chart({
    title,
    says: says.join("; "),
    caption:
      `HR@1 of ${reference.label} less that of each line, paired by user, with its 95 % interval; right of 0 the ` +
      `reference is better. Filled: p < 0.05 after Holm.`,
    plot: (width) => {
      const room = Math.min(240, width * 0.36);
      return {
        height: 52 + 26 * lines.length,
        marginLeft: room,
        marginRight: 12,
        marginBottom: 36,
        x: { label: "difference in HR@1", grid: true, nice: true, labelAnchor: "center", ticks: width < 500 ? 4 : 8 },
        y: { axis: null, domain: [-0.6, lines.length - 0.4], reverse: true },
        marks: [
          Plot.ruleX([0], { stroke: "var(--line-strong)" }),
          Plot.link(lines, { x1: "low", x2: "high", y1: "at", y2: "at", stroke: "var(--accent)", strokeWidth: 2 }),
          Plot.dot(lines, {
            x: "mean",
            y: "at",
            r: 4.5,
            stroke: "var(--accent)",
            strokeWidth: 1.5,
            fill: (/** @type {any} */ one) => (one.sure ? "var(--accent)" : "var(--paper)"),
          }),
          Plot.text(lines, {
            y: "at",
            text: "label",
            frameAnchor: "left",
            textAnchor: "end",
            dx: -12,
            lineWidth: room / 13,
            textOverflow: "ellipsis-end",
          }),
        ],
      };
    },
  });
};
