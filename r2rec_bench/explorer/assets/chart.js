"use strict";

/**
 * A figure that Observable Plot draws, as wide as there is room, again whenever that changes.
 *
 * @param {object} figure
 * @param {string} figure.title
 * @param {string} figure.says what it shows, in words, for who cannot see it
 * @param {(width: number) => any} figure.plot the options of Plot
 * @param {Node | string} [figure.caption]
 * @returns {HTMLElement}
 */
explorer.chart = ({ title, says, plot, caption }) => {
  const { h } = explorer;
  const place = h("div", { class: "plot" });
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (!width || width === drawn) return;
    drawn = width;
    place.replaceChildren(explorer.plot({ ariaLabel: `${title}. ${says}`, width, ...plot(width) }));
  }).observe(place);
  return h("figure", null, h("h3", null, title), place, caption ? h("figcaption", null, caption) : null);
};

/** Plot, in the page's own type. The class name is what the page's policy allows a style for. @param {any} options */
explorer.plot = (options) => {
  const svg = Plot.plot({ className: "plot-svg", ...options });
  svg.setAttribute("role", "img");
  return svg;
};

/** What a system is drawn in. @param {any} system @param {boolean} reference */
explorer.colour = (system, reference) =>
  reference ? "var(--accent)" : system.ablation ? "var(--muted)" : "var(--ink)";
