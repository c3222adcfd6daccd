"""Settings as the tests need them: resolved from what a test is about, and nothing else of this machine."""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.settings import Settings, resolve

PATH = "/etc/config.toml"
"""Where the configuration file is said to be; it is not read."""


def settings_of(
    provider: str = "",
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    config: Mapping[str, object] | None = None,
) -> Settings:
    """Resolve the settings of a provider, of flags, an environment and a configuration file."""
    return resolve(
        provider=provider, flags=flags or {}, environ=environ or {}, config=config or {}, config_path=PATH
    )
