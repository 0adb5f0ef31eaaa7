"""Classical baselines as an ordinary plug-in package: it enters through `r2rec_bench.plugins` like a stranger's.

Importing the package registers them; `implicit` is imported when a model is fitted.
"""

from r2rec_baselines.als import ALS
from r2rec_baselines.biased_mf import BiasedMF
from r2rec_baselines.bpr import BPR
from r2rec_baselines.ease import EASE
from r2rec_baselines.item_knn import ItemKNN
from r2rec_baselines.lightgcn import LightGCN
from r2rec_baselines.popularity import Popularity
from r2rec_baselines.user_knn import UserKNN

__all__ = ["ALS", "BPR", "EASE", "BiasedMF", "ItemKNN", "LightGCN", "Popularity", "UserKNN"]
