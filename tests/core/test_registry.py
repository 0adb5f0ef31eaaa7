import importlib
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from r2rec_bench.core import registry as registry_module
from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import InputError
from r2rec_bench.core.registry import FAMILIES, BrokenPlugin, Component, Registry, registry

SOURCE = """\
from __future__ import annotations
from typing import TYPE_CHECKING

from r2rec_bench.core.config import Config
from r2rec_bench.core.registry import Component, registry

if TYPE_CHECKING:
    from torch import Tensor


class {cls}Config(Config):
    size: int = 3


@registry("gadgets").register("{name}")
class {cls}(Component):
    \"\"\"Counts things.

    And more.
    \"\"\"

    config: {cls}Config
    weights: Tensor
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `room` whose folder is a family of gadgets; plug-ins are looked for afresh."""
    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "base.py").write_text(
        "from r2rec_bench.core.registry import Component, Registry\n"
        "gadgets = Registry('gadgets', 'gadget', Component, 'room')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(FAMILIES, "gadgets", "room.base:gadgets")
    monkeypatch.setattr(Registry, "broken", [])
    monkeypatch.setattr(Registry, "_plugins_loaded", False)
    monkeypatch.delenv("R2REC_PLUGINS", raising=False)
    monkeypatch.setattr(registry_module, "entry_points", lambda group: [])
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] in {"room", "stranger", "stranger2"}]:
        del sys.modules[name]


def add(folder: Path, name: str, cls: str, file: str | None = None) -> Path:
    path = folder / f"{file or name}.py"
    path.write_text(SOURCE.format(name=name, cls=cls))
    return path


def plug_in(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    points = [EntryPoint(f"{module}-plugin", module, "r2rec_bench.plugins") for module in modules]
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points)


def test_a_file_in_the_folder_is_a_component(room: Path):
    add(room, "counter", "Counter")
    gadgets = registry("gadgets")
    counter = gadgets.get("counter")
    assert gadgets.names() == ["counter"]
    assert list(gadgets) == [("counter", counter)]
    assert counter.summary() == "Counts things."
    assert counter().config.model_dump() == {"size": 3}


def test_types_known_only_to_type_checkers_do_not_hide_the_settings(room: Path):
    add(room, "counter", "Counter")
    assert registry("gadgets").get("counter").config_type().__name__ == "CounterConfig"


def test_settings_are_inherited_and_may_be_narrowed():
    class Wide(Config):
        n: int = 1

    class Parent(Component):
        config: Wide

    class Heir(Parent):
        other: "NoSuchName"  # noqa: F821

    assert Component.config_type() is Config
    assert Heir.config_type() is Wide
    assert Heir().config == Wide()


def test_nothing_is_imported_before_it_is_asked_for(room: Path):
    add(room, "counter", "Counter")
    (room / "landmine.py").write_text("raise RuntimeError('stepped on')\n")
    gadgets = registry("gadgets")
    assert "room.counter" not in sys.modules
    importlib.import_module("room.counter")
    assert gadgets.get("counter").__name__ == "Counter"
    with pytest.raises(RuntimeError, match="stepped on"):
        gadgets.names()


def test_a_built_in_that_does_not_import_is_not_forgotten(room: Path):
    (room / "landmine.py").write_text("raise RuntimeError('stepped on')\n")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="stepped on"):
            registry("gadgets").get("counter")


