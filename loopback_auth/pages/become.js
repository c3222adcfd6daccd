"use strict";
const ask = (path, { token }, method, more = {}) =>
  fetch(path, {
    method,
    /* Not "same-origin": Firefox then hides the origin of a page without referrer. */
    mode: "cors",
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
    ...more,
    headers: { ...more.headers, "x-loopback-relay": token },
  });
const say = (title, text) => {
  document.title = document.querySelector("h1").textContent = title;
  document.querySelector(".lead").textContent = text;
  for (const element of document.querySelectorAll(".until-over")) element.remove();
};
/* Turn this page into the one that came as an answer; what that one still waits for is asked for in turn. No
   script of it runs: the parser has marked them (HTML Standard, DOMParser). */
const become = async (answer) => {
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const { dataset } = next.body;
  document.documentElement.replaceWith(next.documentElement);
  return follow(dataset);
};
/* Answered when there is something to show, and not before. */
const follow = (data) => (data.live ? ask(data.live + data.asks, data, "GET").then(become) : null);
