"""A pasted answer gets in whole, is never shown, and the terminal is afterwards what it was before."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TextIO

import pytest
from pseudo_terminal import PASTE, Person
from terminal_samples import LOOPS, REDIRECT_URI, REQUEST, STATE, Loop

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import AttemptCancelled, Unavailable
from loopback_auth.events import Event, PasteRefused, Warned
from loopback_auth.signin.pasting import LIMIT, TRIES, pasted
from loopback_auth.terminal.keys import TypedAnswer
from loopback_auth.terminal.paste import read_line

PROMPT = "Paste: "
NOTHING_SHOWN = re.compile(r"(\x1b\[\?2004[hl]|\r *|\r(\.\.\.)?[Paste: ]*(\(\d[\d ]* characters?\))? *)*")


def address(size: int) -> str:
    """Return an address of so many characters that answers the request."""
    start = f"{REDIRECT_URI}?state={STATE}&code="
    return start + "Zx9" * ((size - len(start)) // 3) + "Q" * ((size - len(start)) % 3)


@pytest.fixture
def person() -> Iterator[Person]:
    """Have a person sit at a terminal."""
    with Person() as one:
        yield one


@pytest.fixture(autouse=True)
def terminal_that_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every terminal that is not dumb understands bracketed paste, or ignores that it was asked for it."""
    monkeypatch.setenv("TERM", "xterm-256color")


def run(main: Coroutine[object, object, str], loop: Loop = asyncio.SelectorEventLoop) -> str:
    """Run to the end, or fail: nothing here takes long."""
    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(asyncio.wait_for(main, 60))


async def answered(person: Person, *typed: str, size: int = 65536, stream: TextIO | None = None) -> str:
    """Let the person type, one thing after the other, once they are asked; return what was read."""
    stream = person.stdin if stream is None else stream
    reading = asyncio.create_task(read_line(PROMPT, stream=stream, terminal=person.path))
    await person.sees(PROMPT)
    for text in typed:
        await person.types(text, size)
    return await reading


def restored(person: Person) -> bool:
    """Return whether the terminal is as it was, with bracketed paste off, and nothing left to read."""
    left = bool(select.select([person.stdin], [], [], 0)[0])
    shown = person.look()
    blocking = os.get_blocking(person.stdin.fileno())
    return blocking and not left and person.modes() == person.modes_before and shown.endswith("\x1b[?2004l")


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("form", ["{}\r", "{}\n", PASTE + "\r"])
@pytest.mark.parametrize(("length", "size"), [(4096, 1), (20_480, 333), (20_480, 4096), (20_480, 65536)])
def test_long_answers_arrive_whole_and_unseen(
    person: Person, form: str, length: int, size: int, loop: Loop
) -> None:
    """Line editing would cut them at 1,024 or 4,096 bytes (imapsync/imapsync#521)."""
    text = address(length)
    read = run(answered(person, form.format(text), size=size), loop)
    shown = person.look()

    assert read == text
    assert NOTHING_SHOWN.fullmatch(shown), shown
    assert shown.startswith("\x1b[?2004h\rPaste: ")
    assert f"({length:,} characters)".replace(",", " ") in shown
    assert restored(person)


def test_line_breaks_inside_a_paste_are_no_enter(person: Person) -> None:
    """Copied out of a narrow window, an address comes in lines."""
    read = run(answered(person, PASTE.format("http://a/?b\r\n=c\n"), "\r"))

    assert read == "http://a/?b\n\n=c\n"


