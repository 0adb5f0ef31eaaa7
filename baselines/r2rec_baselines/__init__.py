"""Baselines, classical ones and language models without chains, as an ordinary plug-in package: it enters
through `r2rec_bench.plugins` like a stranger's.

Importing the package registers them; `implicit` and torch are imported when a model is fitted.
"""

from r2rec_baselines.als import ALS
from r2rec_baselines.biased_mf import BiasedMF
from r2rec_baselines.bpr import BPR
from r2rec_baselines.ease import EASE
from r2rec_baselines.gru4rec import GRU4Rec
from r2rec_baselines.item_knn import ItemKNN
from r2rec_baselines.lightgcn import LightGCN
from r2rec_baselines.llm import LLMRank, RecZero, SftDirect, TALLRec, ZeroShotCot, ZeroShotDirect
from r2rec_baselines.popularity import Popularity
from r2rec_baselines.sasrec import SASRec
from r2rec_baselines.user_knn import UserKNN

__all__ = [
    "ALS",
    "BPR",
    "EASE",
    "BiasedMF",
    "GRU4Rec",
    "ItemKNN",
    "LLMRank",
    "LightGCN",
    "Popularity",
    "RecZero",
    "SASRec",
    "SftDirect",
    "TALLRec",
    "UserKNN",
    "ZeroShotCot",
    "ZeroShotDirect",
]
