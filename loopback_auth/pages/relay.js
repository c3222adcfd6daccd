(() => {
  /* Taken and cleared before anything else: what is in the address is in the person's view and in screenshots. */
  let values = location.hash.replace(/^#\??/, "");
  /* Some servers put the issuer into the query beside it. */
  const issuer = new URLSearchParams(location.search).get("iss");
  if (values && issuer && !new URLSearchParams(values).has("iss")) values += "&iss=" + encodeURIComponent(issuer);
  history.replaceState(null, "", location.pathname);
  const data = { ...document.body.dataset };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  ask(data.relay, data, "POST", { keepalive: true, headers: form, body: values })
    /* Without an answer the program learns that, too, and goes on waiting. */
    .then(values ? become : () => say(data.emptyTitle, data.empty))
    .catch(() => say(data.endedTitle, data.ended));
})();
