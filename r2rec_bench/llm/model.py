"""A causal language model in memory: encode prompts, generate thoughts, score answers.

Batches are cut by length, so that padding is small, and padded on the left. Contents that come from outside (titles)
are tokenised apart from the chat template's own text with control tokens switched off, so that no title can end a
turn.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.texts import Message, Prompt
from r2rec_bench.core.types import BoolArray, FloatArray
from r2rec_bench.llm.base import Checkpoint, LoadOptions
from r2rec_bench.llm.sampling import Sampling

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TokenIds = list[int]


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeScores:
    """What the model says at the answer's place.

    Attributes:
        log_probabilities: float64 (n, outcomes), log p of each outcome token among all tokens.
        valid: bool (n,), whether the likeliest of all tokens is one of the outcomes.
    """

    log_probabilities: FloatArray
    valid: BoolArray


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
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else 0

    def encode(self, prompts: Sequence[Prompt]) -> list[TokenIds]:
        """Token ids of each prompt in the chat template, up to where the completion begins."""
        if not prompts:
            return []
        frames = {bool(prompt.system): self._frame(len(prompt.messages)) for prompt in prompts}
        systems = {text: self._content([text])[0] for text in {prompt.system for prompt in prompts}}
        contents = self._content([prompt.content for prompt in prompts])
        encoded: list[TokenIds] = []
        for prompt, content in zip(prompts, contents, strict=True):
            frame = frames[bool(prompt.system)]
            turns = [systems[prompt.system], content] if prompt.system else [content]
            ids = list(frame[0])
            for turn, after in zip(turns, frame[1:], strict=True):
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
        with torch.inference_mode():
            for rows in self._batches(prompts, extra=max_new_tokens):
                asked = [prompts[row] for row in rows]
                ids, mask = self._pad(asked)
                draw = [sampling.processor(asked, max_new_tokens, begun=ids.shape[1])] if sampling else []
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
                for row, one in zip(rows, written[:, ids.shape[1] :].tolist(), strict=True):
                    out[row] = self._trim(one)
                if progress:
                    progress(len(rows))
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

        ids = [self._single(outcome) for outcome in outcomes]
        scores = np.empty((len(prompts), len(outcomes)))
        valid = np.empty(len(prompts), dtype=bool)
        with torch.inference_mode():
            for rows in self._batches(prompts, extra=0):
                tokens, mask = self._pad([prompts[row] for row in rows])
                positions = (mask.cumsum(-1) - 1).clamp(min=0)
                logits = self.model(
                    input_ids=tokens, attention_mask=mask, position_ids=positions, logits_to_keep=1, use_cache=False
                ).logits[:, -1]
                log_p = logits.float().log_softmax(-1)
                scores[rows] = log_p[:, ids].double().cpu().numpy()
                valid[rows] = np.isin(log_p.argmax(-1).cpu().numpy(), ids)
        return OutcomeScores(scores, valid)

    @cached_property
    def _pad_id(self) -> int:
        pad = self.tokenizer.pad_token_id
        return self._end_id if pad is None else cast("int", pad)

    @property
    def _end_id(self) -> int:
        return cast("int", self.tokenizer.eos_token_id)

    def _frame(self, turns: int) -> list[TokenIds]:
        """The template's own tokens before, between and after the contents of `turns` messages."""
        marks = [f"[[{k}]]" for k in range(turns)]
        roles = ["system", "user"] if turns == 2 else ["user"]
        messages = [Message(role, mark) for role, mark in zip(roles, marks, strict=True)]
        chat = [{"role": message.role, "content": message.content} for message in messages]
        text = str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        parts: list[str] = []
        for mark in marks:
            before, found, text = text.partition(mark)
            if not found:
                raise InputError(
                    f"{self.tokenizer.name_or_path}: the chat template does not repeat a message's content"
                )
            parts.append(before)
        return [self.tokenizer(part, add_special_tokens=False)["input_ids"] for part in (*parts, text)]

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

    def _batches(self, prompts: Sequence[TokenIds], extra: int) -> Iterator[list[int]]:
        """Rows in batches of similar length, each within `batch_tokens`; `extra` tokens a row are to be written."""
        order = sorted(range(len(prompts)), key=lambda row: (len(prompts[row]), row))
        batch: list[int] = []
        for row in order:
            if batch and (len(prompts[row]) + extra) * (len(batch) + 1) > self.batch_tokens:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    def _pad(self, prompts: Sequence[TokenIds]) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        width = max(len(prompt) for prompt in prompts)
        ids = torch.full((len(prompts), width), self._pad_id)
        mask = torch.zeros((len(prompts), width), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        return ids.to(self.model.device), mask.to(self.model.device)


def load_model(checkpoint: Checkpoint, options: LoadOptions) -> PreTrainedModel:
    """The weights of `checkpoint`, from safetensors only, on the GPU if there is one.

    Raises:
        InputError: they cannot be read, or want code of their own and may not run it.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with _named(checkpoint):
        model = AutoModelForCausalLM.from_pretrained(
            checkpoint.path,
            dtype=options.dtype if options.dtype == "auto" else getattr(torch, options.dtype),
            attn_implementation=options.attention,
            trust_remote_code=options.trust_remote_code,
            use_safetensors=True,
        )
    return cast("Any", model).to("cuda" if torch.cuda.is_available() else "cpu")


def load_tokenizer(checkpoint: Checkpoint, options: LoadOptions) -> PreTrainedTokenizerBase:
    """The tokenizer of `checkpoint`.

    Raises:
        InputError: as `load_model`.
    """
    from transformers import AutoTokenizer

    with _named(checkpoint):
        return AutoTokenizer.from_pretrained(checkpoint.path, trust_remote_code=options.trust_remote_code)


@contextmanager
def _named(checkpoint: Checkpoint) -> Generator[None]:
    """Says of which folder it is what libraries say of a checkpoint that they do not take."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{checkpoint.path}: cannot be loaded: {error}") from error
