"""Checkpoints small enough to train in a test."""

from pathlib import Path
from shutil import copytree
from string import ascii_uppercase

import pytest
from hypothesis import settings

from r2rec_bench.llm.base import Checkpoint
from r2rec_bench.llm.nano import NanoShape, new_model, new_tokenizer

# Machines are shared and kernels compile on first use: no example is too slow.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

_CHAT_ML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CORPUS = [
    'The user rated "Alien (1979)" 5, 3 steps ago. Of 310 others, 120 also rated "Aliens (1986)".',
    "<think>\nStep 1. They rated it 4.2 on average. Weight: strongly for. Forecast: 4.\n</think>\n<answer>4</answer>",
    "How would the user rate it? The user —[MASK]→ Weight: strongly against, against, neutral, for, strongly for.",
    # Often enough that each letter, Yes and No, with the space before them, become tokens.
    *[" ".join(["", *ascii_uppercase, "Yes", "No"])] * 40,
]


@pytest.fixture
def nano_checkpoint(tmp_path: Path) -> Checkpoint:
    """A nano backbone with random weights: one layer, width 32."""
    folder = tmp_path / "nano"
    new_model(NanoShape(width=32, layers=1, heads=2), seed=0).save_pretrained(folder)
    new_tokenizer().save_pretrained(folder)
    return Checkpoint(folder)


@pytest.fixture
def qwen2_checkpoint(shared_qwen2: Checkpoint, tmp_path: Path) -> Checkpoint:
    """A copy of `shared_qwen2` of the test's own."""
    return Checkpoint(copytree(shared_qwen2.path, tmp_path / "qwen2"))


@pytest.fixture(scope="session")
def shared_qwen2(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """Random weights in the shape of Qwen2, two layers, with a byte-level BPE tokenizer and a ChatML template.

    Not to be written to.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=440, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(_CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=_CHAT_ML,
        clean_up_tokenization_spaces=False,
    )
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    folder = tmp_path_factory.mktemp("chat") / "qwen2"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Checkpoint(folder)
