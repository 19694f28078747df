"""What was set beside the default of every system that CARD, TDM and GlobalDiff are compared with."""

TRIED = (
    ("zhihu", "gru4rec caser lightsans bert4rec diffurec cl4srec duorec steam ssdrec diffuasr", "learning_rate=1e-3"),
    ("zhihu", "gru4rec", "dropout=0.0,input_dropout=0.25,learning_rate=1e-3"),
    ("zhihu", "caser", "dropout=0.5,input_dropout=0.0,learning_rate=1e-3"),
    ("zhihu", "lightsans", "dropout=0.5,input_dropout=0.5,learning_rate=1e-3"),
    ("zhihu", "bert4rec", "mask_rate=0.2,learning_rate=1e-3"),
    ("zhihu", "diffurec", "dropout=0.1,learning_rate=1e-3"),
    ("zhihu", "cbit", "mask_rate=0.15"),
    ("zhihu", "cbit", "learning_rate=3e-3,mask_rate=0.15"),
    ("zhihu", "diffrec", "learning_rate=1e-3"),
    ("zhihu", "diffrec", "oldest_weight=0.5,learning_rate=3e-3"),
    ("zhihu", "srgnn", "learning_rate=3e-3"),
    ("zhihu", "diffuasr", "generated_items=2,learning_rate=1e-3"),
    ("zhihu", "adaranker pdrec", "backbone_learning_rate=1e-3"),
    ("zhihu", "srgnn", "dropout=0.0,input_dropout=0.0"),
    ("zhihu", "cl4srec duorec steam ssdrec", "dropout=0.5,input_dropout=0.5,learning_rate=1e-3"),
    ("zhihu", "actsr", "dropout=0.3,input_dropout=0.3"),
    ("zhihu", "actsr", "dropout=0.3,input_dropout=0.3,learning_rate=3e-3"),
    ("zhihu", "adaranker", "candidates=20,backbone_learning_rate=1e-3"),
    ("zhihu", "pdrec", "loss=binary,weight_scale=4.0,positive_weight=0.05,backbone_learning_rate=1e-3"),
    ("movielens", "bert4rec", "learning_rate=4e-3"),
    ("movielens", "bert4rec", "mask_rate=0.4,learning_rate=4e-3"),
    ("movielens", "srgnn cl4srec duorec diffuasr gru4rec caser lightsans cbit diffurec", "learning_rate=1e-3"),
    ("movielens", "actsr ssdrec", "learning_rate=4e-3"),
    ("movielens", "diffrec", "learning_rate=3e-3"),
    ("movielens", "adaranker", "backbone_learning_rate=1e-3"),
    ("movielens", "pdrec", "backbone_learning_rate=4e-3"),
    ("movielens", "steam", "learning_rate=1e-3"),
    ("zhihu", "pdrec", "patience=30"),
    ("movielens", "pdrec", "patience=30,backbone_learning_rate=4e-3"),
)
"""Data sets, models and settings. Of three settings a system on Zhihu (the shared training, one of its own, mostly its
authors' dropout, mask rate or weight, and the other rate) the two that are not the default, in full, and of two on
MovieLens (without its own) the one; where nothing is chosen yet, the shared training is. Whether PDRec's diffusion is
to wait as long as STEAM and DiffRec do was asked beside these.
"""
