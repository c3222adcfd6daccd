"""The truth table: each place as it shows itself, and how to sign in there.

Rows are numbered by kind of place; letters tell variants of one. The two lists of routes are those for a
provider that can do everything, and for one without tickets; see `plan_samples.story` for how they read.
"""

from __future__ import annotations

from typing import NamedTuple

from plan_samples import (
    CODESPACES,
    DESKTOP,
    DOCKER,
    HELPER,
    SSH,
    TMUX,
    VSCODE,
    WSL,
    WSL_KERNEL,
    X11,
    machine,
)

from loopback_auth.plan.model import LIKELY, NO, UNKNOWN, UNLIKELY, YES, Surroundings

NEAR = ("code (ticket) [device] [paste]", "code (device) [paste]")
EITHER = ("code ticket [device] [paste]", "code device [paste]")
FAR = ("ticket code [device] [paste]", "device code [paste]")
AWAY = ("ticket [device] [paste]", "device [paste]")
ALONE = ("code", "code")
"""Nobody is there to confirm an account or to paste."""
NOTHING = ("", "")

WAITS, HARDLY_WAITS = (YES, YES), (NO, UNLIKELY)
"""Whether a person can be asked, and whether somebody may be waited for."""
NEVER = (NO, NO)


class Row(NamedTuple):
    """A machine, and what is to be concluded."""

    seen: Surroundings
    place: str
    opens: str
    reaches: str
    somebody: tuple[str, str]
    routes: tuple[str, str]
    why_not: str = ""


