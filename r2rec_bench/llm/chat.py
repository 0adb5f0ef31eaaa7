"""What a chat template puts around the turns of a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from r2rec_bench.core.errors import InputError
from r2rec_bench.llm.prefixes import TokenIds

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def frame(tokenizer: PreTrainedTokenizerBase, *, with_system: bool) -> list[TokenIds]:
    """The template's own tokens before, between and after the contents of an instruction, if any, and a question.

    Raises:
        InputError: the template refuses these roles, or does not repeat their contents.
    """
    from jinja2 import TemplateError

    roles = ["system", "user"] if with_system else ["user"]
    marks = [f"[[{k}]]" for k in range(len(roles))]
    chat = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
    called = f"{tokenizer.name_or_path}: the chat template"
    try:
        text = str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
    except TemplateError as error:
        raise InputError(
            f"{called} refuses the roles {', '.join(roles)}: {error}. Take a model whose template takes them"
        ) from None
    parts: list[str] = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found:
            raise InputError(f"{called} does not repeat a message's content")
        parts.append(before)
    return [tokenizer(part, add_special_tokens=False)["input_ids"] for part in (*parts, text)]
