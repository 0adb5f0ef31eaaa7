"use strict";

/**
 * A mean with its interval on a scale that a whole column shares, for a cell of a table; the words stand beside it.
 *
 * @param {(number | null)[]} interval mean, low, high
 * @param {[number, number]} domain
 * @param {string} colour
 * @param {{ zero?: boolean, filled?: boolean }} [how] a line at 0; a hollow point for what may be chance
 */
explorer.interval = ([mean, low, high], domain, colour, { zero = false, filled = true } = {}) => {
  if (mean === null) return explorer.h("span", null);
  const svg = explorer.plot({
    width: 120,
    height: 18,
    margin: 0,
    marginLeft: 5,
    marginRight: 5,
    x: { axis: null, domain },
    y: { axis: null, domain: [0, 1] },
    marks: [
      zero ? Plot.ruleX([0], { stroke: "var(--line-strong)" }) : null,
      low === null ? null : Plot.link([0], { x1: low, x2: high, y1: 0.5, y2: 0.5, stroke: colour, strokeWidth: 2 }),
      Plot.dot([0], {
        x: mean,
        y: 0.5,
        r: 4,
        fill: filled ? colour : "var(--paper)",
        stroke: colour,
        strokeWidth: 1.5,
      }),
    ],
  });
  svg.removeAttribute("role");
  svg.setAttribute("aria-hidden", "true");
  return svg;
};

/** The ends of all intervals with some air. @param {(number | null)[][]} intervals @returns {[number, number]} */
explorer.domain = (intervals) => {
  const ends = intervals.flat().filter((value) => value !== null);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const air = (high - low || 0.1) * 0.06;
  return [low - air, high + air];
};