TABLE = {
    "1 macOS": Row(machine(platform="darwin"), "macos", YES, YES, WAITS, NEAR),
    "2 Windows": Row(
        machine({"SESSIONNAME": "Console"}, platform="win32", opener=""), "windows", YES, YES, WAITS, NEAR
    ),
    "2a Windows service": Row(
        machine({"SESSIONNAME": "Services"}, platform="win32", opener="", stdin=False, stderr=False),
        "no-terminal",
        NO,
        LIKELY,
        HARDLY_WAITS,
        ALONE,
        "this is a Windows service",
    ),
    "2b Cygwin": Row(machine(platform="cygwin", opener="cygstart"), "windows", YES, YES, WAITS, NEAR),
    # Row 4 looks the same: that there is no browser behind the opener shows only when it fails.
    "3 Linux desktop": Row(machine(DESKTOP), "linux-desktop", YES, YES, WAITS, NEAR),
    "3a Wayland": Row(
        machine({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ""}), "linux-desktop", YES, YES, WAITS, NEAR
    ),
    "3b desktop without an opener": Row(
        machine(DESKTOP, opener=""),
        "linux-desktop",
        NO,
        YES,
        WAITS,
        NEAR,
        "no program that opens a browser was found",
    ),
    "3c desktop, browser named": Row(
        machine(DESKTOP, {"BROWSER": "firefox %s"}, opener="firefox"),
        "linux-desktop",
        YES,
        YES,
        WAITS,
        NEAR,
    ),
    "3d desktop, browser named that is not there": Row(
        machine(DESKTOP, {"BROWSER": "firefox"}, opener=""),
        "linux-desktop",
        NO,
        YES,
        WAITS,
        NEAR,
        "the program that BROWSER names was not found",
    ),
    "5 text browser": Row(
        machine({"BROWSER": "/usr/bin/w3m -N"}, opener=""),
        "text-browser",
        NO,
        UNKNOWN,
        WAITS,
        EITHER,
        "BROWSER names a text browser, w3m",
    ),
    "5a text browser on a desktop": Row(
        machine(DESKTOP, {"BROWSER": "lynx:links2"}, opener=""),
        "text-browser",
        NO,
        YES,
        WAITS,
        NEAR,
        "BROWSER names a text browser, lynx",
    ),
    "5b a window before a text browser": Row(
        machine(DESKTOP, {"BROWSER": "lynx:firefox"}, opener="firefox"),
        "linux-desktop",
        YES,
        YES,
        WAITS,
        NEAR,
    ),
    "6 console": Row(machine(), "console", NO, UNLIKELY, WAITS, FAR, "there is no display"),
    "6a console, browser named": Row(
        machine({"BROWSER": "carbonyl"}, opener="carbonyl"), "console", YES, LIKELY, WAITS, NEAR
    ),
    "7 SSH": Row(machine(SSH), "ssh", NO, UNLIKELY, WAITS, FAR, "this is an SSH session"),
    "7a SSH, the display of that machine": Row(
        machine(SSH, DESKTOP), "ssh", NO, UNLIKELY, WAITS, FAR, "this is an SSH session"
    ),
    "7b SSH, browser named": Row(
        machine(SSH, {"BROWSER": "remote-open"}, opener="remote-open"), "ssh", LIKELY, UNKNOWN, WAITS, EITHER
    ),
    "7c SSH for one command": Row(
        machine({"SSH_CLIENT": "198.51.100.7 52000 22"}, stdin=False, stderr=False),
        "ssh",
        NO,
        UNLIKELY,
        HARDLY_WAITS,
        ALONE,
        "this is an SSH session",
    ),
    "8 SSH with X forwarding": Row(
        machine(SSH, X11), "ssh-x11", UNLIKELY, UNKNOWN, WAITS, EITHER, "this is an SSH session"
    ),
    "9 SSH to a Mac": Row(
        machine(SSH, platform="darwin"),
        "ssh-to-desktop",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is an SSH session",
    ),
    "9a SSH to Windows": Row(
        machine(SSH, platform="win32"), "ssh-to-desktop", NO, UNLIKELY, WAITS, FAR, "this is an SSH session"
    ),
    "10 VS Code over SSH": Row(
        machine({"SSH_CONNECTION": SSH["SSH_CONNECTION"]}, VSCODE, opener=HELPER),
        "vscode-ssh",
        YES,
        YES,
        WAITS,
        NEAR,
    ),
    "10a VS Code over SSH, within plain SSH": Row(
        machine(SSH, VSCODE, opener=HELPER), "vscode-ssh", YES, LIKELY, WAITS, NEAR
    ),
    "10b VS Code over SSH, helper gone": Row(
        machine({"SSH_CONNECTION": SSH["SSH_CONNECTION"]}, VSCODE, opener=""),
        "vscode-ssh",
        NO,
        YES,
        WAITS,
        NEAR,
        "the program that BROWSER names was not found",
    ),
    "10c its program only": Row(
        machine(SSH, {"TERM_PROGRAM": "vscode"}), "ssh", NO, UNLIKELY, WAITS, FAR, "this is an SSH session"
    ),
    "11 dev container": Row(
        machine({"REMOTE_CONTAINERS": "true"}, VSCODE, files=DOCKER, opener=HELPER),
        "dev-container",
        YES,
        YES,
        WAITS,
        NEAR,
    ),
    "11a docker exec into a dev container": Row(
        machine(files=DOCKER, opener=""), "container", NO, UNLIKELY, WAITS, FAR, "this is a container"
    ),
    "12 VS Code tunnel": Row(machine(VSCODE, opener=HELPER), "vscode-tunnel", YES, NO, WAITS, AWAY),
    "12a VS Code tunnel in a container": Row(
        machine(VSCODE, opener=HELPER, files=DOCKER), "vscode-tunnel", YES, NO, WAITS, AWAY
    ),
    # Row 14, the desktop VS Code, looks the same: so the redirect stays in the race.
    "13 Codespaces": Row(
        machine(CODESPACES, VSCODE, files=DOCKER, opener=HELPER), "codespaces", YES, UNLIKELY, WAITS, FAR
    ),
    "13a Codespaces by SSH": Row(
        machine(CODESPACES, SSH, files=DOCKER, opener=""),
        "codespaces",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is an SSH session",
    ),
    "15 Gitpod": Row(
        machine({"GITPOD_WORKSPACE_ID": "w1"}, VSCODE, opener=HELPER), "cloud-workspace", YES, NO, WAITS, AWAY
    ),
    "15a code-server": Row(
        machine({"VSCODE_PROXY_URI": "https://w1.example/proxy/{{port}}/"}, VSCODE, opener=HELPER),
        "cloud-workspace",
        YES,
        NO,
        WAITS,
        AWAY,
    ),
    "15b Coder by SSH": Row(
        machine({"CODER_WORKSPACE_NAME": "dev", "CODER": "true"}, SSH, files=DOCKER, opener=""),
        "cloud-workspace",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is an SSH session",
    ),
    "15c Coder by the desktop VS Code": Row(
        machine(
            {"CODER": "true", "SSH_CONNECTION": SSH["SSH_CONNECTION"]}, VSCODE, files=DOCKER, opener=HELPER
        ),
        "vscode-ssh",
        YES,
        YES,
        WAITS,
        NEAR,
    ),
    "15d JupyterHub": Row(
        machine({"JUPYTERHUB_USER": "alice"}, stdin=False, stderr=False, opener=""),
        "cloud-workspace",
        NO,
        NO,
        HARDLY_WAITS,
        NOTHING,
        "there is no display",
    ),
    "16 Cloud Shell of Google": Row(
        machine({"CLOUD_SHELL": "true"}), "cloud-shell", NO, NO, WAITS, AWAY, "this is a cloud shell"
    ),
    "16a CloudShell of AWS": Row(
        machine({"AWS_EXECUTION_ENV": "CloudShell"}),
        "cloud-shell",
        NO,
        NO,
        WAITS,
        AWAY,
        "this is a cloud shell",
    ),
    "16b Cloud Shell of Azure": Row(
        machine({"AZUREPS_HOST_ENVIRONMENT": "cloud-shell/1.0"}),
        "cloud-shell",
        NO,
        NO,
        WAITS,
        AWAY,
        "this is a cloud shell",
    ),
    "16c something else of AWS": Row(
        machine(DESKTOP, {"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}), "linux-desktop", YES, YES, WAITS, NEAR
    ),
    "17 WSL": Row(machine(WSL, kernel=WSL_KERNEL, opener="wslview"), "wsl", YES, LIKELY, WAITS, NEAR),
    "17a WSL with windows of its own": Row(
        machine(WSL, DESKTOP, kernel=WSL_KERNEL), "wsl", YES, LIKELY, WAITS, NEAR
    ),
    "17b WSL, variables lost": Row(
        machine(kernel=WSL_KERNEL),
        "wsl",
        NO,
        LIKELY,
        WAITS,
        NEAR,
        "no program that opens a browser was found",
    ),
    "17c SSH into WSL": Row(
        machine(WSL, SSH, kernel=WSL_KERNEL, opener="wslview"),
        "ssh",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is an SSH session",
    ),
    "17d VS Code in WSL": Row(
        machine(WSL, VSCODE, kernel=WSL_KERNEL, opener=HELPER), "wsl", YES, LIKELY, WAITS, NEAR
    ),
    "18 WSL from a service": Row(
        machine(kernel=WSL_KERNEL, files=("/run/WSL",), stdin=False, stderr=False),
        "wsl-service",
        NO,
        LIKELY,
        HARDLY_WAITS,
        ALONE,
        "this is a service of WSL",
    ),
    "19 docker": Row(
        machine(files=DOCKER, opener=""), "container", NO, UNLIKELY, WAITS, FAR, "this is a container"
    ),
    "19a podman": Row(
        machine({"container": "podman"}, files=("/run/.containerenv",), opener=""),
        "container",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is a container",
    ),
    "19b docker inside WSL": Row(
        machine({"WSL_DISTRO_NAME": "Debian"}, files=DOCKER, kernel=WSL_KERNEL, opener=""),
        "container",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is a container",
    ),
    "19c toolbox, with the desktop's display": Row(
        machine(DESKTOP, files=("/run/.containerenv",)), "container", LIKELY, LIKELY, WAITS, NEAR
    ),
    "19d docker, browser named": Row(
        machine({"BROWSER": "open-on-host"}, files=DOCKER, opener="open-on-host"),
        "container",
        YES,
        UNKNOWN,
        WAITS,
        EITHER,
    ),
    "20 pod": Row(
        machine({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, opener=""),
        "pod",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is a container",
    ),
    "20a pod without service links": Row(
        machine(files=("/var/run/secrets/kubernetes.io",), opener=""),
        "pod",
        NO,
        UNLIKELY,
        WAITS,
        FAR,
        "this is a container",
    ),
    "21 CI": Row(
        machine({"CI": "true", "GITHUB_ACTIONS": "true"}, stdin=False, stderr=False),
        "ci",
        NO,
        NO,
        NEVER,
        NOTHING,
        "this is a CI job",
    ),
    "21a CI inside a container": Row(
        machine({"GITLAB_CI": "true"}, files=DOCKER, stdin=False, stderr=False, opener=""),
        "ci",
        NO,
        NO,
        NEVER,
        NOTHING,
        "this is a CI job",
    ),
    "21b CI=false": Row(machine(DESKTOP, {"CI": "false"}), "linux-desktop", YES, YES, WAITS, NEAR),
    "21c CI=0": Row(
        machine({"CI": "0"}, stdin=False, stderr=False),
        "no-terminal",
        NO,
        UNKNOWN,
        HARDLY_WAITS,
        ALONE,
        "there is no display",
    ),
    "21d CI=false within CI": Row(
        machine({"CI": "false", "TF_BUILD": "True"}, stdin=False, stderr=False),
        "ci",
        NO,
        NO,
        NEVER,
        NOTHING,
        "this is a CI job",
    ),
    "21e CI, browser named for a test": Row(
        machine({"CI": "true", "BROWSER": "robot"}, stdin=False, stderr=False, opener="robot"),
        "ci",
        LIKELY,
        LIKELY,
        NEVER,
        ALONE,
    ),
    "21f CI set in a terminal": Row(
        machine(DESKTOP, {"CI": "1"}), "ci", UNLIKELY, UNLIKELY, WAITS, FAR, "this may be a CI job"
    ),
    "22 cron": Row(
        machine(stdin=False, stderr=False),
        "no-terminal",
        NO,
        UNKNOWN,
        HARDLY_WAITS,
        ALONE,
        "there is no display",
    ),
    "22a started by a program with windows": Row(
        machine(DESKTOP, stdin=False, stderr=False), "no-terminal", LIKELY, LIKELY, HARDLY_WAITS, ALONE
    ),
    "22b read from by a script": Row(machine(DESKTOP, stderr=False), "linux-desktop", YES, YES, WAITS, NEAR),
    "22c written to by a script": Row(
        machine(DESKTOP, stdin=False), "linux-desktop", YES, YES, (NO, YES), ALONE
    ),
    "23 agent": Row(
        machine({"CLAUDECODE": "1"}, stdin=False, stderr=False),
        "agent",
        NO,
        UNKNOWN,
        NEVER,
        ALONE,
        "there is no display",
    ),
    "23a agent on a desktop": Row(
        machine({"AI_AGENT": "devin"}, platform="darwin", stdin=False, stderr=False),
        "agent",
        LIKELY,
        LIKELY,
        NEVER,
        ALONE,
    ),
    "23b ours": Row(
        machine({"LOOPBACK_AUTH_AGENT": "1"}, DESKTOP, stdin=False), "agent", LIKELY, LIKELY, NEVER, ALONE
    ),
    "23c ours, denied": Row(
        machine({"LOOPBACK_AUTH_AGENT": "0"}, DESKTOP, stdin=False),
        "linux-desktop",
        YES,
        YES,
        (NO, YES),
        ALONE,
    ),
    "23d a person in the terminal of an agent's editor": Row(
        machine({"CURSOR_TRACE_ID": "1"}, DESKTOP), "linux-desktop", YES, YES, WAITS, NEAR
    ),
    "23e agent that reads stderr from a terminal": Row(
        machine({"CLAUDECODE": "1"}, stdin=False),
        "agent",
        NO,
        UNKNOWN,
        NEVER,
        ALONE,
        "there is no display",
    ),
    "24 sudo": Row(
        machine({"SUDO_USER": "alice"}),
        "sudo",
        NO,
        UNKNOWN,
        WAITS,
        EITHER,
        "sudo runs this for another user",
    ),
    "24a sudo, variables kept": Row(
        machine({"SUDO_USER": "alice"}, SSH), "ssh", NO, UNLIKELY, WAITS, FAR, "this is an SSH session"
    ),
    "24b sudo in WSL": Row(
        machine({"SUDO_USER": "alice"}, kernel=WSL_KERNEL),
        "wsl",
        NO,
        LIKELY,
        WAITS,
        NEAR,
        "sudo runs this for another user",
    ),
    "25 tmux": Row(machine(TMUX), "multiplexer", UNLIKELY, UNKNOWN, WAITS, EITHER, "there is no display"),
    "25a tmux on a desktop": Row(machine(TMUX, DESKTOP), "multiplexer", LIKELY, LIKELY, WAITS, NEAR),
    "25b SSH inside tmux": Row(
        machine(TMUX, SSH), "ssh", UNLIKELY, UNLIKELY, WAITS, FAR, "this is an SSH session"
    ),
    "25c screen on a Mac": Row(
        machine({"STY": "123.pts-0.host"}, platform="darwin"), "multiplexer", LIKELY, LIKELY, WAITS, NEAR
    ),
    "25d VS Code over SSH, inside tmux": Row(
        machine(TMUX, {"SSH_CONNECTION": SSH["SSH_CONNECTION"]}, VSCODE, opener=HELPER),
        "vscode-ssh",
        LIKELY,
        LIKELY,
        WAITS,
        NEAR,
    ),
    "25e VS Code tunnel, inside tmux": Row(
        machine(TMUX, VSCODE, opener=HELPER), "vscode-tunnel", LIKELY, UNLIKELY, WAITS, FAR
    ),
    "25f tmux in a container": Row(
        machine(TMUX, files=DOCKER, opener=""), "container", NO, UNLIKELY, WAITS, FAR, "this is a container"
    ),
    "25g tmux in WSL": Row(
        machine(TMUX, WSL, kernel=WSL_KERNEL, opener="wslview"), "wsl", YES, LIKELY, WAITS, NEAR
    ),
    "25h tmux, no browser wanted": Row(
        machine(TMUX, DESKTOP, {"BROWSER": "none"}),
        "multiplexer",
        NO,
        LIKELY,
        WAITS,
        NEAR,
        "BROWSER is set to none",
    ),
    "26 Flatpak": Row(
        machine(
            DESKTOP, {"FLATPAK_ID": "org.example.App", "container": "flatpak"}, files=("/.flatpak-info",)
        ),
        "sandboxed",
        LIKELY,
        YES,
        WAITS,
        NEAR,
    ),
    "26a Snap": Row(machine(DESKTOP, {"SNAP": "/snap/code/1"}), "sandboxed", LIKELY, YES, WAITS, NEAR),
    "26b Snap on a server": Row(
        machine({"SNAP": "/snap/lxd/1"}), "console", NO, UNLIKELY, WAITS, FAR, "there is no display"
    ),
    "27 Termux": Row(
        machine({"TERMUX_VERSION": "0.118"}, opener="termux-open-url"), "termux", YES, YES, WAITS, NEAR
    ),
    "27a Termux without its opener": Row(
        machine({"TERMUX_VERSION": "0.118"}, opener=""),
        "termux",
        NO,
        YES,
        WAITS,
        NEAR,
        "no program that opens a browser was found",
    ),
    "30 no browser wanted": Row(
        machine(DESKTOP, {"BROWSER": "none"}),
        "linux-desktop",
        NO,
        YES,
        WAITS,
        NEAR,
        "BROWSER is set to none",
    ),
    "30a no browser wanted, by a path": Row(
        machine({"BROWSER": "/bin/echo"}, platform="darwin"),
        "macos",
        NO,
        YES,
        WAITS,
        NEAR,
        "BROWSER is set to echo",
    ),
    "30b no browser wanted, by nothing": Row(
        machine({"BROWSER": ""}, platform="darwin"),
        "macos",
        NO,
        YES,
        WAITS,
        NEAR,
        "BROWSER is set to nothing",
    ),
    "30c BROWSER that cannot be read": Row(
        machine({"BROWSER": "'firefox"}, platform="darwin", opener=""),
        "macos",
        NO,
        YES,
        WAITS,
        NEAR,
        "the program that BROWSER names was not found",
    ),
    "31 an image for everybody": Row(
        machine(DESKTOP, {"DEBIAN_FRONTEND": "noninteractive"}), "linux-desktop", YES, YES, WAITS, NEAR
    ),
}
