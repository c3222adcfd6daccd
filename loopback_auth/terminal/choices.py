"""What the keys do while a sign-in waits: which of them can do something now, and doing it.

A key that can do nothing now is not named, and pressing it does nothing. What is pasted while nothing is
asked is taken for the address of the flow `paste`, so that the person need not press a key first.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from loopback_auth.events import CallbackReceived, Event, RouteEnded
from loopback_auth.flow_table import BY_NAME, POLLED
from loopback_auth.signin.controls import Controls
from loopback_auth.terminal.clipboard import copy
from loopback_auth.terminal.keys import CTRL_C, Typed
from loopback_auth.terminal.line import Line, write
from loopback_auth.terminal.links import Links

if TYPE_CHECKING:
    from loopback_auth.network.browser import Opening


class Choices:
    """Answers the keys of one sign-in.

    Args:
        line: where to say what there is to say.
        links: of which the current one is opened, copied and drawn.
        controls: begin further flows.
        open_browser: starts a browser on a link; None: there is none to start.
        opened: called with the result each time a browser is started.
    """

    def __init__(
        self,
        line: Line,
        links: Links,
        *,
        controls: Controls | None,
        open_browser: Callable[[str], Opening] | None,
        opened: Callable[[Opening], object],
    ) -> None:
        self._line = line
        self._words = self._line.words
        self._links = links
        self._controls = controls
        self._open_browser = open_browser
        self._opened = opened
        self._actions = {
            "o": self._open,
            "c": self._copy,
            "q": self._draw,
            "d": self._begin_elsewhere,
            "p": self._paste,
            "?": self._help,
            "h": self._help,
        }
        self._seen: tuple[str, ...] = ()
        self._told: tuple[str, ...] = ()
        self._pending = Typed("")
        self._wanted = asyncio.Event()
        self._awaited = self._asked = self._over = False

    def typed(self, typed: Typed) -> None:
        """Run the action of a key, or keep what was pasted."""
        if typed.key == CTRL_C:
            signal.raise_signal(signal.SIGINT)
        elif self._over:
            return
        elif not typed.key:
            self._take(typed)
        elif action := self._actions.get(typed.key.lower()):
            action()

    def look(self) -> None:
        """Name the keys once they are settled, and again when others can do something; call often."""
        if self._line.resting:
            return  # A question has all the keys.
        names = self._names()
        if names and names == self._seen != self._told:
            self._help()
        self._seen = names

    async def address(self, ask: Callable[[str], Awaitable[str]]) -> str:
        """Return what the person pastes, whenever they want to; after a wrong answer they are asked again.

        Args:
            ask: asks, what was typed already given; an empty answer is one that they do not want to give now.
        """
        while True:
            typed = Typed("") if self._asked else await self._wish()
            if typed.whole:
                return typed.text
            text = await ask(typed.text)
            self._asked = bool(text)
            if text:
                return text

    def notice(self, event: Event, *, alone: bool) -> None:
        """Update which keys can be used after an event.

        Args:
            event: whatever happened.
            alone: nothing is open any more but the flow whose address is to be pasted.
        """
        match event:
            case CallbackReceived():
                self._over = True
            case RouteEnded("paste"):
                self._pending = Typed("")
                self._wanted.clear()
            case RouteEnded() if alone and self._awaited:
                self._wanted.set()
            case _:
                pass

    async def _wish(self) -> Typed:
        """Wait until the person wants to paste; return what they have pasted or typed already."""
        self._awaited = True
        try:
            await self._wanted.wait()
        finally:
            self._awaited = False
        pending, self._pending = self._pending, Typed("")
        self._wanted.clear()
        return pending

    def _names(self) -> tuple[str, ...]:
        if self._over:
            return ()
        link, elsewhere = bool(self._links.current), self._elsewhere()
        names = {
            self._words.KEY_OPEN: link and self._open_browser is not None,
            self._words.KEY_COPY: link,
            self._words.KEY_DRAW: self._links.drawable
            and (self._links.invited is not None or bool(elsewhere)),
            self._words.of(BY_NAME[elsewhere].key) if elsewhere else "": bool(elsewhere),
            self._words.KEY_PASTE: self._awaited or "paste" in self._waiting(),
        }
        return tuple(name for name, does_something in names.items() if does_something)

    def _help(self) -> None:
        self._told = self._names()
        keys = ", ".join(self._told)
        self._line.say(self._words.KEYS.format(keys=keys) if keys else self._words.KEYS_NONE)

    def _open(self) -> None:
        if not self._links.current or self._open_browser is None:
            return
        # The provider's own address, and a ticket's above all, would show in the process list.
        link, invited = self._start_link(exposed=True), self._links.invited
        if not link and invited is not None and invited.redeemable:
            self._line.say(self._words.KEY_EXPOSED)
            return
        link = link or self._links.current
        opening = self._open_browser(link)
        if opening.program:
            self._line.say(self._words.KEY_OPENING.format(opener=self._words.of(opening.program)))
            self._opened(opening)
        else:
            self._line.say(self._words.KEY_CANNOT_OPEN.format(why=opening.why_not))
            self._open_browser = None

    def _copy(self) -> None:
        link, name, loop = self._links.current, self._links.name, asyncio.get_running_loop()
        if link == self._links.own:
            link = self._start_link(exposed=False) or link
            if link != self._links.own:
                self._links.start(link)

        def later(show: Callable[[str], None], text: str) -> None:
            with suppress(RuntimeError):  # The sign-in may be over by then, and the loop with it.
                loop.call_soon_threadsafe(show, text)

        def run() -> None:
            write_escape = partial(later, write) if self._links.escapes else None
            later(
                self._tell,
                copy(link, os.environ, sys.platform, write_escape, words=self._words, name=name),
            )

        if link:
            # A program may hang, and then neither the sign-in nor its end must wait for it.
            threading.Thread(target=run, name="loopback_auth clipboard", daemon=True).start()

    def _tell(self, text: str) -> None:
        if not self._over:
            self._line.say(text)

    def _draw(self) -> None:
        if self._links.invited is not None:
            self._links.draw_code()
        elif self._elsewhere():
            self._links.code_wanted = True
            self._line.say(self._words.QR_BEGINS)
            self._begin_elsewhere()
        elif self._links.current:
            self._line.say(self._words.QR_NOTHING_TO_DRAW)

    def _begin_elsewhere(self) -> None:
        if self._controls is not None and (flow := self._elsewhere()):
            self._controls.begin(flow)

    def _paste(self) -> None:
        if self._can_paste():
            self._wanted.set()

    def _take(self, typed: Typed) -> None:
        if not self._can_paste():
            self._line.say(self._words.PASTE_NOT_NOW)
            return
        # Without marks around it a paste may come in several pieces.
        before = "" if typed.whole or self._pending.whole else self._pending.text
        self._pending = Typed(before + typed.text, whole=typed.whole)
        self._wanted.set()

    def _can_paste(self) -> bool:
        if self._awaited or self._wanted.is_set():
            return True
        return self._controls is not None and self._controls.begin("paste")

    def _start_link(self, *, exposed: bool) -> str:
        return self._controls.start_link(exposed=exposed) if self._controls is not None else ""

    def _waiting(self) -> tuple[str, ...]:
        return self._controls.waiting if self._controls is not None else ()

    def _elsewhere(self) -> str:
        """Return a flow that can be begun and is approved on any device."""
        return next((flow for flow in self._waiting() if flow in POLLED), "")
