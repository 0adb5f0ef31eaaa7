"""A teacher that is a chat model on this machine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from r2rec_bench.core.config import Config
from r2rec_bench.core.seeds import derive
from r2rec_bench.core.texts import Prompt, Thought
from r2rec_bench.llm.hf import HfConfig, HuggingFace
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson, Teacher, Usage, teachers
from r2rec_bench.traces.conversation import ConversationConfig, Reply, Silence, Talk, Turn

if TYPE_CHECKING:
    from r2rec_bench.llm.model import LanguageModel, TokenIds


class _Model(Config):
    """Which model; apart from what follows only so that `hf:<folder or hub id>` names it."""

    path: str
    """A folder, or a hub id such as `Qwen/Qwen2.5-7B-Instruct`."""
    revision: str = "main"
    dtype: Literal["float32", "bfloat16", "float16", "auto"] = "auto"
    attention: Literal["sdpa", "eager", "flash_attention_2", "flash_attention_3"] = "sdpa"
    trust_remote_code: bool = False


class HfTeacherConfig(ConversationConfig, _Model):
    """A local model, and how it is asked."""

    batch_tokens: Annotated[int, Field(ge=256, le=4_194_304)] = 65_536
    """Most tokens, padding included, in one pass through the model."""


@teachers.register("hf")
class LocalModel(Teacher):
    """A local chat model writes the thoughts, many lessons at a time: `hf:<folder or hub id>`.

    Source: transformers (arXiv 1910.03771); the conversation is R2Rec's (arXiv 2506.05069), its words this project's.
    """

    config: HfTeacherConfig
    batch: ClassVar[int] = 256
    apart: ClassVar[bool] = True

    def __init__(self, config: HfTeacherConfig) -> None:
        super().__init__(config)
        self._usage = Usage()

    def identity(self) -> str:
        return self._source.identity()

    @property
    def usage(self) -> Usage:
        return self._usage

    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        talks = [Talk(lesson, wording, self.config) for lesson in lessons]
        while waiting := _alike(talks):
            for turns in waiting:
                self._ask(turns, wording)
        silent = Counter(self._usage.silent)
        silent.update(talk.result.reason for talk in talks if isinstance(talk.result, Silence))
        self._count(silent=dict(silent))
        return [talk.thoughts for talk in talks]

    def _ask(self, asked: Sequence[tuple[Talk, Turn]], wording: Wording) -> None:
        """Replies to questions of one length and attempt; a reply ends where it goes on to the answer."""
        c, most, attempt = self.config, asked[0][1].max_tokens, asked[0][1].attempt
        sampling = Sampling(c.temperature, derive(c.seed, "attempt", attempt)) if c.temperature else None
        read = self._model.encode([_as_prompt(turn) for _, turn in asked])
        written = self._model.generate(read, wording.answer_open, most, sampling=sampling)
        self._count(len(asked), len(asked) if attempt else 0, read, written)
        for (talk, _), text, ids in zip(asked, self._model.decode(written), written, strict=True):
            talk.hear(Reply(text, cut=len(ids) >= most))

    def _count(
        self,
        requests: int = 0,
        retries: int = 0,
        read: Sequence[TokenIds] = (),
        written: Sequence[TokenIds] = (),
        silent: dict[str, int] | None = None,
    ) -> None:
        u = self._usage
        self._usage = Usage(
            requests=u.requests + requests,
            retries=u.retries + retries,
            prompt_tokens=u.prompt_tokens + sum(map(len, read)),
            completion_tokens=u.completion_tokens + sum(map(len, written)),
            silent=u.silent if silent is None else silent,
        )

    @cached_property
    def _source(self) -> HuggingFace:
        own = self.config.model_dump(include=set(_Model.model_fields))
        return HuggingFace(HfConfig(**own, adapter=None))

    @cached_property
    def _model(self) -> LanguageModel:
        from r2rec_bench.llm.loading import load_model, load_tokenizer
        from r2rec_bench.llm.model import LanguageModel

        checkpoint, options = self._source.checkpoint(), self._source.load_options()
        return LanguageModel(
            load_model(checkpoint, options), load_tokenizer(checkpoint, options), self.config.batch_tokens
        )


def _alike(talks: Sequence[Talk]) -> list[list[tuple[Talk, Turn]]]:
    """The questions that wait for a reply, those of one length and attempt together: no lesson's reply depends on
    which others are asked beside it."""
    groups: defaultdict[tuple[int, int], list[tuple[Talk, Turn]]] = defaultdict(list)
    for talk in talks:
        if talk.turn is not None:
            groups[talk.turn.attempt, talk.turn.max_tokens].append((talk, talk.turn))
    return list(groups.values())


def _as_prompt(turn: Turn) -> Prompt:
    return Prompt(turn.system, turn.content, (), "", "", dropped=0, tokens=0)
