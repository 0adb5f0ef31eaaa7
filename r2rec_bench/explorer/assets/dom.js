"use strict";

/**
 * Elements. Every text becomes a text node: whatever a title or a model says, it is never read as HTML.
 *
 * @param {string} tag
 * @param {Record<string, any> | null} [attributes] `on…` are listeners; null and false are left out.
 * @param {...(Node | string | number | null | undefined)} children
 * @returns {HTMLElement}
 */
explorer.h = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child !== null && child !== undefined) element.append(child instanceof Node ? child : String(child));
  }
  return element;
};

/** A text from outside, which may run from right to left. @param {string} words @param {string} [kind] */
explorer.quoted = (words, kind) => explorer.h("bdi", { class: kind }, words);

/**
 * A labelled choice.
 *
 * @param {string} label
 * @param {[string | number, string][]} options value and words
 * @param {string | number} chosen
 * @param {(value: string) => void} change
 */
explorer.choice = (label, options, chosen, change) =>
  explorer.h(
    "label",
    { class: "field" },
    explorer.h("span", null, label),
    explorer.h(
      "select",
      {
        id: `choice-${label.replaceAll(" ", "-")}`,
        "aria-label": label,
        onchange: (/** @type {any} */ event) => change(event.target.value),
      },
      ...options.map(([value, words]) =>
        explorer.h("option", { value, selected: String(value) === String(chosen) }, words),
      ),
    ),
  );
