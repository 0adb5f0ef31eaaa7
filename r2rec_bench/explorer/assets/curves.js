"use strict";

/** HR@1 by the values of a setting. @param {any} study @returns {HTMLElement[]} */
explorer.curves = (study) =>
  study.curves.map((/** @type {any} */ curve) => {
    const { fixed, spread } = explorer.numbers;
    const points = curve.points.map((/** @type {[number, number]} */ [value, place]) => ({
      value,
      hit: study.systems[place].values["hr@1"],
      own: place === study.reference,
    }));
    const hit = (/** @type {number} */ end) => (/** @type {any} */ one) => one.hit[end];
    return explorer.chart({
      title: curve.name,
      says: points.map((/** @type {any} */ one) => `${one.value}: ${fixed(one.hit[0])} ${spread(one.hit)}`).join("; "),
      caption: `HR@1 with its 95 % interval by ${curve.setting}; filled: the full model.`,
      plot: () => ({
        height: 220,
        marginLeft: 44,
        marginBottom: 38,
        x: { label: curve.setting, labelAnchor: "center", nice: true },
        y: { label: "HR@1", grid: true, nice: true },
        marks: [
          Plot.line(points, { x: "value", y: hit(0), stroke: "var(--accent)" }),
          Plot.link(points, { x1: "value", x2: "value", y1: hit(1), y2: hit(2), stroke: "var(--accent)" }),
          Plot.dot(points, {
            x: "value",
            y: hit(0),
            r: 4.5,
            stroke: "var(--accent)",
            fill: (/** @type {any} */ one) => (one.own ? "var(--accent)" : "var(--paper)"),
          }),
        ],
      }),
    });
  });
