"""The baselines: what is counted or solved for, and not learned step by step."""

from __future__ import annotations

from demo_core.families.tree import Paper, System

COUNTED = (
    System(
        "popularity",
        "counts",
        "Everybody gets the items that are most often the next one, so that a history cannot lack anything.",
        "It is the bar that every other system has to clear.",
        None,
    ),
    System(
        "repeat_last",
        "counts",
        "The items of the history are recommended again, the newest first, then the popular ones.",
        "On data with immediate repeats, such as KuaiRec, this rule alone explains the published level.",
        None,
    ),
    System(
        "item_knn",
        "counts",
        "Items whose audience is like that of the recent history are recommended; each item of it has a vote.",
        "Newer items have more votes; beyond that, order plays no part.",
        Paper("Item-based Collaborative Filtering Recommendation Algorithms", "Sarwar et al.", "WWW", 2001),
    ),
    System(
        "knn_average",
        "counts",
        "A trained backbone and Item-kNN are averaged: the plainest way to add what items have in common.",
        "It stands beside GlobalDiff on the same backbone; what GlobalDiff adds should be more than this adds.",
        None,
        builds_on="item_knn",
        stands_on=("sasrec", "srgnn", "bert4rec", "cbit"),
    ),
    System(
        "slit",
        "counts",
        "A linear model, solved in closed form, says which item comes after the items of a history.",
        "It knows the direction of time, and an item that merely goes along with another gets no credit of its own.",
        Paper(
            "Session-aware Linear Item-Item Models for Session-based Recommendation",
            "Choi et al.",
            "WWW",
            2021,
            "2103.16104",
        ),
    ),
)
