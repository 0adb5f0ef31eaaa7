"""`--set KEY=VALUE` for a single component."""

from __future__ import annotations

from collections.abc import Sequence


def parse_settings(settings: Sequence[str]) -> dict[str, object]:
    """Values as YAML, by key.

    Raises:
        InputError: a setting without `=`, or a value that is no YAML.
    """
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.core.tree import Origin, plain
    from r2rec_bench.core.yamlfile import parse_yaml

    given: dict[str, object] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise InputError(f"--set: expected KEY=VALUE; got '{setting}'")
        given[key.strip()] = plain(parse_yaml(value, "--set", lambda _: Origin("--set")).root)
    return given
