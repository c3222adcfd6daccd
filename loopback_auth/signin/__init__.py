"""One sign-in under way, from its plan to its last page.

`session` is the way in: it makes a `SignInAttempt` (`attempt`), which has the person's time and runs a `Race`
(`race`) between the flows of the plan. Each flow is run by a `Driver` (`driver`); all of them share
`Resources` (`resources`): a port, a browser, connections. What came of it is kept by `refresh`, which also
renews and revokes. `planning`, `embedded_plan` and `demo_plan` make the plan; `two_step` signs in without
waiting.
"""
