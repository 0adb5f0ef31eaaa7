import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import LoadOptions, Lora, backbones
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano, NanoConfig, NanoShape, new_model
from r2rec_bench.prompts.wordings import WORDINGS


def hf(path: object, **settings: object) -> HuggingFace:
    return HuggingFace(HfConfig(path=str(path), **settings))


def test_both_are_registered_and_speak_a_known_wording():
    for name, cls in (("nano", Nano), ("hf", HuggingFace)):
        assert backbones.get(name) is cls
        assert cls.wording in WORDINGS


def test_nano_is_small_and_its_seed_decides(tmp_path):
    weights = [new_model(NanoShape(), seed).state_dict() for seed in (0, 0, 1)]
    same, other = (all(bool((weights[0][k] == w[k]).all()) for k in w) for w in weights[1:])
    assert (same, other) == (True, False)
    assert 100_000 < new_model(NanoShape(), 0).num_parameters() < 2_000_000


def test_nano_reads_the_weights_it_is_given(nano_checkpoint):
    backbone = Nano(NanoConfig(weights=nano_checkpoint.path))
    assert backbone.checkpoint() == nano_checkpoint
    assert backbone.lora() is None
    LanguageModel.load(backbone.checkpoint(), backbone.load_options())


def test_nano_without_weights_says_how_to_make_them(tmp_path):
    with pytest.raises(InputError, match=r"no nano weights \(model.safetensors\); make them with `r2rec pretrain"):
        Nano(NanoConfig(weights=tmp_path)).checkpoint()


@pytest.mark.parametrize("make", [lambda folder: Nano(NanoConfig(weights=folder)), hf], ids=["nano", "hf"])
@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
)
def test_a_checkpoint_is_known_by_its_contents(nano_checkpoint, make, name):
    folder = nano_checkpoint.path
    before = make(folder).identity()
    assert make(folder).identity() == before
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert make(folder).identity() != before


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no config.json; expected a Hugging Face model folder"):
        hf(tmp_path).checkpoint()


def test_what_the_hub_does_not_give_is_explained(tmp_path, monkeypatch):
    def no_network(*args: object, **settings: object) -> str:
        raise OSError("offline")

    monkeypatch.setattr("huggingface_hub.snapshot_download", no_network)
    with pytest.raises(InputError, match=r"hf:nobody/nothing: no such folder, and the hub did not give it \(offline\)"):
        hf("nobody/nothing").checkpoint()


def test_a_hub_model_is_known_by_its_commit(tmp_path, monkeypatch):
    asked = {}

    def snapshot(path: str, **settings: object) -> str:
        asked.update(settings, path=path)
        folder = tmp_path / "models" / "snapshots" / "abc123"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.safetensors").touch()
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert hf("some/model", revision="v2").identity() == "some/model@abc123"
    assert (asked["path"], asked["revision"]) == ("some/model", "v2")
    assert not any("py" in pattern or pattern.endswith(".bin") for pattern in asked["allow_patterns"])


def test_settings_become_load_options_and_adapters(tmp_path):
    backbone = hf(tmp_path, dtype="bfloat16", attention="eager", adapter={"rank": 4})
    assert backbone.load_options() == LoadOptions("bfloat16", "eager", trust_remote_code=False)
    assert backbone.lora() == Lora(rank=4)
    assert hf(tmp_path, adapter=None).lora() is None


def test_a_local_checkpoint_of_another_architecture_answers(qwen2_checkpoint):
    backbone = hf(qwen2_checkpoint.path, dtype="float32")
    model = LanguageModel.load(backbone.checkpoint(), backbone.load_options())
    assert model.outcome_scores([[1, 2, 3]], ["1", "2"]).log_probabilities.shape == (1, 2)
