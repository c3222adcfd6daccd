"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const [dock, title, way, content] = ["dock", "dock-title", "dock-way", "dock-content"].map(byId);
  const nav = document.querySelector("nav");
  const strip = document.querySelector(".diagrams");
  const arrows = all(".arrow");
  const entryOf = (arrow) => byId(arrow.getAttribute("href").slice(1));
  const flowOf = (arrow) => arrow.closest("figure");
  let chosen = null;
  let followed = "";

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
    const heads = [nav, flowOf(arrow).querySelector("figcaption")].map((one) => one.getBoundingClientRect().bottom);
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

  /* Secrets light up in all diagrams; whatever does not carry the one that is followed steps back. */
  let lit = " ";
  const light = (name, following) => {
    if (lit === `${name} ${following}`) return;
    lit = `${name} ${following}`;
    document.body.classList.toggle("following", following);
    for (const one of all("[data-secret]")) one.classList.toggle("lit", one.dataset.secret === name);
    for (const arrow of arrows) arrow.classList.toggle("lit", all(".cargo.lit", arrow).length > 0);
  };
  const follow = (name) => {
    followed = name;
    for (const one of all("#follow button")) one.setAttribute("aria-pressed", String(one.dataset.secret === name));
    light(name, name !== "");
  };
  const secretAt = (event) => event.target.closest?.("[data-secret]")?.dataset.secret ?? "";
  const touch = (event) => {
    const name = secretAt(event) || followed;
    light(name, name === followed ? name !== "" : event.target.matches("#follow button"));
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
  byId("dock-before").addEventListener("click", () => step(-1));
  byId("dock-after").addEventListener("click", () => step(1));
  byId("dock-close").addEventListener("click", close);
  dock.addEventListener("keydown", (event) => event.key === "Escape" && chosen?.focus());

  document.addEventListener("pointerover", touch);
  document.addEventListener("focusin", touch);
  byId("follow").addEventListener("click", (event) => {
    const name = secretAt(event);
    if (name) follow(name === followed ? "" : name);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && follow(""));
  byId("follow").hidden = !document.querySelector("#follow button");

  /* A link to a step leads into something that is closed. */
  const reveal = () => {
    const target = byId(location.hash.slice(1));
    if (target?.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
