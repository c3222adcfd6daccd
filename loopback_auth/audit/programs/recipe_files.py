"""The recipes that come with the package."""

from __future__ import annotations

from importlib.resources import files

from loopback_auth.audit.programs.recipe import Recipe, read_recipe
from loopback_auth.errors import ConfigError
from loopback_auth.settings.reading import suggestion

ENDING = ".toml"


def recipe_names() -> tuple[str, ...]:
    """Return the names of all recipes, in order."""
    folder = files("loopback_auth.audit") / "recipes"
    if not folder.is_dir():
        return ()
    return tuple(
        sorted(one.name.removesuffix(ENDING) for one in folder.iterdir() if one.name.endswith(ENDING))
    )


def recipe_named(name: str) -> Recipe:
    """Return a recipe.

    Raises:
        ConfigError: there is none of that name.
    """
    names = recipe_names()
    if name not in names:
        near = suggestion(name, names)
        raise ConfigError(
            f"There is no recipe {ascii(name)[:80]}.",
            hint=near
            if near.startswith("Did")
            else "See --list-recipes for their names, or give the command itself after --.",
        )
    text = (files("loopback_auth.audit") / "recipes" / f"{name}{ENDING}").read_text(encoding="utf-8")
    return read_recipe(name, text)


def all_recipes() -> tuple[Recipe, ...]:
    """Return all recipes, by name."""
    return tuple(map(recipe_named, recipe_names()))
