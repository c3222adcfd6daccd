(() => {
  const data = { ...document.body.dataset };
  /* The link works once; a reload of this page asks where only this page knows. */
  history.replaceState(null, "", data.live);
  const stop = new AbortController();
  const tell = (what) => ask(data.live + what, data, "POST").catch(() => {});
  /* Coming back to this tab is the best sign that something was decided in the other one. A browser also says
     "focus" when a page is opened or first clicked: nobody has come back who has not been away. */
  let sent = false;
  let away = false;
  const leave = () => {
    if (!away) tell("/left");
    away = true;
  };
  const look = () => {
    if (document.visibilityState === "hidden") return leave();
    if (away) tell("/return");
    away = false;
  };
  document.addEventListener("visibilitychange", look, stop);
  addEventListener("focus", look, stop);
  /* In a window of its own the other page hides nothing. */
  addEventListener("blur", () => sent && leave(), stop);
  document.querySelector("a.button")?.addEventListener("click", () => ((sent = true), leave()), stop);
  ask(data.live + data.asks, data, "GET")
    .finally(() => stop.abort())
    .then(become)
    .catch(() => say(data.endedTitle, data.ended));
})();
