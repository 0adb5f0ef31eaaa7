"use strict";

/** Numbers in words; a dash where there is none. */
explorer.numbers = (() => {
  const NONE = "–";
  /** @param {number | null | undefined} value */
  const known = (value) => value !== null && value !== undefined;

  /** @param {number | null | undefined} value @param {number} [digits] */
  const fixed = (value, digits = 3) => (known(value) ? value.toFixed(digits) : NONE);

  /** With its sign. @param {number | null | undefined} value @param {number} [digits] */
  const signed = (value, digits = 3) =>
    known(value) ? (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(digits) : NONE;

  /** @param {number | null | undefined} value */
  const count = (value) => (known(value) && value ? Math.round(value).toLocaleString("en-US") : NONE);

  /** `[low, high]`. @param {(number | null)[]} interval mean, low, high @param {(value: any) => string} [form] */
  const spread = (interval, form = fixed) => (known(interval[1]) ? `[${form(interval[1])}, ${form(interval[2])}]` : "");

  /** A score, short. @param {number | null} value */
  const score = (value) => (known(value) ? String(Number(value.toPrecision(3))) : NONE);

  return { NONE, known, fixed, signed, count, spread, score };
})();
