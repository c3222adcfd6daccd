"use strict";
(() => {
  const { live, token } = document.body.dataset;
  const ask = (path, method) =>
    fetch(live + path, {
      method,
      /* Not "same-origin": Firefox then hides the origin of a page without referrer. */
      mode: "cors",
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      headers: { "x-loopback-relay": token },
    });
  const say = (title, text) => {
    document.title = document.querySelector("h1").textContent = title;
    document.querySelector(".lead").textContent = text;
    for (const element of document.querySelectorAll(".until-over")) element.remove();
  };
  /* Coming back to this tab is the best sign that something was decided in the other one. */
  const back = () => {
    if (document.visibilityState === "visible") ask("/return", "POST").catch(() => {});
  };
  document.addEventListener("visibilitychange", back);
  addEventListener("focus", back);
  /* Answered when it is over, and not before. */
  ask("/outcome", "GET")
    .then((answer) => answer.json())
    .then(
      ({ title, message }) => say(title, message),
      () => say("The program has ended", "Look into the terminal. You may close this tab."),
    );
})();
