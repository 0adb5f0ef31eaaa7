"""Pairs of the model's own completions."""

import numpy as np
import pytest

from r2rec_bench.core.config import validate
from r2rec_bench.core.errors import ConfigError
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.llm.nano import Nano
from r2rec_bench.training.judge import Judge
from r2rec_bench.training.pairs.sampled import Sampled, SampledConfig

TERMS = [{"reward": "format", "weight": 0.5}, {"reward": "rating"}]


def maker(**settings: object) -> Sampled:
    return Sampled(SampledConfig.model_validate({"samples": 4, "rewards": TERMS, "max_completion": 16} | settings))


@pytest.fixture(scope="module")
def lm(tuned_nano) -> LanguageModel:
    return LanguageModel.load(tuned_nano, LoadOptions())


def test_the_chosen_is_better_by_the_margin(lm, codes, context):
    asked = context(Nano())
    paired = maker(margin=0.6).pair(codes, lm, asked)
    assert len(paired.pairs) + paired.notes["without_pair"] == len(codes)
    assert 0 < len(paired.pairs) < len(codes)
    by_prompt = {tuple(ids): trace for ids, trace in zip(lm.encode([t.prompt for t in codes]), codes, strict=True)}
    judge = Judge(maker().config.rewards, asked)
    traces = [by_prompt[tuple(pair.prompt)] for pair in paired.pairs]
    good, bad = (
        judge.total(judge(lm.decode(ids), traces))
        for ids in ([pair.chosen for pair in paired.pairs], [pair.rejected for pair in paired.pairs])
    )
    assert np.all(good - bad >= 0.6)
    fewer = maker(margin=0.01).pair(codes, lm, asked)
    assert len(fewer.pairs) > len(paired.pairs)


def test_the_same_seed_samples_the_same_and_another_does_not(lm, codes, context):
    once, again, other = (maker().pair(codes[:8], lm, context(Nano(), seed)).pairs for seed in (0, 0, 1))
    assert once == again
    assert once != other


def test_what_was_cut_is_never_chosen_and_has_no_end(lm, codes, context):
    end = lm.tokenizer.eos_token_id
    paired = maker(max_completion=8, margin=0.01, truncation_alarm=0.05).pair(codes, lm, context(Nano()))
    assert paired.pairs
    assert all(pair.chosen[-1] == end and len(pair.chosen) <= 8 for pair in paired.pairs)
    cut = [pair.rejected for pair in paired.pairs if pair.rejected[-1] != end]
    assert cut
    assert all(len(ids) == 8 for ids in cut)
    assert paired.notes["truncated"] > 0.05
    assert "of the completions were cut at 8 tokens (alarm above 5%)" in paired.alarms[0]


def test_a_margin_beyond_all_rewards_leaves_no_pair(lm, codes, context):
    paired = maker(margin=2).pair(codes[:4], lm, context(Nano()))
    assert paired.pairs == ()
    assert paired.notes["without_pair"] == 4


def test_a_reward_is_named_once():
    with pytest.raises(ConfigError, match=r"rewards: each is given once; got format, format"):
        validate(SampledConfig, {"rewards": [{"reward": "format"}, {"reward": "format"}]}, "x.yaml")
