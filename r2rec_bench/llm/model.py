"""A causal language model in memory: encode prompts, generate thoughts, score answers.

What prompts have in common at their beginning is read once for all of them where that spares enough; otherwise batches
are cut by length, so that padding is small. They are padded on the left. An answer is read off what is kept of the
thoughts before it. Models that keep something else of a text than keys and values read every text anew.

Contents that come from outside (titles) are tokenised apart from the chat template's own text with control tokens
switched off, so that no title can end a turn.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Prompt
from r2rec_bench.llm.base import Checkpoint, LoadOptions
from r2rec_bench.llm.chat import frame
from r2rec_bench.llm.loading import length, load_model, load_tokenizer
from r2rec_bench.llm.memory import read, remembers
from r2rec_bench.llm.padding import padded, positions
from r2rec_bench.llm.prefixes import TokenIds, alone, batches, grouped
from r2rec_bench.llm.sampling import Sampling
from r2rec_bench.llm.scores import OutcomeScores, Scores
from r2rec_bench.llm.shortage import in_parts
from r2rec_bench.llm.writing import Choose, Ends, Written, write

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Thoughts, and what the model says at the place of the answer that follows them.

    Attributes:
        thoughts: (n,), as they were written.
        scores: of the answers, (n, outcomes).
        tokens: read between prompts and answers.
    """

    thoughts: list[str]
    scores: OutcomeScores
    tokens: int


