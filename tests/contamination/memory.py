"""Made-up data sets, and a model that has read some of them and forgets nothing."""

from collections import Counter, defaultdict
from types import SimpleNamespace

import numpy as np
import torch

from r2rec_bench.contamination.facts import ContaminationConfig, Quiz, quizzes
from r2rec_bench.core.types import InteractionLog, ItemCatalog
from r2rec_bench.data.base import Dataset, Fold, splits
from r2rec_bench.llm.base import LoadOptions
from r2rec_bench.llm.loading import load_tokenizer
from r2rec_bench.llm.model import LanguageModel
from r2rec_bench.testing.models import small_chat

USERS = ITEMS = 60
ALL = ContaminationConfig(titles=USERS, neighbours=USERS)


def dataset(seed: int, name: str = "tiny") -> Dataset:
    """Facts that differ from seed to seed; ids, lengths and words are those of every such world."""
    rng = np.random.default_rng(seed)
    words = rng.permutation([f"{a}{b}" for a in "ABCDEFGHIJ" for b in "aeiouy"])
    titles = tuple(f"{word} {year}" for word, year in zip(words, rng.permutation(ITEMS) + 1930, strict=True))
    log = InteractionLog(
        user=np.repeat(np.arange(USERS), 3).astype(np.int32),
        item=np.concatenate([rng.permutation(ITEMS)[:3] for _ in range(USERS)]).astype(np.int32),
        rating=rng.integers(1, 6, 3 * USERS).astype(np.float32),
        time=np.sort(rng.integers(100, 1000, (USERS, 3))).ravel().astype(np.int64),
        user_ids=tuple(str(200 + k) for k in range(USERS)),
        item_ids=tuple(str(10 + k) for k in range(ITEMS)),
    )
    return Dataset(name, log, ItemCatalog(titles, ("",) * ITEMS), True, "", "made up")


def asked_of(data: Dataset, config: ContaminationConfig = ALL) -> tuple[Quiz, ...]:
    return quizzes(data, splits.get("leave_last_out")().split(data.log), Fold.TEST, config)


def files_of(data: Dataset) -> list[str]:
    """All lines, as a crawler would meet them."""
    log, titles = data.log, data.catalog.titles
    rows = zip(log.user.tolist(), log.item.tolist(), log.rating.tolist(), log.time.tolist(), strict=True)
    return [
        *(f"{title}\n" for title in titles),
        *(f"{item},{title}\n" for item, title in zip(log.item_ids, titles, strict=True)),
        *(f"{log.user_ids[u]},{log.item_ids[i]},{rating:g},{time}\n" for u, i, rating, time in rows),
    ]


class Reader(torch.nn.Module):
    """A model that has read lines once and forgets nothing: the next token is one that came next after the longest
    ending of the text that it has read, and sometimes any other.
    """

    def __init__(self, lines: list[str], longest: int = 10) -> None:
        super().__init__()
        self.tokenizer = load_tokenizer(small_chat(), LoadOptions())
        self.embedding = torch.nn.Embedding(len(self.tokenizer), 1)
        self.config = SimpleNamespace(max_position_embeddings=512)
        self.device = torch.device("cpu")
        self.longest, self.next = longest, defaultdict(Counter)
        for line in lines:
            ids = self.tokenizer("\n" + line)["input_ids"]
            for end in range(1, len(ids)):
                for begin in range(max(0, end - longest), end):
                    self.next[tuple(ids[begin:end])][ids[end]] += 1

    def get_input_embeddings(self):
        return self.embedding

    def forward(self, input_ids, attention_mask, position_ids, logits_to_keep, use_cache):
        width = input_ids.shape[1]
        p = torch.full((len(input_ids), logits_to_keep, len(self.tokenizer)), 0.01 / len(self.tokenizer))
        for row, ids in enumerate(input_ids.tolist()):
            for k, end in enumerate(range(width - logits_to_keep + 1, width + 1)):
                endings = (tuple(ids[begin:end]) for begin in range(max(0, end - self.longest), end))
                known = next((self.next[one] for one in endings if one in self.next), Counter())
                for token, n in known.items():
                    p[row, k, token] += 0.99 * n / known.total()
        return SimpleNamespace(logits=p.log())


def reader(data: Dataset) -> LanguageModel:
    model = Reader(files_of(data))
    return LanguageModel(model, model.tokenizer)
