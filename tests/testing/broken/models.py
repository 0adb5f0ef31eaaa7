"""Backbones, rewards, pairs and stages that break a rule."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.nano import Nano, NanoConfig
from r2rec_bench.testing.models import small_nano
from r2rec_bench.training.base import Stage, StageResult
from r2rec_bench.training.pairs.base import Paired
from r2rec_bench.training.pairs.corrupted import Corrupted
from r2rec_bench.training.rewards.rating import Rating
from tests.testing.broken.marks import DOC, breaks, turns

# Backbones: a copy of the small nano, tampered with.


class Copied(Nano):
    """A nano in a folder that may be spoilt."""

    folder: Path

    def __init__(self, config=None):
        type(self).folder = getattr(type(self), "made", None) or self.made_once()
        super().__init__(NanoConfig(weights=self.folder))

    @classmethod
    def made_once(cls):
        cls.made = small_nano().path.parent / f"{small_nano().path.name}-{cls.__name__}"
        shutil.copytree(small_nano().path, cls.made, dirs_exist_ok=True)
        cls.spoil(cls.made)
        return cls.made

    @classmethod
    def spoil(cls, folder):
        pass


@breaks("backbones", "checkpoint_is_a_plain_folder", "expected: tokenizer.json")
class Speechless(Copied):
    @classmethod
    def spoil(cls, folder):
        (folder / "tokenizer.json").unlink()


@breaks("backbones", "identity_is_stable", "one identity")
class Nameless(Copied):
    def identity(self):
        return f"{turns('identity')}"


@breaks("backbones", "answers_are_single_tokens", "a token of its own for each outcome")
class Foreign(Copied):
    wording = "verbose"


@breaks("backbones", "prompts_are_understood", "log-probabilities")
class Empty(Copied):
    @classmethod
    def spoil(cls, folder):
        from safetensors.numpy import load_file, save_file

        weights = load_file(folder / "model.safetensors")
        save_file(
            {k: np.full_like(v, np.nan) for k, v in weights.items()}, folder / "model.safetensors", {"format": "pt"}
        )


@breaks("backbones", "the_folder_is_left_as_it_was", "after loading")
class Scribbling(Copied):
    def load_options(self):
        (self.folder / "notes.txt").write_text(f"{turns('notes')}")
        return LoadOptions()


# Rewards and pairs.


@breaks("rewards", "range_is_stated", r"range \(1.0, 1.0\)")
class Narrow(Rating):
    range = (1.0, 1.0)


@breaks("rewards", "scores_are_within_the_range", r"a score within \(0.0, 1.0\)")
class Generous(Rating):
    def score(self, readings, traces):
        return 1.5 * super().score(readings, traces)


@breaks("rewards", "scores_are_within_the_range", "a finite score")
class Undecided(Rating):
    def score(self, readings, traces):
        return np.where([reading.answer is None for reading in readings], np.nan, super().score(readings, traces))


@breaks("rewards", "scores_are_within_the_range", "float32")
class Halved(Rating):
    def score(self, readings, traces):
        return super().score(readings, traces).astype(np.float32)


@breaks("rewards", "sound_is_not_worse_than_unreadable", "garbage that earns no more than what is right")
class Perverse(Rating):
    def score(self, readings, traces):
        return 1 - super().score(readings, traces)


@breaks("rewards", "order_does_not_matter", "in reverse order")
class Impatient(Rating):
    def score(self, readings, traces):
        return super().score(readings, traces) / np.arange(1, len(readings) + 1)


@breaks("pairs", "pairs_are_preferences", "two completions that differ")
class Indifferent(Corrupted):
    def pair(self, traces, model, context):
        paired = super().pair(traces, model, context)
        return Paired(tuple(replace(pair, rejected=pair.chosen) for pair in paired.pairs))


@breaks("pairs", "the_same_seed_gives_the_same_pairs", "the same pairs")
class Fickle(Corrupted):
    def pair(self, traces, model, context):
        return Paired(super().pair(traces, model, context).pairs[turns("pair") :])


# Stages: noise on the weights stands for training.


class Noise(Stage):
    """Adds noise to all weights, quickly."""

    def run(self, start, traces, out, context):
        from r2rec_bench.llm.model import LanguageModel

        lm = LanguageModel.load(start, LoadOptions())
        for weight in lm.model.parameters():
            weight.data += self.noise()
        lm.model.save_pretrained(out)
        lm.tokenizer.save_pretrained(out)
        return StageResult(self.log(), (), len(traces), 99)

    def noise(self):
        return 0.01

    def log(self):
        return ({"step": 1.0, "loss": 2.0},)


Noise.__doc__ = DOC


@breaks("stages", "training_keeps_its_promises", "weights that were trained")
class Idle(Noise):
    def noise(self):
        return 0.0


@breaks("stages", "training_keeps_its_promises", "trained again under the same seed")
class Unseeded(Noise):
    def noise(self):
        return 0.01 + turns("noise")


@breaks("stages", "training_keeps_its_promises", r"\['loss'\] that is not finite at step 1")
class Diverging(Noise):
    def log(self):
        return ({"step": 1.0, "loss": float("nan")},)


@breaks("stages", "training_keeps_its_promises", "a plain folder")
class Forgetful(Noise):
    def run(self, start, traces, out, context):
        result = super().run(start, traces, out, context)
        (out / "tokenizer.json").unlink()
        return result


@breaks("stages", "training_keeps_its_promises", "a start folder or traces that were changed")
class Overwriting(Noise):
    def run(self, start, traces, out, context):
        (start.path / "notes.txt").write_text(f"{turns('notes')}")
        return super().run(start, traces, out, context)
