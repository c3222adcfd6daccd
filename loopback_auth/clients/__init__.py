"""Adapters that give the tokens of a `TokenSource` to other people's HTTP clients; each needs its library.

    httpx.Client(auth=loopback_auth.clients.httpx.BearerAuth(source))                # AsyncClient, too
    httpx2.AsyncClient(auth=loopback_auth.clients.httpx2.BearerAuth(source))         # Client, too
    session.auth = loopback_auth.clients.requests.BearerAuth(source)
    aiohttp.ClientSession(middlewares=[loopback_auth.clients.aiohttp.bearer(source)])
    AuthorizedSession(loopback_auth.clients.google.Credentials(source))
    BlobClient(url, credential=loopback_auth.clients.azure.TokenCredential(source))

All of them: a request gets a fresh token. After a 401 the token is renewed, once for all requests, and the
request is sent again, if its body can be sent again. After a 403 with `insufficient_scope` the user is asked
for more scope (RFC 6750 §3.1), and after a 401 with `insufficient_user_authentication` to authenticate again
(RFC 9470 §4), if the source may ask. Errors of the source are raised as they are, but for `StillRefused`:
where a server refuses new tokens, too, its answer is returned.
"""
