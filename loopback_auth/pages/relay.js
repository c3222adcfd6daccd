"use strict";
(() => {
  /* Taken and cleared before anything else: what is in the address is in the person's view and in screenshots. */
  let values = location.hash.replace(/^#\??/, "");
  /* Some servers put the issuer into the query beside it. */
  const issuer = new URLSearchParams(location.search).get("iss");
  if (values && issuer && !new URLSearchParams(values).has("iss")) values += "&iss=" + encodeURIComponent(issuer);
  history.replaceState(null, "", location.pathname);
  const say = (title, text) => {
    document.title = document.querySelector("h1").textContent = title;
    document.querySelector(".lead").textContent = text;
  };
  const { relay, token } = document.body.dataset;
  fetch(relay, {
    method: "POST",
    /* Not "same-origin": Firefox then hides the origin of a page without referrer. */
    mode: "cors",
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
    referrerPolicy: "no-referrer",
    keepalive: true,
    headers: { "content-type": "application/x-www-form-urlencoded", "x-loopback-relay": token },
    body: values,
  }).then(
    (answer) =>
      answer.status === 204
        ? say("Signed in", "You may close this tab and return to the terminal.")
        : !values
          ? say("No answer in this address", "Start again from the terminal, and let the page finish loading.")
          : say("Not signed in", "The terminal says why. You may close this tab."),
    () => say("Not delivered", "The program that waited for this answer is gone. Start again from the terminal."),
  );
})();
