"""How links, codes, QR codes and exchanges look on a terminal.

A link is never broken: a terminal joins what it wrapped itself, but not what we broke. Where the terminal is
known to take escape sequences, a link too long for a line is also marked as one (OSC 8), because some
terminals lose a link at the edge; the visible text is still the whole URL. NO_COLOR is about colours, but a
person who sets it wants plain text, so no escape sequence is written at all.

Loaded before the browser is started, so whatever costs is imported on use.

Source: ISO/IEC 18004 §6.3.8 (quiet zone); https://no-color.org; the OSC 8 note of the terminal writers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loopback_auth.events import Exchanged, VerificationPrompted
    from loopback_auth.words import Words

BLOCKS = " ▀▄█"
"""Characters by the two modules of a QR code that each draws: 1 is the upper one, 2 the lower one."""

QUIET_ZONES = (4, 2)
"""Modules around the code: what the standard says, and what is enough for a phone when room is short."""

LIGHT_BACKGROUNDS = ("7", "15")
PLAIN_TERMINALS = ("", "dumb", "linux")
"""Values of TERM: no escape sequences, or, on the console of older kernels, none that we would need."""


def takes_escapes(environ: Mapping[str, str], platform: str) -> bool:
    """Return whether a terminal is known to understand escape sequences, and may be sent any."""
    if environ.get("NO_COLOR"):
        return False
    if platform == "win32":
        return bool(environ.get("WT_SESSION"))
    return environ.get("TERM", "") not in PLAIN_TERMINALS


def light_background(environ: Mapping[str, str]) -> bool:
    """Return whether a terminal says that it is dark on light."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in LIGHT_BACKGROUNDS


def takes_blocks(encoding: str) -> bool:
    """Return whether the characters of a QR code exist in an encoding."""
    try:
        return bool(BLOCKS.encode(encoding))
    except (UnicodeEncodeError, LookupError):
        return False


def link(url: str, *, columns: int, escapes: bool) -> str:
    """Write a URL as a link.

    Marked as one only where the terminal has to wrap it: a program that reads our output, such as a script
    around a pseudo-terminal, then finds the usual short link unchanged.
    """
    # A URL that could end the sequence was refused long ago; here is the last place to be sure.
    if not escapes or len(url) + 2 <= columns or not all("!" <= character <= "~" for character in url):
        return url
    return f"\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\"


def instructions(
    event: VerificationPrompted,
    words: Words,
    *,
    columns: int,
    escapes: bool,
    patience: float | None = None,
) -> str:
    """Write what there is to do at the link: the other link, the code, and the warning (RFC 8628 §5.4).

    Args:
        event: the invitation.
        words: what is said.
        columns: room from left to right.
        escapes: the terminal takes escape sequences.
        patience: seconds after which the program stops waiting, even if the link is valid for longer.
    """
    text = ""
    if event.plain_url and event.plain_url != event.url:
        heading = words.APPROVE_OR_TYPE if event.user_code else words.APPROVE_OR_OPEN
        shown = link(event.plain_url, columns=columns, escapes=escapes)
        text += f"{heading}\n\n  {shown}\n\n"
    if event.user_code:
        code = spaced(event.user_code, columns=columns, escapes=escapes)
        text += f"{words.APPROVE_CODE}\n\n  {code}\n\n"
        if event.user_code not in code:
            text += f"{words.APPROVE_CODE_PLAIN.format(code=event.user_code)}\n"
    if event.lifetime:
        valid = lifetime(min(event.lifetime, patience or event.lifetime), words)
        text += f"{words.APPROVE_VALID.format(time=valid)} "
    return text + words.APPROVE_WARNING


def spaced(code: str, *, columns: int, escapes: bool) -> str:
    """Write a code large: its characters apart, if there is room, and bold."""
    wide = " ".join(code)
    shown = wide if len(wide) + 2 <= columns else code
    return f"\x1b[1m{shown}\x1b[0m" if escapes else shown


def lifetime(seconds: float, words: Words) -> str:
    """Return a duration in words: in minutes from two minutes on, else in seconds."""
    if seconds >= 120:
        return words.LIFETIME_MINUTES.format(count=f"{seconds // 60:.0f}")
    return in_seconds(seconds, words)


def in_seconds(seconds: float, words: Words) -> str:
    """Return a duration in words, in seconds."""
    text = words.LIFETIME_SECOND if round(seconds) == 1 else words.LIFETIME_SECONDS
    return text.format(count=f"{seconds:.0f}")


def exchange_lines(event: Exchanged) -> tuple[str, str]:
    """Describe an exchange of ours, in a line for each direction."""
    from loopback_auth.redact import server_text  # Start-up.

    request, response = server_text(event.request, 2000), server_text(event.response, 2000)
    asked = f"> {event.step}: {event.method} {event.url} {request}".rstrip()
    return asked, f"< {event.status} after {event.seconds * 1000:.0f} ms: {response}"


def qr_code(url: str, *, columns: int, lines: int, escapes: bool, light: bool = False) -> list[str]:
    """Draw the QR code of a URL, ready to print; nothing when there is no room for it.

    Args:
        url: already checked.
        columns: room from left to right.
        lines: room from top to bottom; a code that has to be scrolled cannot be read.
        escapes: draw in black on white, whatever the colours of the terminal are.
        light: without escape sequences: the terminal is dark on light.
    """
    import segno  # Start-up.

    try:
        code = segno.make_qr(url, error="l")
    except ValueError:
        return []  # More than a QR code can hold.
    for border in QUIET_ZONES:
        matrix = [list(row) for row in code.matrix_iter(border=border)]
        if len(matrix) <= columns and (len(matrix) + 1) // 2 <= lines:
            break
    else:
        return []
    if escapes:
        return [f"\x1b[30;47m{row}\x1b[0m" for row in half_blocks(matrix)]
    return half_blocks(matrix, inverse=not light)


def half_blocks(matrix: Sequence[Sequence[int]], *, inverse: bool = False) -> list[str]:
    """Draw modules, two in a character; `inverse` draws the light ones, for light characters on dark."""
    rows = [[bool(module) != inverse for module in row] for row in matrix]
    if len(rows) % 2:
        rows.append([inverse] * len(rows[0]))
    return [
        "".join(BLOCKS[upper + 2 * lower] for upper, lower in zip(above, below, strict=True))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    ]
