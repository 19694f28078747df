"""What was set beside the default of every system that CARD, TDM and GlobalDiff are compared with."""

BOTH = "zhihu movielens"
AT_SHARED_RATE = "srgnn cl4srec duorec actsr ssdrec diffuasr"
TRIED = (
    ("zhihu", "gru4rec caser lightsans bert4rec diffurec", "learning_rate=1e-3"),
    ("zhihu", "gru4rec", "dropout=0.0,input_dropout=0.25,learning_rate=1e-3"),
    ("zhihu", "caser", "dropout=0.5,input_dropout=0.0,learning_rate=1e-3"),
    ("zhihu", "lightsans", "dropout=0.5,input_dropout=0.5,learning_rate=1e-3"),
    ("zhihu", "bert4rec", "mask_rate=0.2,learning_rate=1e-3"),
    ("zhihu", "diffurec", "dropout=0.1,learning_rate=1e-3"),
    ("zhihu", "cbit", "mask_rate=0.15"),
    ("zhihu", "cbit", "learning_rate=3e-3,mask_rate=0.15"),
    ("zhihu", "diffrec", "learning_rate=3e-3"),
    ("zhihu", "diffrec", "oldest_weight=0.5,learning_rate=3e-3"),
    ("zhihu", f"{AT_SHARED_RATE} adaranker steam", "learning_rate=3e-3"),
    ("zhihu", "pdrec", "learning_rate=1e-3"),
    ("movielens", "gru4rec", "dropout=0.0,input_dropout=0.25"),
    ("movielens", "caser", "dropout=0.5,input_dropout=0.0"),
    ("movielens", "lightsans", "dropout=0.5,input_dropout=0.5"),
    ("movielens", "cbit", "mask_rate=0.2"),
    ("movielens", "bert4rec", "learning_rate=4e-3"),
    ("movielens", "bert4rec", "mask_rate=0.4,learning_rate=4e-3"),
    ("movielens", "diffrec", "oldest_weight=0.5"),
    ("movielens", "diffurec", "dropout=0.1"),
    ("movielens", f"{AT_SHARED_RATE} gru4rec caser lightsans cbit diffurec diffrec pdrec", "learning_rate=1e-3"),
    ("movielens", "adaranker steam", "learning_rate=3e-3"),
    (BOTH, "srgnn", "dropout=0.0,input_dropout=0.0"),
    (BOTH, "actsr duorec cl4srec steam ssdrec", "dropout=0.5,input_dropout=0.5"),
    (BOTH, "adaranker", "candidates=20"),
    (BOTH, "pdrec", "loss=binary"),
    (BOTH, "diffuasr", "generated_items=2"),
)
"""Data sets, models and settings. Of three settings a system (the shared training, its authors' dropout or a weight of
theirs, the other rate) the two that are not the default, in full; where nothing is chosen yet, the shared training is.
"""
