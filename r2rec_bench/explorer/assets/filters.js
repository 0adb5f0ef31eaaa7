"use strict";

/**
 * Which users are shown.
 *
 * @typedef {object} Wanted
 * @property {number} run the system looked at
 * @property {number} against another
 * @property {string} outcome all, hit or miss of `run`
 * @property {boolean} apart only where one of the two hits
 * @property {boolean} cold only users with little behaviour
 * @property {boolean} invalid only where an answer of `run` could not be read
 * @property {string} words in the id or the title
 *
 * @param {any} users the index
 * @param {any} cases what is known of the lists
 * @param {Wanted} wanted
 * @returns {number[]} rows of users
 */
explorer.filtered = (users, cases, wanted) => {
  const ranks = users.ranks[wanted.run];
  const others = users.ranks[wanted.against] ?? ranks;
  const invalid = users.invalid[wanted.run];
  const words = wanted.words.trim().toLowerCase();
  const rows = [];
  for (let row = 0; row < users.ids.length; row++) {
    const hit = ranks[row] === 1;
    if (wanted.outcome === "hit" && !hit) continue;
    if (wanted.outcome === "miss" && hit) continue;
    if (wanted.apart && hit === (others[row] === 1)) continue;
    if (wanted.cold && users.seen[row] > cases.cold) continue;
    if (wanted.invalid && !invalid?.[row]) continue;
    if (words && users.ids[row].toLowerCase() !== words && !users.taken[row].toLowerCase().includes(words)) continue;
    rows.push(row);
  }
  return rows;
};
