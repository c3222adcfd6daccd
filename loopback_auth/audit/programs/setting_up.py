"""Set up one sign-in of a program: folders, server, browser, variables; and take everything down again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from loopback_auth.audit.programs.browsing import browser_session
from loopback_auth.audit.programs.process import Process
from loopback_auth.audit.programs.program_environment import Surroundings
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.program_sign_in import Manner, Stage
from loopback_auth.audit.programs.server import AuditServer
from loopback_auth.audit.programs.temporary_folder import own_folder
from loopback_auth.audit.programs.trial import keeps_every_rule
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import serve_demo


@asynccontextmanager
async def staged(
    setup: ProgramSetup,
    manner: Manner,
    *,
    faults: Callable[[str], Faults] = keeps_every_rule,
    hang: tuple[str, ...] = (),
) -> AsyncGenerator[Stage]:
    """Set up one sign-in, which begins when a story lets it; in the end nothing of it is left.

    Args:
        setup: of the program.
        manner: of the program.
        faults: rules that the server breaks, from its issuer.
        hang: paths of the server that never answer.
    """
    servers: list[AuditServer] = []

    def serving(issuer: str) -> AuditServer:
        servers.append(
            AuditServer(
                issuer,
                setup.recipe,
                secret=setup.secret,
                faults=faults(issuer),
                signer=setup.signer,
                redactor=setup.redactor,
            )
        )
        return servers[0]

    async with AsyncExitStack() as stack:
        root = stack.enter_context(own_folder(setup.folder))
        tls = setup.authority.context if setup.authority is not None else None
        demo = await stack.enter_async_context(serve_demo(server_factory=serving, hang=hang, tls=tls))
        session = await stack.enter_async_context(browser_session())
        surroundings = Surroundings(root)
        given = setup.given(root, surroundings, demo.issuer, terminal=manner.terminal)

        def start() -> Process:
            return Process(
                given.command,
                given.environment,
                given.folder,
                terminal=manner.terminal,
                typed=given.typed,
            )

        stage = Stage(
            start,
            servers[0],
            session,
            surroundings,
            setup.redactor,
            manner=manner,
            lines=tuple(given.typed.splitlines()),
            success=setup.recipe.success,
        )
        stack.push_async_callback(stage.leave)
        yield stage
