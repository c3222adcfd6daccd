"""The line that makes a port reachable, in the words of each place: to be copied, so exact to the letter."""

from __future__ import annotations

import pytest
from plan_samples import (
    CODESPACES,
    DESKTOP,
    DOCKER,
    HELPER,
    SSH,
    TMUX,
    VSCODE,
    WSL,
    X11,
    machine,
)

from loopback_auth.plan.derived_signals import derived_signals
from loopback_auth.plan.facts import PLACES, place_of
from loopback_auth.plan.model import Place, Surroundings
from loopback_auth.plan.port_forwarding import authority_of, forwarding_command, instruction
from loopback_auth.settings.overrides import LOGIN_IN_CONTAINER as LOGIN

ONE = ("127.0.0.1:49152",)
TWO = ("127.0.0.1:49152", "localhost:8400")
OTHER_PORT = {"SSH_CONNECTION": "198.51.100.7 52000 203.0.113.9 2222"}
VSCODE_SSH = {"SSH_CONNECTION": SSH["SSH_CONNECTION"]}
FORWARD = "ssh -L 49152:127.0.0.1:49152 alice@{}"

GOLDEN = {
    "ssh": (machine(SSH), FORWARD.format("203.0.113.9")),
    "ssh at another port": (
        machine(OTHER_PORT),
        "ssh -L 49152:127.0.0.1:49152 -p 2222 alice@203.0.113.9",
    ),
    "ssh without an address": (machine({"SSH_TTY": "/dev/pts/3"}), FORWARD.format("build7")),
    "ssh-x11": (machine(SSH, X11), FORWARD.format("203.0.113.9")),
    "ssh-to-desktop": (machine(SSH, platform="darwin"), FORWARD.format("203.0.113.9")),
    "ssh in tmux": (machine(TMUX, SSH), FORWARD.format("203.0.113.9")),
    "console": (machine(), FORWARD.format("build7")),
    "text-browser": (machine({"BROWSER": "w3m"}, opener=""), FORWARD.format("build7")),
    "multiplexer": (machine(TMUX), FORWARD.format("build7")),
    "sudo": (machine({"SUDO_USER": "alice"}), FORWARD.format("build7")),
    "vscode-ssh": (
        machine(VSCODE_SSH, VSCODE, opener=HELPER),
        "VS Code: View > Ports > Forward a Port: 49152",
    ),
    "dev-container": (
        machine({"REMOTE_CONTAINERS": "true"}, VSCODE, opener=HELPER),
        "VS Code: View > Ports > Forward a Port: 49152",
    ),
    "codespaces": (machine(CODESPACES, VSCODE), "VS Code: View > Ports > Forward a Port: 49152"),
    "container": (
        machine(files=DOCKER),
        "docker run -p 127.0.0.1:49152:49152 ... login --port 49152 --bind 0.0.0.0",
    ),
    "container of podman": (
        machine({"container": "podman"}),
        "podman run -p 127.0.0.1:49152:49152 ... login --port 49152 --bind 0.0.0.0",
    ),
    "pod": (
        machine({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}),
        "kubectl port-forward pod/build7 49152:49152",
    ),
    "cloud-workspace of Coder": (
        machine({"CODER_WORKSPACE_NAME": "dev"}, SSH),
        "coder port-forward dev --tcp 49152:49152",
    ),
    "cloud-workspace by ssh": (machine({"GITPOD_WORKSPACE_ID": "w"}, SSH), FORWARD.format("203.0.113.9")),
    "cloud-workspace": (machine({"GITPOD_WORKSPACE_ID": "w"}), ""),
    "vscode-tunnel": (machine(VSCODE, opener=HELPER), ""),
    "cloud-shell": (machine({"CLOUD_SHELL": "true"}), ""),
    "wsl": (machine(WSL, opener="wslview"), ""),
    "linux-desktop": (machine(DESKTOP), ""),
    "macos": (machine(platform="darwin"), ""),
    "windows": (machine(platform="win32"), ""),
    "termux": (machine({"TERMUX_VERSION": "0.118"}), ""),
    "sandboxed": (machine(DESKTOP, {"SNAP": "/snap/x/1"}), ""),
    "agent": (machine({"CLAUDECODE": "1"}, DESKTOP, stdin=False), ""),
    "ci": (machine({"CI": "true"}), ""),
    "no-terminal": (machine(stdin=False, stderr=False), FORWARD.format("build7")),
    "wsl-service": (machine(files=("/run/WSL",), stdin=False, stderr=False), ""),
}


