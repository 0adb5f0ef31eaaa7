"""A local model as the teacher."""

import re

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import WEIGHTS, Nano
from r2rec_bench.traces.base import teachers
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.hf import HfTeacherConfig, LocalModel


@pytest.fixture(scope="module")
def nano() -> LocalModel:
    return LocalModel(HfTeacherConfig(path=str(WEIGHTS), masking="whole"))


def silent(done: int, of: int) -> None:
    """Nobody listens."""


def test_it_is_registered_and_named_by_its_model():
    assert teachers.get("hf") is LocalModel
    assert next(iter(HfTeacherConfig.model_fields)) == "path"  # what `hf:<model>` sets


def test_nano_teaches_what_it_has_learnt_to_read(asker, training, nano):
    """The weights in the package think about bundles in the form that they are read in."""
    found = collect(asker(), nano, training(), silent)
    assert len(found.traces) >= 0.95 * 60
    assert {thought.weight for trace in found.traces for thought in trace.thoughts} > {-1, 0, 1}
    assert found.usage.requests == sum(bool(trace.thoughts) for trace in found.traces) + sum(
        found.usage.silent.values()
    )


def test_its_thoughts_are_those_that_the_model_itself_would_write(asker, training, nano):
    asking = asker()
    lessons = [lesson for lesson in map(asking.lesson, training()) if lesson.steps][:8]
    model = LanguageModel.load(Nano().checkpoint(), LoadOptions())
    for lesson, thoughts in zip(lessons, nano.explain(lessons, asking.wording), strict=True):
        [alone] = model.generate(model.encode([lesson.prompt]), "</think>", 64)
        assert model.decode([alone]) == [asking.wording.block(thoughts)]


def test_another_order_of_lessons_gives_the_same_thoughts(asker, training, nano):
    asking = asker()
    lessons = [asking.lesson(query) for query in training(12)]
    forth = nano.explain(lessons, asking.wording)
    assert nano.explain(lessons[::-1], asking.wording)[::-1] == forth
    assert [nano.explain([lesson], asking.wording)[0] for lesson in lessons[:4]] == forth[:4]


def test_sampling_is_seeded(asker, training):
    asking = asker()
    lessons = [asking.lesson(query) for query in training(6)]

    def drawn(seed: int):
        config = HfTeacherConfig(path=str(WEIGHTS), masking="whole", temperature=1.5, seed=seed, attempts=1)
        return LocalModel(config).explain(lessons, asking.wording)

    assert drawn(0) == drawn(0) != drawn(1)


def test_no_two_attempts_under_no_two_seeds_have_the_same_draws(asker, training, monkeypatch):
    asking, drawn = asker(), []

    def nonsense(self, prompts, stop, max_new_tokens, *, sampling=None):
        drawn.append(sampling.seed)
        return [[] for _ in prompts]

    monkeypatch.setattr(LanguageModel, "generate", nonsense)
    lessons = [lesson for lesson in map(asking.lesson, training()) if lesson.steps][:1]
    for seed in (0, 1, 2):
        config = HfTeacherConfig(path=str(WEIGHTS), masking="whole", temperature=1.0, seed=seed, attempts=3)
        assert LocalModel(config).explain(lessons, asking.wording) == [None]
    assert len(set(drawn)) == len(drawn) == 9


@pytest.mark.parametrize("wording", ["compact", "verbose"])
def test_a_model_that_knows_nothing_is_asked_and_given_up(asker, training, qwen2_checkpoint, wording):
    asking = asker(wording=wording)
    teacher = LocalModel(HfTeacherConfig(path=str(qwen2_checkpoint.path), max_tokens=4, attempts=2))
    lessons = [lesson for lesson in map(asking.lesson, training()) if lesson.steps][:3]
    assert teacher.explain(lessons, asking.wording) == [None] * 3
    assert sum(teacher.usage.silent.values()) == 3
    assert (teacher.usage.requests, teacher.usage.retries) == (6, 3)
    assert teacher.usage.completion_tokens <= 6 * 4


def test_step_by_step_a_model_reads_what_it_is_asked_at_each_step(asker, training, monkeypatch, nano):
    """The model is real; what it writes is replaced by the right line, which no model of this size would find."""
    asking, read = asker(), []
    real = LanguageModel.generate

    def generate(self, prompts, stop, max_new_tokens, *, sampling=None):
        real(self, prompts, stop, 1, sampling=sampling)
        read.extend(self.decode(prompts))
        steps = [max(map(int, re.findall(r"#(\d+)", text))) for text in self.decode(prompts)]
        return self.encode_texts([f"#{step} w+1 f4" for step in steps])

    monkeypatch.setattr(LanguageModel, "generate", generate)
    teacher = LocalModel(HfTeacherConfig(path=str(WEIGHTS), guidance="none"))
    lessons = [lesson for lesson in map(asking.lesson, training()) if lesson.steps][:4]
    thoughts = teacher.explain(lessons, asking.wording)
    assert [len(one) for one in thoughts] == [len(lesson.steps) for lesson in lessons]
    assert len(read) == sum(len(lesson.steps) for lesson in lessons)


def test_its_identity_is_that_of_its_weights(nano_checkpoint):
    teacher = LocalModel(HfTeacherConfig(path=str(nano_checkpoint.path)))
    before = teacher.identity()
    weights = nano_checkpoint.path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + bytes(4))
    assert LocalModel(HfTeacherConfig(path=str(nano_checkpoint.path))).identity() != before


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no config\.json"):
        LocalModel(HfTeacherConfig(path=str(tmp_path))).identity()