def test_what_follows_enter_is_thrown_away(person: Person) -> None:
    """Without brackets the second line of a paste would go to the shell: executed, and in its history."""
    read = run(answered(person, "one\rtwo\r"))

    assert read == "one"
    assert restored(person)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("abc\x7f\x7fd\r", "ad"),
        ("aé€\U0001f511\x7f\x7f\x08b\r", "ab"),
        ("\x7f\x7fa\r", "a"),
        ("wrong\x15right\r", "right"),
        ("a\x04b\r", "ab"),
        ("a\x1b[D\x1b[1;5C\x1bOA\x1bb\x1b[15~b\r", "ab"),
        ("a\x1b\x1b[200~b\rc\x1b[201~\x1b\r", "ab\rc"),
        ("a\x1b[\r", "a["),
        (PASTE.format("a\x15\x04\x7f\tb") + PASTE.format("\x07c") + "\r", "a\tbc"),
        ("\x16\x0f\x00a\r", "a"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_keys_mean_what_they_mean_elsewhere(typed: str, answer: str, size: int) -> None:
    """Whoever mistypes takes it back, and no key's code may end up in the answer."""
    keys = TypedAnswer(100)
    raw = typed.encode()
    ends = [keys.feed(raw[at : at + size]) for at in range(0, len(raw), size)]

    assert (ends.index(True), keys.text) == (len(ends) - 1, answer)
    assert keys.characters == len(answer)


def test_characters_that_arrive_in_parts_are_one(person: Person) -> None:
    """A read may end anywhere, and within a character too."""
    read = run(answered(person, "é€\U0001f511\r", size=1))

    assert read == "é€\U0001f511"
    assert "(3 characters)" in person.look()


def test_question_is_not_respelled(person: Person) -> None:
    """The count of characters has blanks where the question has commas."""

    async def asked() -> str:
        reading = asyncio.create_task(read_line("Paste it, then Enter: ", stream=person.stdin))
        await person.sees("Enter: ")
        await person.types("a" * 1234 + "\r", 65536)
        return await reading

    run(asked())

    assert "Paste it, then Enter: (1 234 characters)" in person.look()


def test_what_is_no_utf_8_is_no_error() -> None:
    """Old terminals send what they like."""
    keys = TypedAnswer(100)
    keys.feed(b"a\xff\r")

    assert keys.text.encode("utf-8", "surrogateescape") == b"a\xff"


@pytest.mark.parametrize("loop", LOOPS)
def test_one_can_give_up(person: Person, loop: Loop) -> None:
    """By Ctrl-D, as everywhere."""
    with pytest.raises(AttemptCancelled):
        run(answered(person, "\x04"), loop)

    assert restored(person)


def test_ctrl_c_that_makes_no_signal_gives_up_too() -> None:
    """Some programs around us switch the signal off, and then one is caught."""
    with pytest.raises(AttemptCancelled):
        TypedAnswer(100).feed(b"abc\x03")


@pytest.mark.parametrize("loop", LOOPS)
def test_to_be_cancelled_restores_the_terminal(person: Person, loop: Loop) -> None:
    """The redirect may arrive while one is still asked, and what was pasted by then is nobody's."""

    async def main() -> str:
        reading = asyncio.create_task(read_line(PROMPT, stream=person.stdin))
        await person.sees(PROMPT)
        inside = person.modes()
        await person.types("abc")
        await person.sees("(3 characters)")
        person.types_ahead("def")
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        return str(inside == person.modes_before)

    assert run(main(), loop) == "False"
    assert restored(person)
    assert NOTHING_SHOWN.fullmatch(person.look())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_terminal_that_closes_ends_the_question(loop: Loop) -> None:
    """Otherwise a sign-in waits for somebody who has left."""

    async def main(person: Person) -> str:
        reading = asyncio.create_task(read_line(PROMPT, stream=person.stdin))
        await person.sees(PROMPT)
        person.hang_up()
        return await reading

    with Person() as person, pytest.raises(AttemptCancelled, match="closed"):
        run(main(person), loop)


def test_a_dumb_terminal_is_sent_no_brackets(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would show them."""
    monkeypatch.setenv("TERM", "dumb")

    assert run(answered(person, "a\r")) == "a"
    assert "\x1b" not in person.look()


def test_an_answer_that_is_no_secret_can_be_seen(person: Person) -> None:
    """A person who says yes wants to see it."""

    async def main() -> str:
        reading = asyncio.create_task(read_line("Sure? ", stream=person.stdin, hidden=False))
        await person.sees("Sure? ")
        await person.types("ys\x7f")
        await person.sees("\rSure? y")
        await person.types("\r")
        return await reading

    assert run(main()) == "y"


@pytest.mark.parametrize("columns", [8, 20])
def test_the_line_never_wraps(columns: int) -> None:
    """A line that wraps cannot be wiped away."""
    with Person(columns) as narrow:
        run(answered_narrowly(narrow))
        drawn = re.split(r"\r|\n", narrow.look().replace("\x1b[?2004h", "").replace("\x1b[?2004l", ""))

    assert max(map(len, drawn)) == columns - 1
    assert any(line.rstrip().endswith("characters)"[-(columns - 4) :]) for line in drawn)


async def answered_narrowly(person: Person) -> str:
    """Answer, whatever of the question is to be seen."""
    reading = asyncio.create_task(read_line("Paste the address: ", stream=person.stdin))
    await person.sees("s: ")
    await person.types("a" * 1234 + "\r")
    return await reading


def test_the_terminal_is_asked_when_stdin_is_something_else(person: Person) -> None:
    """`login < /dev/null` in a terminal still has a person."""
    with Path(os.devnull).open() as stream:
        read = run(answered(person, "abc\r", stream=stream))

    assert read == "abc"
    assert restored(person)


async def piped(content: bytes, reads: int = 1) -> list[str]:
    """Read answers from a pipe, without any terminal."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)

    with os.fdopen(reading) as stream:
        return [await read_line(PROMPT, stream=stream, terminal="/nowhere") for _ in range(reads)]


async def test_without_a_terminal_stdin_has_the_answers_line_by_line() -> None:
    """So that a script can answer."""
    assert await piped(b"one\r\ntwo", 2) == ["one", "two"]
    assert await piped(b"\xff\n") == ["\udcff"]


async def test_nobody_to_ask_is_no_flow() -> None:
    """Another flow may do without a person at this machine."""
    with pytest.raises(Unavailable) as caught:
        await piped(b"")

    assert caught.value.parameter == "flow"


async def test_a_pipe_can_be_left_alone() -> None:
    """It may be open for ever without anything coming."""
    reading, writing = os.pipe()

    with os.fdopen(reading) as stream:
        asking = asyncio.create_task(read_line(PROMPT, stream=stream, terminal="/nowhere"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asking.cancelled()
        os.write(writing, b"late\n")
        os.close(writing)


@pytest.mark.parametrize("form", ["{}\r", PASTE + "\r"])
def test_there_is_an_end_to_what_is_kept(person: Person, form: str) -> None:
    """Somebody may paste a film."""
    read = run(answered(person, form.format("x" * (LIMIT + 100))))

    assert len(read) == LIMIT + 1


async def test_of_a_line_too_long_nothing_is_left_in_the_pipe(tmp_path: Path) -> None:
    """Its rest would be taken for the next answer."""
    long = tmp_path / "long"
    long.write_bytes(b"x" * (2 * LIMIT + 7) + b"\nnext\n")

    async def main() -> list[str]:
        return [await read_line(PROMPT, stream=stream, terminal="/nowhere") for _ in range(2)]

    with long.open() as stream:
        first, second = await main()

    assert (len(first), second) == (LIMIT + 1, "next")


async def asked(*answers: str) -> tuple[Callback, list[Event]]:
    """Answer one question after the other; return the callback and what was told."""
    told: list[Event] = []
    left = iter(answers)

    async def read() -> str:
        return next(left)

    return await pasted(REQUEST, notify=told.append, read=read), told


async def test_a_wrong_answer_is_explained_and_asked_for_again() -> None:
    """People copy the wrong tab's address, or half of it."""
    callback, told = await asked("", "http://127.0.0.1:1/callback?code=x", "x" * (LIMIT + 1), address(4096))

    assert [type(event) for event in told] == [PasteRefused] * 3
    assert dict(callback.parameters)["state"] == STATE
    assert (callback.via, callback.received_at > 1_700_000_000) == ("paste", True)


async def test_a_bare_code_is_taken_with_a_warning() -> None:
    """Only PKCE shows that it is ours."""
    _, told = await asked("SplxlOBeZQQYbYS6WxSbIA")

    assert [type(event) for event in told] == [Warned]


async def test_not_even_a_script_is_asked_for_ever() -> None:
    """A pipe without an end would keep us busy."""
    with pytest.raises(AttemptCancelled, match="50 times"):
        await asked(*["nonsense?"] * TRIES)


CHILD = """
import asyncio, os, sys
from loopback_auth.terminal.paste import read_line
async def main():
    try:
        print(await read_line(f"Paste into {os.getpid()}: ", stream=None))
    except asyncio.CancelledError:
        print("cancelled")
        raise
asyncio.run(main())
"""


def child(person: Person, act: Callable[[Person, int], Coroutine[object, object, None]]) -> list[str]:
    """Run our reader in a session of its own; return modes before, status, and modes after."""

    async def main() -> str:
        await person.sees("Paste into ")
        at = len(person.shown)
        await person.sees(": ")
        await act(person, int(re.findall(r"Paste into (\d+)", person.shown[: at + 20])[0]))
        await person.sees("end\r\n")
        return ""

    with person.session(CHILD):
        run(main())
    return person.reported()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)]
)
def test_signals_that_end_the_program_restore_the_terminal(
    person: Person, number: signal.Signals, status: int
) -> None:
    """A shell without an echo is what is left otherwise."""

    async def act(person: Person, pid: int) -> None:
        os.kill(pid, number)

    before, told, after = child(person, act)

    assert (told, after) == (f"status {status}", before)
    assert "\x1b[?2004l" in person.look()


IN_A_THREAD = """
import os, signal, threading
def told():
    open(os.environ["TOLD"]).read()
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Thread(target=told, daemon=True).start()
"""


def test_a_signal_is_heard_although_nothing_wakes_the_loop(person: Person, tmp_path: Path) -> None:
    """It may come just before the loop begins to wait; one to a thread is as quiet, and comes for sure."""
    told = tmp_path / "told"
    os.mkfifo(told)

    async def main() -> str:
        await person.sees("Paste into ")
        await person.sees(": ")
        await asyncio.to_thread(told.write_text, "now")
        await person.sees("end\r\n")
        return ""

    with person.session(IN_A_THREAD + CHILD, TOLD=str(told)):
        run(main())
    before, status, after = person.reported()

    assert (status, after) == ("status 143", before)


def test_ctrl_c_restores_the_terminal(person: Person) -> None:
    """It has to stay a signal: whatever else runs has to hear of it too."""

    async def act(person: Person, pid: int) -> None:
        await person.types("abc\x03")

    before, told, after = child(person, act)

    assert "cancelled" in person.look()
    assert (told, after) == ("status 130", before)
    assert "\x1b[?2004l" in person.look()


def test_after_a_stop_one_is_asked_again(person: Person) -> None:
    """Ctrl-Z gives the shell its terminal back, and `fg` ours."""

    async def act(person: Person, pid: int) -> None:
        os.kill(pid, signal.SIGTSTP)
        await person.sees("\x1b[?2004l")
        await person.sees("\x1b[?2004h")
        await person.types("hidden\r")

    before, told, after = child(person, act)

    assert person.look().count("hidden") == 1  # as printed by the program
    assert (told, after) == ("status 0", before)
