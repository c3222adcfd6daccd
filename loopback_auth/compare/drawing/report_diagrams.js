"use strict";
/* An arrow shows its request and response beside the diagrams, by mouse, by touch and by keys. */
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const drawn = byId("drawn");
  if (!drawn) return;
  const [dock, title, way, content] = ["dock", "dock_title", "dock_way", "dock_content"].map(byId);
  const nav = document.querySelector("nav");
  const strip = drawn.querySelector(".strip");
  const arrows = all(".arrow");
  const entryOf = (arrow) => byId(arrow.getAttribute("href").slice(1));
  const flowOf = (arrow) => arrow.closest("figure");
  let chosen = null;

  /* The names of the lanes stay in sight: a second row of them covers the first, and sticks below the top. */
  const names = document.createElement("div");
  const row = strip.firstElementChild.cloneNode(false);
  row.append(...all("figcaption", strip).map((one) => one.cloneNode(true)));
  names.className = "names";
  names.setAttribute("aria-hidden", "true");
  names.append(row);
  drawn.prepend(names);
  strip.addEventListener("scroll", () => (row.scrollLeft = strip.scrollLeft), { passive: true });

  /* The dock repeats what is written out further down, so that both stay in sight. */
  const show = (arrow) => {
    const entry = entryOf(arrow);
    const label = entry.querySelector(".label").textContent;
    for (const one of arrows) one.classList.toggle("current", one === arrow);
    title.textContent = `${flowOf(arrow).querySelector("h3").textContent} · ${entry.querySelector(".number").textContent} · ${label}`;
    way.replaceChildren(...entry.querySelector(".way").cloneNode(true).childNodes);
    content.replaceChildren(...entry.querySelector(".shown").cloneNode(true).childNodes);
    content.scrollTop = 0;
  };
  /* Nothing moves that is in sight already: the button of the dock has to stay below the pointer. */
  const uncover = (arrow) => {
    arrow.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    const [box, cover] = [arrow, dock].map((one) => one.getBoundingClientRect());
    const beside = box.right <= cover.left;
    const below = box.bottom - (beside ? innerHeight : cover.top);
    const heads = [nav, row].map((one) => one.getBoundingClientRect().bottom);
    const above = Math.max(...heads) - box.top;
    const by = below > 0 ? below + 8 : above > 0 ? -above - 8 : 0;
    scrollBy({ top: by, behavior: "instant" });
  };
  const choose = (arrow) => {
    chosen = arrow;
    dock.hidden = false;
    show(arrow);
    uncover(arrow);
  };
  const close = () => {
    /* First, as an arrow that gets the focus opens the dock. */
    chosen?.focus();
    chosen = null;
    dock.hidden = true;
    for (const one of arrows) one.classList.remove("current");
  };
  const step = (by) => {
    const mine = all(".arrow", flowOf(chosen));
    const next = mine[mine.indexOf(chosen) + by];
    if (next) choose(next);
    return next;
  };
  /* The arrow of the next diagram that is nearest in height: the same phase. */
  const beside = (by) => {
    const flows = all("figure", strip);
    const other = flows[flows.indexOf(flowOf(chosen)) + by];
    const height = (arrow) => arrow.getBoundingClientRect().top;
    const distance = (arrow) => Math.abs(height(arrow) - height(chosen));
    return other && all(".arrow", other).sort((a, b) => distance(a) - distance(b))[0];
  };
  const keys = {
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    ArrowLeft: () => beside(-1),
    ArrowRight: () => beside(1),
  };

  /* Not pointerover, which comes when the page moves below a pointer at rest. */
  strip.addEventListener("pointermove", (event) => {
    const arrow = event.target.closest(".arrow");
    if (!arrow || event.pointerType !== "mouse") return;
    dock.hidden = false;
    if (!arrow.matches(".current")) show(arrow);
  });
  strip.addEventListener("pointerleave", () => chosen && show(chosen));
  strip.addEventListener("focusin", (event) => {
    const arrow = event.target.closest(".arrow");
    if (arrow?.matches(":focus-visible")) choose(arrow);
  });
  strip.addEventListener("click", (event) => {
    const arrow = event.target.closest(".arrow");
    if (!arrow || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(arrow);
    /* Enter, and not a pointer: the focus moves there for people who cannot see the dock appear. */
    if (event.detail === 0) title.focus();
  });
  strip.addEventListener("keydown", (event) => {
    const next = event.target.closest(".arrow") && chosen && keys[event.key]?.();
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  byId("dock_before").addEventListener("click", () => step(-1));
  byId("dock_after").addEventListener("click", () => step(1));
  byId("dock_close").addEventListener("click", close);
  dock.addEventListener("keydown", (event) => event.key === "Escape" && chosen?.focus());
})();
