"""Variables that no token is put into: what is in them decides which programs run, and how.

The server decides what a token looks like, so that it would decide that, too.
"""

from __future__ import annotations

_RESERVED = {
    "says where programs and their files are found": (
        "CDPATH COMSPEC HOME PATH PATHEXT PWD SHELL SYSTEMROOT USERPROFILE WINDIR XDG_* "
        "GIT_COMMON_DIR GIT_DIR GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_WORK_TREE"
    ),
    "says what is loaded into programs": (
        "CLASSPATH DOTNET_STARTUP_HOOKS DYLD_* GCONV_PATH GEM_HOME GEM_PATH GLIBC_TUNABLES LD_* LUA_CPATH* "
        "LUA_INIT* LUA_PATH* NODE_OPTIONS NODE_PATH PERL5* PERLLIB PHPRC PHP_INI_* PYTHON* RUBYLIB RUBYOPT"
    ),
    "is read or run by shells": "BASHOPTS BASH_* ENV IFS PS0 PS1 PS2 PS4 SHELLOPTS ZDOTDIR",
    "names a program that others start": (
        "BROWSER CVS_RSH EDITOR FCEDIT GIT_EXTERNAL_DIFF GIT_SSH HGEDITOR LESSCLOSE LESSOPEN MANPAGER PAGER "
        "RSYNC_RSH SVN_SSH VISUAL *COMMAND *_ASKPASS *_BROWSER *_EDITOR *_PAGER *_SHELL *_WRAPPER"
    ),
    "gives programs options": (
        "CARGO_BUILD_* GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_GLOBAL GIT_CONFIG_KEY_* GIT_CONFIG_PARAMETERS "
        "GIT_CONFIG_SYSTEM GOFLAGS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS LESS MAKEFLAGS RUSTFLAGS TAR_OPTIONS "
        "_JAVA_OPTIONS"
    ),
    "is a setting of loopback_auth": "LOOPBACK_AUTH_*",
}
"""Their names in capitals, by what they do. A `*` at one end stands for anything. `GIT_CONFIG_VALUE_*` is not
among them: a header for git, with the token, goes there."""


def effect_of(variable: str) -> str:
    """Return what a variable does that is not for tokens, as a clause without its subject; empty for others.

    Args:
        variable: its name; on Windows the case says nothing.
    """
    name = variable.upper()
    return next(
        (does for does, names in _RESERVED.items() if any(_is(name, each) for each in names.split())), ""
    )


def _is(name: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern
