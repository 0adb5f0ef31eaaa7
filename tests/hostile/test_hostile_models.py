"""Checkpoints that would run code when they are opened."""

import json
import pickle
from pathlib import Path

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.testing.models import small_chat


class Planted:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.write_text, (self.path, "code has run")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A sound checkpoint, to be spoilt."""
    from shutil import copytree

    return copytree(small_chat().path, tmp_path / "model")


@pytest.fixture
def trap(tmp_path) -> Path:
    """The file that is there if anything has run."""
    return tmp_path / "trap"


def load(folder: Path, **settings: object) -> None:
    backbone = HuggingFace(HfConfig(path=str(folder), **settings))
    LanguageModel.load(backbone.checkpoint(), backbone.load_options())


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_refused_unopened(folder, trap, name):
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Planted(trap)))
    with pytest.raises(InputError, match=rf"no \*.safetensors; found {name}, pickled weights, which are never opened"):
        load(folder)
    assert not trap.exists()


def test_pickles_beside_safetensors_are_left_alone(folder, trap):
    for name in ("pytorch_model.bin", "adapter_model.bin", "training_args.bin", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(Planted(trap)))
    load(folder)
    assert not trap.exists()


@pytest.mark.parametrize("trusted", [False, True])
def test_code_that_comes_with_a_checkpoint_runs_only_if_asked_for_by_name(folder, trap, trusted):
    own = {"model_type": "ours", "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.Own"}}
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **own}))
    (folder / "own.py").write_text(
        f"from pathlib import Path\nPath({str(trap)!r}).write_text('code has run')\n"
        "from transformers import Qwen2Config, Qwen2ForCausalLM\n"
        "class OwnConfig(Qwen2Config):\n    model_type = 'ours'\n"
        "class Own(Qwen2ForCausalLM):\n    config_class = OwnConfig\n"
    )
    if trusted:
        load(folder, trust_remote_code=True)
    else:
        with pytest.raises(InputError, match=r"(?s)model: cannot be loaded: .*trust_remote_code"):
            load(folder)
    assert trap.exists() is trusted


def test_torn_weights_are_told_with_their_folder(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"model: cannot be loaded: "):
        load(folder)


def test_nothing_reads_pickles_but_what_it_wrote_for_its_own_processes():
    """Whatever else unpickles in some way has to be looked at, and written down here."""
    signs = ("pickle.load", "torch.load", "allow_pickle", "joblib", "read_pickle", "shelve", "marshal", "cloudpickle")
    sources = [*Path("r2rec_bench").rglob("*.py"), *Path("baselines").rglob("*.py")]
    assert sources
    found = {str(path) for path in sources if any(sign in path.read_text("utf-8") for sign in signs)}
    assert found == {
        "r2rec_bench/training/launch.py",
        "r2rec_bench/training/process.py",
        "r2rec_bench/executors/ray.py",
    }
