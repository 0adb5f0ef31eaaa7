"use strict";

/** What each stage of the reference logged, by step: a figure per stage. @param {any} study @returns {HTMLElement[]} */
explorer.training = (study) =>
  study.training.map((/** @type {any} */ stage) => {
    const points = stage.curves.flatMap((/** @type {any} */ curve) =>
      curve.steps.map((/** @type {number} */ step, /** @type {number} */ at) => ({
        step,
        value: curve.values[at],
        seed: `seed ${curve.seed}`,
      })),
    );
    const several = stage.curves.length > 1;
    const [first, last] = [points[0], points[points.length - 1]];
    const { score } = explorer.numbers;
    return explorer.chart({
      title: `Training, ${stage.stage}: ${stage.figure}`,
      says: `From ${score(first.value)} at step ${first.step} to ${score(last.value)} at step ${last.step}.`,
      caption: several ? `A line for each of ${stage.curves.length} seeds.` : undefined,
      plot: () => ({
        height: 200,
        marginLeft: 48,
        marginBottom: 36,
        x: {
          label: "step",
          labelAnchor: "center",
          nice: true,
          ticks: Math.min(8, last.step - first.step),
          tickFormat: "d",
        },
        y: { label: stage.figure, grid: true, nice: true, ticks: 5 },
        marks: [
          Plot.line(points, {
            x: "step",
            y: "value",
            z: "seed",
            stroke: "var(--accent)",
            strokeWidth: 1.75,
            strokeOpacity: several ? 0.6 : 1,
          }),
          points.length < 40 ? Plot.dot(points, { x: "step", y: "value", r: 2, fill: "var(--accent)" }) : null,
        ],
      }),
    });
  });
