"use strict";
/* Secrets light up wherever they are; whatever does not carry the one that is followed steps back. */
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const arrows = all(".arrow");
  const group = document.getElementById("follow");
  let followed = "";
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
  document.addEventListener("pointerover", touch);
  document.addEventListener("focusin", touch);
  if (!group) return;
  group.addEventListener("click", (event) => {
    const name = secretAt(event);
    if (name) follow(name === followed ? "" : name);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && follow(""));
  group.hidden = !group.querySelector("button");
})();
