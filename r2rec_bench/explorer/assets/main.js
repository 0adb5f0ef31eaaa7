"use strict";

/** Which page the address asks for, and light or dark. */
(async () => {
  const { h } = explorer;
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  let turn = 0;

  /** Goes to another page, or the same with other settings; empty ones are left out. @param {string} page @param {Record<string, any>} settings */
  explorer.go = (page, settings) => {
    const kept = Object.entries(settings).filter(([, value]) => value !== undefined && value !== "");
    location.hash = `#/${page}?${new URLSearchParams(/** @type {any} */ (kept))}`;
  };

  const theme = /** @type {HTMLElement} */ (document.querySelector("#theme"));
  theme.addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });

  document.querySelector("#skip")?.addEventListener("click", (event) => {
    event.preventDefault(); // the address names a page
    main.focus();
  });

  /** @type {any} */
  let study;
  try {
    study = await explorer.load("study");
  } catch (error) {
    main.replaceChildren(h("p", { class: "warning", role: "alert" }, String(/** @type {any} */ (error).message)));
    return;
  }
  document.title = `${study.name} · R2Rec explorer`;

  async function show() {
    const mine = ++turn;
    const [path, settings] = location.hash.replace(/^#\/?/, "").split("?");
    const [page, row] = path.split("/");
    const asked = new URLSearchParams(settings);
    for (const link of document.querySelectorAll("nav.top a")) {
      const own = link.getAttribute("href") === `#/${page === "case" ? "cases" : page}`;
      if (own) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    let content;
    try {
      const users = page ? await explorer.load("users") : null;
      if (page === "cases") content = explorer.cases.page(study, users, asked);
      else if (page === "case") content = await explorer.casePage(study, users, Number(row), asked);
      else if (page === "sides") content = explorer.sides(study, users, asked);
      else content = explorer.results(study);
    } catch (error) {
      content = [h("p", { class: "warning", role: "alert" }, String(/** @type {any} */ (error).message))];
    }
    if (mine !== turn) return; // somebody was quicker
    const focused = document.activeElement?.id;
    const same = main.dataset.page === path;
    main.dataset.page = path;
    main.replaceChildren(...content);
    if (!same) scrollTo(0, 0);
    if (focused) document.getElementById(focused)?.focus();
    else if (same || main.dataset.ready) main.focus({ preventScroll: true });
    main.dataset.ready = "yes";
  }

  addEventListener("hashchange", show);
  await show();
})();
