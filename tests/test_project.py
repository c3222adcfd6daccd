"""What holds for the project as a whole: its names, its files, its documentation."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import loopback_auth
from loopback_auth.cli import COMMANDS
from loopback_auth.commands.help import topic
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.setting import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "loopback_auth"
README = (ROOT / "README.md").read_text()


def test_public_names_are_listed_imported_and_real() -> None:
    """Three lists say what is public; a name in only one of them would mislead a person or a type checker."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    lazy = set(vars(loopback_auth)["_HOME_OF"])

    assert typed == lazy == set(loopback_auth.__all__)
    assert all(getattr(loopback_auth, name) is not None for name in loopback_auth.__all__)


def test_unknown_names_are_refused_like_everywhere() -> None:
    """`hasattr` and star imports rely on AttributeError."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        getattr(loopback_auth, "nonsense")  # noqa: B009 - a type checker would object to the plain spelling


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    """Whoever only names a type must not pay for aiohttp."""
    code = "import loopback_auth, sys; print([m for m in sys.modules if m.startswith('loopback_auth.')])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "[]"


def test_every_error_class_is_public() -> None:
    """Whoever embeds us can only catch what can be named."""
    tree = ast.parse((PACKAGE / "errors.py").read_text())
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}

    assert classes <= set(loopback_auth.__all__)


def test_every_command_has_a_file_and_is_in_the_readme() -> None:
    """A command nobody can find is not there."""
    files = {path.stem.replace("_", "-") for path in (PACKAGE / "commands").glob("[!_]*.py")}

    assert files == set(COMMANDS)
    assert [name for name in COMMANDS if f"`{name}`" not in README] == []


def test_every_module_opens_with_what_it_is() -> None:
    """The source is meant to be read."""
    silent = [path for path in PACKAGE.rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]

    assert silent == []


def test_every_field_of_a_public_dataclass_is_explained() -> None:
    """A name and a type seldom tell units, what is empty when, and whom to trust.

    By a line of the docstring of its class or module, or by a string of its own.
    """
    unexplained = [
        f"{path.relative_to(PACKAGE)}: {name}.{field}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name, field in _unexplained(ast.parse(path.read_text()))
    ]

    assert unexplained == []


def test_the_core_does_not_reach_the_world() -> None:
    """A rule that depends on a clock or a socket cannot be tested for all cases, nor read as a rule."""
    world = {"aiohttp", "asyncio", "socket", "ssl", "time", "random", "secrets", "webbrowser", "platformdirs"}
    core = [path for room in ("protocol", "flows", "plan") for path in (PACKAGE / room).glob("*.py")]
    core += [PACKAGE / "effects.py", *((PACKAGE / "demo").glob("*.py"))]
    for served in ("fetching.py", "run_agent.py", "serve.py", "user.py"):
        core.remove(PACKAGE / "demo" / served)
    reached = {
        (path.name, module)
        for path in core
        for node in ast.walk(ast.parse(path.read_text()))
        for module in _imported(node)
        if module.partition(".")[0] in world
    }

    assert reached == set()


def test_presets_name_a_public_page_each() -> None:
    """A preset without its source cannot be checked by the one whose tokens depend on it."""
    assert [
        name for name, preset in every_preset().items() if not str(preset["source"]).startswith("https://")
    ] == []


def test_settings_are_documented() -> None:
    """Help, variables and file share one table."""
    assert [setting.name for setting in SETTINGS if not setting.help] == []


def test_what_the_readme_names_is_there() -> None:
    """Whoever follows a link or looks for a file must not end nowhere."""
    headings = re.findall(r"^#+ (.+)$", README, re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    files = set(re.findall(r"`([\w/]+(?:\.py|/))`", README)) | set(
        re.findall(r"scripts/pictures/[\w.]+", README)
    )

    files |= set(re.findall(r"[\w/]+(?:\.py|/)(?=\W)", topic("source")))

    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors
    assert [name for name in files if not (ROOT / name).exists() and not (PACKAGE / name).exists()] == []


def test_toml_in_the_readme_is_understood(tmp_path: Path) -> None:
    """The same for the configuration file."""
    from loopback_auth.settings import load_config, resolve

    block = re.findall(r"```toml\n(.*?)```", README, re.S)[0]
    path = tmp_path / "config.toml"
    path.write_text(block)
    settings = resolve(
        provider="", flags={}, environ={}, config=load_config(str(path)), config_path=str(path)
    )

    assert (settings.name, settings.text("client_id")) == ("work", "my-tool")


def test_extras_are_named_as_an_index_knows_them() -> None:
    """With the name of the distribution, which is not that of the package, and only those that there are."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    texts = [
        README,
        *(path.read_text("utf-8") for path in PACKAGE.rglob("*") if path.suffix in (".py", ".txt")),
    ]
    named = {name for text in texts for name in re.findall(r"loopback[_-]auth\[([a-z,]+)\]", text)}
    wrong = [text for text in texts if re.search(r"\bloopback_auth\[[a-z{]", text)]

    assert wrong == []
    assert {extra for name in named for extra in name.split(",")} <= set(extras)
    assert named >= {"all", "audit", "keychain", "oidc", "redis", "socks"}


@pytest.mark.parametrize("script", ["check", "install", "build", "lock", "bench", "fuzz"])
def test_scripts_help_and_do_nothing(script: str) -> None:
    """Whoever asks what a script does has not asked for it to be done."""
    # From another folder, by the path from there.
    command = [str(Path(ROOT.name, "scripts", script)), "--help"]
    shown = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, timeout=60, check=True)

    assert f"scripts/{script}" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("script", ["install", "build", "lock"])
def test_scripts_refuse_what_they_do_not_know(script: str) -> None:
    """A misspelt option must not be taken for none."""
    done = subprocess.run(
        [str(ROOT / "scripts" / script), "--dve"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "--dve" in done.stderr


def test_lock_file_has_what_is_needed_with_hashes_and_no_registry() -> None:
    """What the checks use must be the same tomorrow, from whichever registry it comes; run scripts/lock."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = [*wanted["project"]["dependencies"], *wanted["project"]["optional-dependencies"]["oidc"]]
    named += [*wanted["dependency-groups"]["dev"], *wanted["build-system"]["requires"]]
    locked = (ROOT / "scripts" / "requirements-dev.txt").read_text()
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", locked, re.M))
    requirements = [Requirement(text) for text in named]

    assert [
        str(one)
        for one in requirements
        if not one.specifier.contains(pins.get(canonicalize_name(one.name), ""))
    ] == []
    assert (
        re.findall(r"^(\S.*)\n(?!    --hash=sha256:[0-9a-f]{64})", re.sub(r"#.*\n", "", locked), re.M) == []
    )
    assert re.search(r"https?://|--index|--find-links|--extra", locked) is None


def _unexplained(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield class and name of the fields of public dataclasses that nothing explains."""
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    for node in classes:
        if not any(ast.unparse(one).startswith("dataclass") for one in node.decorator_list):
            continue
        words = f"{ast.get_docstring(node)}\n{ast.get_docstring(module)}"
        for statement, following in zip_longest(node.body, node.body[1:]):
            if not isinstance(statement, ast.AnnAssign) or isinstance(following, ast.Expr):
                continue
            name = ast.unparse(statement.target)
            if name[0] != "_" and not re.search(rf"^\s*{name}(:|\s{{2}})", words, re.MULTILINE):
                yield node.name, name


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []
