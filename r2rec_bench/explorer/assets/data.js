"use strict";

/**
 * Data arrive as scripts, because a page opened from disk may not fetch: each calls `explorer.give`. The other scripts
 * put what they do into the same object.
 *
 * @type {any}
 */
const explorer = (() => {
  /** @type {Map<string, unknown>} */
  const given = new Map();
  /** @type {Map<string, Promise<unknown>>} */
  const asked = new Map();
  const KEPT = 60;

  /** Called by every file of data. @param {string} name @param {unknown} value */
  function give(name, value) {
    given.set(name, value);
  }

  /** The value of a file of data, loaded once; the oldest are forgotten. @param {string} name */
  function load(name) {
    const known = asked.get(name);
    if (known) return known;
    const coming = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      script.onload = () => {
        script.remove();
        resolve(given.get(name));
        given.delete(name);
      };
      script.onerror = () => {
        script.remove();
        asked.delete(name);
        reject(new Error(`data/${name}.js is missing: copy the whole folder, or write the site again.`));
      };
      document.head.append(script);
    });
    asked.set(name, coming);
    if (asked.size > KEPT) asked.delete(asked.keys().next().value ?? "");
    return coming;
  }

  return { give, load };
})();
