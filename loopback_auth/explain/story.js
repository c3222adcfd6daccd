"use strict";
/* One step at a time, beside the diagram: by buttons, by keys, by an arrow or by a link to a step. */
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const walks = all(".walk:has(.pager)").map((walk) => {
    const steps = all(".step", walk);
    const arrows = all(".picture .arrow", walk);
    const [before, after] = all(".pager button", walk);
    const [where, every] = [walk.querySelector(".where"), walk.querySelector(".every")];
    let at = 0;
    const show = (next, { keep = true } = {}) => {
      at = Math.max(0, Math.min(next, steps.length - 1));
      for (const [place, step] of steps.entries()) step.classList.toggle("current", place === at);
      for (const arrow of arrows) {
        const place = steps.findIndex((step) => `#${step.id}` === arrow.getAttribute("href"));
        arrow.classList.toggle("current", place === at);
        arrow.classList.toggle("later", place > at);
      }
      where.textContent = `Step ${at + 1} of ${steps.length}`;
      before.disabled = at === 0;
      after.disabled = at === steps.length - 1;
      const arrow = arrows.find((one) => one.matches(".current"));
      const box = walk.querySelector(".picture");
      if (arrow && box.scrollHeight > box.clientHeight) {
        const [inner, outer] = [arrow.getBoundingClientRect(), box.getBoundingClientRect()];
        box.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 2;
      }
      /* So that the address leads to this step; each step is not a page to go back to. */
      if (keep) history.replaceState(null, "", `#${steps[at].id}`);
    };
    /* The bar stays at the top of the window, and covers what is behind it. */
    const boxes = () => [steps[at], walk.querySelector(".bar")].map((one) => one.getBoundingClientRect());
    const seen = () => {
      const [step, bar] = boxes();
      return step.bottom > bar.height && step.top < innerHeight;
    };
    const uncover = () => {
      const [step, bar] = boxes();
      const whole = step.top >= bar.height && step.bottom <= innerHeight;
      if (!whole) scrollBy({ top: step.top - bar.height - 8, behavior: "instant" });
    };
    const stepping = () => walk.classList.contains("stepping");
    const follow = () => {
      walk.classList.toggle("stepping", !every.checked);
      for (const one of all(".pager button, .where", walk)) one.hidden = every.checked;
      if (every.checked) steps[at].scrollIntoView({ block: "start", behavior: "instant" });
    };
    for (const button of [before, after]) {
      button.addEventListener("click", () => show(at + Number(button.dataset.go)));
    }
    every.addEventListener("change", follow);
    walk.addEventListener("focusin", () => (active = one));
    for (const hidden of all(".pager, .keys", walk)) hidden.hidden = false;
    const one = { walk, steps, show, stepping, seen, uncover, at: () => at };
    follow();
    show(0, { keep: false });
    return one;
  });
  let active = walks[0];
  if (!active) return;

  const keys = {
    ArrowLeft: (at) => at - 1,
    ArrowRight: (at) => at + 1,
    Home: () => 0,
    End: (_, last) => last,
  };
  document.addEventListener("keydown", (event) => {
    const next = keys[event.key];
    const other = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    /* What scrolls sideways has these keys for itself. */
    if (!next || other || !active.stepping() || event.target.closest("input:not(.every), pre")) return;
    /* Elsewhere these lead to the ends of the page. */
    if (["Home", "End"].includes(event.key) && !active.seen()) return;
    event.preventDefault();
    active.show(next(active.at(), active.steps.length - 1));
    active.uncover();
  });

  const open = () => {
    let name = "";
    try {
      name = decodeURIComponent(location.hash.slice(1));
    } catch {
      return;
    }
    for (const one of walks) {
      const at = one.steps.findIndex((step) => step.id === name);
      if (at < 0) continue;
      active = one;
      one.show(at, { keep: false });
      one.walk.scrollIntoView({ block: "nearest", behavior: "instant" });
      if (!one.stepping()) one.steps[at].scrollIntoView({ block: "start", behavior: "instant" });
    }
  };
  addEventListener("hashchange", open);
  open();
})();
