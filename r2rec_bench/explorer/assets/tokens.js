"use strict";

/** HR@1 against the tokens that a user costs. @param {any} study @returns {HTMLElement | null} */
explorer.tokens = (study) => {
  const { count, fixed, spread } = explorer.numbers;
  const points = study.systems
    .map((/** @type {any} */ system, /** @type {number} */ place) => ({
      label: system.label,
      tokens: system.read + system.written,
      hit: system.values["hr@1"] ?? [null],
      colour: explorer.colour(system, place === study.reference),
    }))
    .filter((/** @type {any} */ one) => one.tokens && one.hit[0] !== null);
  if (points.length < 2) return null;
  const tokens = points.map((/** @type {any} */ one) => one.tokens);
  const domain = [Math.min(...tokens) / 1.4, Math.max(...tokens) * 1.4];
  return explorer.chart({
    title: "Accuracy against tokens",
    says: points
      .map(
        (/** @type {any} */ one) =>
          `${one.label}: ${count(one.tokens)} tokens, ${fixed(one.hit[0])} ${spread(one.hit)}`,
      )
      .join("; "),
    caption:
      "Tokens read and written for all candidates of one user, and HR@1 with its 95 % interval. Systems without a " +
      "language model read none and are left out.",
    plot: (width) => ({
      height: Math.min(420, 220 + 0.2 * width),
      marginLeft: 44,
      marginRight: width > 560 ? 170 : 24,
      marginBottom: 40,
      x: {
        label: "tokens per user",
        labelAnchor: "center",
        grid: true,
        type: "log",
        domain,
        tickFormat: (/** @type {number} */ n) => n.toLocaleString("en-US"),
        ticks: 4,
      },
      y: { label: "HR@1", grid: true, nice: true },
      marks: [
        Plot.link(points, {
          x1: "tokens",
          x2: "tokens",
          y1: (/** @type {any} */ one) => one.hit[1],
          y2: (/** @type {any} */ one) => one.hit[2],
          stroke: "colour",
          strokeWidth: 1.5,
          strokeOpacity: 0.6,
        }),
        Plot.dot(points, { x: "tokens", y: (/** @type {any} */ one) => one.hit[0], r: 4.5, fill: "colour" }),
        width > 560
          ? Plot.text(apart(points), {
              x: "tokens",
              y: "y",
              text: "label",
              dx: 10,
              textAnchor: "start",
              fill: "colour",
              lineWidth: 18,
              textOverflow: "ellipsis-end",
            })
          : Plot.tip(points, Plot.pointer({ x: "tokens", y: (/** @type {any} */ one) => one.hit[0], title: "label" })),
      ],
    }),
  });

  /** The same points with the words moved up until none hides another. @param {any[]} all */
  function apart(all) {
    const ends = all.flatMap((one) => one.hit.slice(1, 3));
    const least = (Math.max(...ends) - Math.min(...ends) || 1) / 16;
    let last = -Infinity;
    return [...all]
      .sort((a, b) => a.hit[0] - b.hit[0])
      .map((one) => {
        last = Math.max(one.hit[0], last + least);
        return { ...one, y: last };
      });
  }
};
