"use strict";
/* A link to something that is closed opens it, and what is closed is open on paper. */
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const named = () => {
    try {
      return document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return null;
    }
  };
  const reveal = () => {
    const target = named();
    for (let one = target?.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    if (!target) return;
    /* What is small is shown with what is around it; of what is large, the heading has to be in sight. */
    const large = target.matches("section") || target.getBoundingClientRect().height > innerHeight / 2;
    target.scrollIntoView({ block: large ? "start" : "center", behavior: "instant" });
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  let closed = [];
  addEventListener("beforeprint", () => {
    const steps = document.getElementById("with_exchanges")?.checked ? "" : ":not(#exchanges details)";
    closed = all(`details:not([open])${steps}`);
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