class LanguageModel:
    """A checkpoint loaded for use.

    Args:
        model: a transformers causal model.
        tokenizer: its tokenizer, with a chat template.
        batch_tokens: most tokens, padding included, in one forward pass.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch_tokens: int = 65_536) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens
        if tokenizer.chat_template is None:
            raise InputError(
                f"{tokenizer.name_or_path}: the tokenizer has no chat template; use an instruction-tuned model"
            )

    @classmethod
    def load(cls, checkpoint: Checkpoint, options: LoadOptions) -> LanguageModel:
        """The model of `checkpoint`, on the GPU if there is one."""
        return cls(load_model(checkpoint, options), load_tokenizer(checkpoint, options))

    def count(self, text: str) -> int:
        """Length of `text` in tokens, special ones not added."""
        return length(self.tokenizer, text)

    def encode(self, prompts: Sequence[Prompt]) -> list[TokenIds]:
        """Token ids of each prompt in the chat template, up to where the completion begins."""
        if not prompts:
            return []
        instructed = {bool(prompt.system) for prompt in prompts}
        frames = {system: frame(self.tokenizer, with_system=system) for system in instructed}
        systems = {text: self._content([text])[0] for text in {prompt.system for prompt in prompts}}
        contents = self._content([prompt.content for prompt in prompts])
        encoded: list[TokenIds] = []
        for prompt, content in zip(prompts, contents, strict=True):
            before, *others = frames[bool(prompt.system)]
            turns = [systems[prompt.system], content] if prompt.system else [content]
            ids = list(before)
            for turn, after in zip(turns, others, strict=True):
                ids += turn + after
            encoded.append(ids)
        return encoded

    def encode_texts(self, texts: Sequence[str]) -> list[TokenIds]:
        """Token ids of what a model has written or is to write, nothing added; a teacher's words end no turn either."""
        return self._content(texts) if texts else []

    def encode_completions(self, completions: Sequence[str]) -> list[TokenIds]:
        """Token ids of completions as the model should write them, end of turn included."""
        return [[*ids, self._end_id] for ids in self.encode_texts(completions)]

    def generate(
        self,
        prompts: Sequence[TokenIds],
        stop: str,
        max_new_tokens: int,
        *,
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> list[TokenIds]:
        """Continuations up to and including `stop`, the end of turn, or `max_new_tokens`.

        Args:
            prompts: token ids, (n,) of any lengths.
            stop: text that ends a continuation.
            max_new_tokens: most tokens written.
            sampling: how tokens are drawn; the likeliest without it.
            progress: told how many prompts each batch had.
        """
        import torch

        out: list[TokenIds] = [[] for _ in prompts]

        def work(rows: Sequence[int]) -> None:
            asked = [prompts[row] for row in rows]
            told = self._written if self.remembers else self._written_anew
            for row, ids in zip(rows, told(asked, stop, max_new_tokens, sampling), strict=True):
                out[row] = self._trim(ids)
            if progress:
                progress(len(rows))

        with torch.inference_mode():
            self._in_batches(prompts, max_new_tokens, work)
        return out

    def decode(self, completions: Sequence[TokenIds]) -> list[str]:
        """The text of completions, control tokens left out."""
        rows = [list(ids) for ids in completions]
        return self.tokenizer.batch_decode(rows, skip_special_tokens=True) if rows else []

    def outcome_scores(self, prompts: Sequence[TokenIds], outcomes: Sequence[str]) -> OutcomeScores:
        """Log-probabilities of one-token `outcomes` after each prompt.

        Raises:
            InputError: an outcome is not a single token of this tokenizer.
        """
        import torch

        scores = Scores(len(prompts), [self._single(outcome) for outcome in outcomes])

        def work(rows: Sequence[int]) -> None:
            scores.add(rows, self._logits([prompts[row] for row in rows]))

        with torch.inference_mode():
            self._in_batches(prompts, 0, work)
        return scores.all

    def answer(
        self,
        prompts: Sequence[TokenIds],
        stop: str,
        max_new_tokens: int,
        lead: Callable[[str], str],
        outcomes: Sequence[str],
        *,
        sampling: Sampling | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Answered:
        """Thoughts as of `generate`, and `outcome_scores` of the answer that follows them, without reading them again.

        Args:
            prompts: token ids, (n,) of any lengths.
            stop: text that ends the thoughts.
            max_new_tokens: most tokens of thoughts; 0 for an answer at once.
            lead: what stands between prompt and answer, by the thoughts; not empty.
            outcomes: answers of one token each.
            sampling: how thoughts are drawn; the likeliest without it.
            progress: told how many prompts each batch had.

        Raises:
            InputError: an outcome is not a single token of this tokenizer.
        """
        import torch

        if not max_new_tokens or not self.remembers:
            thoughts = [""] * len(prompts)
            if max_new_tokens:
                written = self.generate(prompts, stop, max_new_tokens, sampling=sampling, progress=progress)
                thoughts = self.decode(written)
            elif progress:
                progress(len(prompts))
            leads = self.encode_texts([lead(thought) for thought in thoughts])
            answered = [prompt + more for prompt, more in zip(prompts, leads, strict=True)]
            return Answered(thoughts, self.outcome_scores(answered, outcomes), sum(map(len, leads)))
        scores = Scores(len(prompts), [self._single(outcome) for outcome in outcomes])
        thoughts, tokens = [""] * len(prompts), [0] * len(prompts)

        def work(rows: Sequence[int]) -> None:
            asked = [prompts[row] for row in rows]
            for written in self._write(asked, stop, max_new_tokens, sampling):
                texts = self.decode([self._trim(ids) for ids in written.tokens])
                leads = self.encode_texts([lead(text) for text in texts])
                places = [rows[place] for place in written.rows]
                scores.add(places, written.read_on(leads))
                for row, text, more in zip(places, texts, leads, strict=True):
                    thoughts[row], tokens[row] = text, len(more)
            if progress:
                progress(len(rows))

        with torch.inference_mode():
            self._in_batches(prompts, max_new_tokens, work)
        return Answered(thoughts, scores.all, sum(tokens))

    @cached_property
    def remembers(self) -> bool:
        """Whether a text that has been read can be gone on from."""
        return remembers(self.model)

    @cached_property
    def _pad_id(self) -> int:
        pad = self.tokenizer.pad_token_id
        return self._end_id if pad is None else cast("int", pad)

    @property
    def _end_id(self) -> int:
        return cast("int", self.tokenizer.eos_token_id)

    def _content(self, texts: Sequence[str]) -> list[TokenIds]:
        return self.tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True)["input_ids"]

    def _single(self, text: str) -> int:
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) != 1:
            raise InputError(f"{self.tokenizer.name_or_path}: the answer '{text}' is {len(ids)} tokens; expected one")
        return ids[0]

    def _stopping(self, stop: str) -> dict[str, Any]:
        """`stop` as a token where it is one, which is cheap; else as a string."""
        ids = self.tokenizer(stop, add_special_tokens=False)["input_ids"]
        end = self._end_id
        if len(ids) == 1:
            return {"eos_token_id": [ids[0], end]}
        return {"eos_token_id": end, "stop_strings": [stop], "tokenizer": self.tokenizer}

    def _trim(self, ids: TokenIds) -> TokenIds:
        """Without the padding and the end of turn that follow the last written token."""
        ends = {self._pad_id, self._end_id}
        stop = len(ids)
        while stop and ids[stop - 1] in ends:
            stop -= 1
        return ids[:stop]

    def _in_batches(self, prompts: Sequence[TokenIds], extra: int, work: Callable[[Sequence[int]], None]) -> None:
        """Has `work` done on all rows of `prompts`, each of which is to be continued by `extra` tokens."""
        groups = grouped(prompts) if self.remembers else alone(len(prompts))
        for rows in batches(prompts, groups, extra, self.batch_tokens):
            in_parts(rows, work)

    def _logits(self, prompts: Sequence[TokenIds]) -> torch.Tensor:
        """Of what follows `prompts`, float32 (b, vocabulary)."""
        if self.remembers and any(group.shared for group in grouped(prompts)):
            return read(self.model, prompts)[1]
        tokens, mask = self._pad(prompts)
        out: Any = self.model(
            input_ids=tokens, attention_mask=mask, position_ids=positions(mask), logits_to_keep=1, use_cache=False
        )
        return out.logits[:, -1].float()

    def _write(
        self, prompts: Sequence[TokenIds], stop: str, max_new_tokens: int, sampling: Sampling | None
    ) -> Generator[Written]:
        """Continuations of `prompts` as they end."""
        memory, logits = read(self.model, prompts)
        choose = _chooser(sampling, prompts, max_new_tokens)
        return write(memory, logits, choose, self._ends(stop), max_new_tokens)

    def _written(
        self, prompts: Sequence[TokenIds], stop: str, max_new_tokens: int, sampling: Sampling | None
    ) -> list[TokenIds]:
        """What follows each of `prompts`."""
        written = (one for some in self._write(prompts, stop, max_new_tokens, sampling) for one in some.texts)
        return [ids for _, ids in sorted(written)]

    def _written_anew(
        self, prompts: Sequence[TokenIds], stop: str, max_new_tokens: int, sampling: Sampling | None
    ) -> list[TokenIds]:
        """The same by transformers' own generation, padding after the end included."""
        ids, mask = self._pad(prompts)
        draw = [sampling.processor(prompts, max_new_tokens, begun=ids.shape[1])] if sampling else []
        written = cast("Any", self.model).generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            repetition_penalty=1.0,  # some checkpoints bring their own, which would bend the answers
            pad_token_id=self._pad_id,
            **self._stopping(stop),
            **({"logits_processor": draw} if draw else {}),
        )
        return written[:, ids.shape[1] :].tolist()

    def _ends(self, stop: str) -> Ends:
        """As `_stopping`, for what is written here."""
        import torch
        from transformers import StopStringCriteria

        stopping = self._stopping(stop)
        ids = torch.tensor(np.atleast_1d(stopping["eos_token_id"]), device=self.model.device)
        if "stop_strings" not in stopping:
            return lambda written: torch.isin(written[:, -1], ids)
        said: Any = StopStringCriteria(self.tokenizer, stopping["stop_strings"])
        return lambda written: torch.isin(written[:, -1], ids) | said(written, None)

    def _pad(self, prompts: Sequence[TokenIds]) -> tuple[torch.Tensor, torch.Tensor]:
        ids, mask = padded(prompts, self._pad_id)
        return ids.to(self.model.device), mask.to(self.model.device)


def _chooser(sampling: Sampling | None, prompts: Sequence[TokenIds], max_new_tokens: int) -> Choose:
    """The likeliest token, or the one that `sampling` draws."""
    if sampling is None:
        return lambda logits, rows, written: logits.argmax(-1)
    numbers = sampling.numbers(prompts, max_new_tokens)
    return lambda logits, rows, written: sampling.choose(logits, numbers.to(rows.device)[rows, written])
