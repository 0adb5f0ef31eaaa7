"""The pinned and hashed list is whole: what pyproject.toml asks for is in it, in a version that it allows."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

TEXT = Path("constraints/dev.txt").read_text("utf-8")
PROJECT = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
PINNED: dict[str, list[Version]] = {}
for _name, _version in re.findall(r"^([a-z0-9-]+)==(\S+)", TEXT, re.MULTILINE):
    PINNED.setdefault(_name, []).append(Version(_version))
TORCH = re.search(r"^# needs: torch==(\S+)$", TEXT, re.MULTILINE)[1]


def wanted(extra: str = "") -> list[Requirement]:
    """What the package needs, or one of its extras, those that it names included."""
    listed = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    found = list(map(Requirement, listed))
    ours = [one for one in found if one.name == PROJECT["name"]]
    return [one for one in found if one not in ours] + [r for one in ours for name in one.extras for r in wanted(name)]


def test_all_that_setup_installs_is_pinned_within_what_is_allowed():
    missing = [
        str(one)
        for one in [*wanted(), *wanted("dev")]
        if one.name != "torch"
        and not any(one.specifier.contains(v) for v in PINNED.get(canonicalize_name(one.name), []))
    ]
    assert missing == [], "run `make lock`"


def test_every_pin_has_checksums_and_torch_is_pinned_by_version_alone():
    entries = re.split(r"^(?=[a-z0-9])", TEXT, flags=re.MULTILINE)[1:]
    assert len(entries) == sum(map(len, PINNED.values()))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "torch" not in PINNED
    (torch,) = {one.specifier for one in wanted("train") if one.name == "torch"}
    assert torch.contains(TORCH)


def test_what_is_installed_comes_from_a_registry_and_from_nowhere_else():
    assert not re.search(r"^-|://|@|^\.", TEXT, re.MULTILINE)
