"""Set up one sign-in of a program: folders, server, browser, variables; and take everything down again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from loopback_auth.audit.programs.browsing import browser_session
from loopback_auth.audit.programs.process import Process
from loopback_auth.audit.programs.program_environment import ProgramEnvironment
from loopback_auth.audit.programs.program_setup import ProgramSetup
from loopback_auth.audit.programs.program_sign_in import Behaviour, ProgramSignIn
from loopback_auth.audit.programs.server import AuditServer
from loopback_auth.audit.programs.temporary_folder import temporary_folder
from loopback_auth.audit.programs.trial import keeps_every_rule
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import serve_demo


@asynccontextmanager
async def ready_sign_in(
    setup: ProgramSetup,
    behaviour: Behaviour,
    *,
    faults: Callable[[str], Faults] = keeps_every_rule,
    hang: tuple[str, ...] = (),
) -> AsyncGenerator[ProgramSignIn]:
    """Set up one sign-in, which begins when a scenario lets it; at the end, remove everything.

    Args:
        setup: of the program.
        behaviour: of the program.
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
        root = stack.enter_context(temporary_folder(setup.folder))
        tls = setup.authority.context if setup.authority is not None else None
        demo = await stack.enter_async_context(serve_demo(server_factory=serving, hang=hang, tls=tls))
        session = await stack.enter_async_context(browser_session())
        program_environment = ProgramEnvironment(root)
        given = setup.given(root, program_environment, demo.issuer, terminal=behaviour.terminal)

        def start() -> Process:
            return Process(
                given.command,
                given.environment,
                given.folder,
                terminal=behaviour.terminal,
                typed=given.typed,
            )

        sign_in = ProgramSignIn(
            start,
            servers[0],
            session,
            program_environment,
            setup.redactor,
            behaviour=behaviour,
            lines=tuple(given.typed.splitlines()),
            success=setup.recipe.success,
        )
        stack.push_async_callback(sign_in.leave)
        yield sign_in