def test_heavy_libraries_are_not_imported_with_the_core():
    code = (
        "import sys, r2rec_bench.core.registry, r2rec_bench.core.loading\n"
        "print([name for name in ('torch', 'numba', 'pandas', 'transformers') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_an_unknown_name_gets_the_nearest_and_all_that_are_known(room: Path):
    add(room, "counter", "Counter")
    add(room, "scale", "Scale")
    with pytest.raises(InputError) as caught:
        registry("gadgets").get("Countr")
    assert str(caught.value) == "unknown gadget 'Countr'. Did you mean 'counter'? Known: counter, scale."
    with pytest.raises(InputError) as caught:
        registry("gadgets").get("xyzzy")
    assert str(caught.value) == "unknown gadget 'xyzzy'. Known: counter, scale."


def test_two_of_one_name_show_both_files(room: Path):
    first = add(room, "counter", "Counter")
    second = add(room, "counter", "Rival", file="rival")
    with pytest.raises(InputError) as caught:
        registry("gadgets").names()
    message = str(caught.value)
    assert message.startswith("two classes want to be the gadget 'counter': ")
    assert f"Counter ({first}:15)" in message
    assert f"Rival ({second}:15)" in message
    assert message.endswith("Rename one.")


def test_the_same_class_loaded_again_replaces_itself(room: Path):
    add(room, "counter", "Counter")
    first = registry("gadgets").get("counter")
    importlib.reload(sys.modules["room.counter"])
    assert registry("gadgets").get("counter") is not first


def test_a_component_of_another_family_is_refused():
    class Special(Component):
        """Special."""

    specials: Registry[Special] = Registry("specials", "special", Special)
    with pytest.raises(InputError, match=r"Ordinary \(.*test_registry.py:\d+\): a special derives from .*Special"):

        @specials.register("ordinary")
        class Ordinary(Component):
            """Ordinary."""


def test_a_plug_in_is_loaded_on_the_first_miss(room: Path, monkeypatch: pytest.MonkeyPatch):
    add(room.parent, "abacus", "Abacus", file="stranger")
    plug_in(monkeypatch, "stranger")
    gadgets = registry("gadgets")
    assert "stranger" not in sys.modules
    assert gadgets.get("abacus").__module__ == "stranger"
    assert Registry.broken == []


def test_plug_ins_can_be_left_out_and_that_is_said(room: Path, monkeypatch: pytest.MonkeyPatch):
    (room.parent / "stranger.py").write_text("raise SystemExit('never imported')")
    plug_in(monkeypatch, "stranger")
    monkeypatch.setenv("R2REC_PLUGINS", "none")
    with pytest.raises(InputError, match=r"Note: plug-ins were left out, as --no-plugins or R2REC_PLUGINS asks\.$"):
        registry("gadgets").get("visitor")
    monkeypatch.setenv("R2REC_PLUGINS", "no")
    with pytest.raises(InputError, match=r"R2REC_PLUGINS: expected none, or nothing; got 'no'"):
        registry("gadgets").names()


def test_a_broken_plug_in_is_named_and_harms_no_other(room: Path, monkeypatch: pytest.MonkeyPatch):
    add(room, "counter", "Counter")
    (room.parent / "stranger.py").write_text("import no_such_library\n")
    add(room.parent, "abacus", "Abacus", file="stranger2")
    plug_in(monkeypatch, "stranger", "stranger2")
    gadgets = registry("gadgets")
    assert gadgets.names() == ["abacus", "counter"]
    reason = "ModuleNotFoundError: No module named 'no_such_library'"
    assert Registry.broken == [BrokenPlugin("stranger-plugin", "stranger", reason)]
    with pytest.raises(InputError) as caught:
        gadgets.get("no_such_gadget")
    assert f"Note: plug-in 'stranger-plugin' (stranger) did not load: {reason}." in str(caught.value)


def test_a_plug_in_cannot_take_a_built_in_name(room: Path, monkeypatch: pytest.MonkeyPatch):
    ours = add(room, "counter", "Counter")
    theirs = add(room.parent, "counter", "Rival", file="stranger")
    plug_in(monkeypatch, "stranger")
    gadgets = registry("gadgets")
    assert gadgets.names() == ["counter"]
    assert gadgets.get("counter").__name__ == "Counter"
    (broken,) = Registry.broken
    assert str(ours) in broken.reason
    assert str(theirs) in broken.reason


def test_an_unknown_family_gets_the_nearest():
    with pytest.raises(
        InputError, match=r"unknown family 'chain'. Did you mean 'chains'\? Known: backbones, baselines"
    ):
        registry("chain")
    with pytest.raises(InputError, match=r"unknown family 'xyzzy'. Known: "):
        registry("xyzzy")


def test_an_empty_family_says_so():
    empty: Registry[Component] = Registry("empties", "empty", Component)
    assert empty.names() == []
    assert empty.unknown_message("x") == "unknown empty 'x'. Known: none."