def place_at(seen: Surroundings) -> Place:
    """Return where that is seen."""
    return place_of(derived_signals(seen))


@pytest.mark.parametrize(("seen", "line"), GOLDEN.values(), ids=GOLDEN)
def test_line_for_each_place(seen: Surroundings, line: str) -> None:
    """A line with the real port and host can be copied; nothing is said where nothing helps."""
    place = place_at(seen)

    assert forwarding_command(place, seen.environ, ONE, user="alice", host="build7", command=LOGIN) == line


TOGETHER = {
    "ssh": (
        machine(SSH),
        "ssh -L 49152:127.0.0.1:49152 -L 8400:localhost:8400 alice@203.0.113.9",
    ),
    "VS Code": (machine(CODESPACES), "VS Code: View > Ports > Forward a Port: 49152, 8400"),
    "container": (
        machine(files=DOCKER),
        "docker run --network host ...",
    ),
    "pod": (
        machine({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}),
        "kubectl port-forward pod/build7 49152:49152 8400:8400",
    ),
}


@pytest.mark.parametrize(("seen", "line"), TOGETHER.values(), ids=TOGETHER)
def test_several_ports_in_one_line(seen: Surroundings, line: str) -> None:
    """The page that starts the sign-in and the redirect may be at two ports."""
    place = place_at(seen)

    assert forwarding_command(place, seen.environ, TWO, user="alice", host="build7", command=LOGIN) == line


INSTRUCTIONS = {
    "ssh": (machine(SSH), "Is your browser on another machine? Run this there, and it reaches the link:"),
    "VS Code": (machine(CODESPACES), "Is your browser on another machine? Do this, and it reaches the link:"),
    "container": (
        machine(files=DOCKER),
        "Is your browser outside of the container? Then start the container like this:",
    ),
}


@pytest.mark.parametrize(("seen", "words"), INSTRUCTIONS.values(), ids=INSTRUCTIONS)
def test_where_the_line_is_to_be_used(seen: Surroundings, words: str) -> None:
    """Run on the wrong machine it does nothing, and a port of a container cannot be published afterwards."""
    assert instruction(place_at(seen)) == words


def test_every_place_has_its_text() -> None:
    """A new place must not go without a decision on what helps there."""
    covered = {place_at(seen).name for seen, _ in GOLDEN.values()}

    assert covered == {place.name for _, place in PLACES}


def test_no_port_no_line() -> None:
    """Without a port of ours there is nothing to reach."""
    seen = machine(SSH)

    assert forwarding_command(place_at(seen), seen.environ, (), user="alice", host="build7") == ""


def test_authority_of_a_url_of_ours() -> None:
    """Both families, with and without a path."""
    assert authority_of("http://127.0.0.1:49152/key") == "127.0.0.1:49152"
    assert authority_of("http://[::1]:8400") == "[::1]:8400"


def test_titles_and_advice_are_for_people() -> None:
    """A title completes "This is ..."; advice is whole sentences."""
    places = [place for _, place in PLACES]

    assert len({place.name for place in places}) == len(places)
    assert [place.title for place in places if place.title.endswith(".") or not place.title] == []
    assert [place.advice for place in places if place.advice and not place.advice.endswith(".")] == []


def test_where_the_server_here_listens_is_not_ours_to_say() -> None:
    """Without a redirect our own port is not needed, and `--port` would change no other."""
    seen = machine(files=DOCKER)
    place = place_at(seen)
    line = forwarding_command(place, seen.environ, ONE, user="a", host="h", command=LOGIN, ours=False)

    assert line == "docker run --network host ..."


def test_another_programs_container_is_not_started_with_our_command() -> None:
    """A program that embeds us has no `login --port`; what it can do is to share the network of the host."""
    container, ssh = machine(files=DOCKER), machine({"SUDO_USER": "alice"})
    one, two = (
        forwarding_command(place_at(container), container.environ, needed, user="a", host="h")
        for needed in (ONE, TWO)
    )

    assert (one, two) == ("docker run --network host ...", "docker run --network host ...")
    assert "ssh -L" in forwarding_command(place_at(ssh), ssh.environ, ONE, user="a", host="h")
