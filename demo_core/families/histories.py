"""Systems that read a history, hide it, change it or mend it, without diffusion."""

from __future__ import annotations

from demo_core.families.tree import Paper, System

READING = (
    System(
        "gru4rec",
        "as_it_is",
        "A gated recurrent network reads the items one by one, and whatever stands in the history counts.",
        "Most later tables hold another form, without item bias and with a wider network; here the network is that of"
        " its authors as of 2018, the loss that of all models here.",
        Paper(
            "Session-based Recommendations with Recurrent Neural Networks", "Hidasi et al.", "ICLR", 2016, "1511.06939"
        ),
    ),
    System(
        "caser",
        "as_it_is",
        "The newest items form an image in which filters look for patterns of neighbours, gaps and accidents included.",
        "As published it learns the next three items at once, so that one may be skipped; the default here learns the"
        " next one, like the others.",
        Paper(
            "Personalized Top-N Sequential Recommendation via Convolutional Sequence Embedding",
            "Tang & Wang",
            "WSDM",
            2018,
            "1809.07426",
        ),
    ),
    System(
        "sasrec",
        "as_it_is",
        "Attention decides how much each earlier item counts, but nothing asks whether one is missing or an accident.",
        "With all items as alternatives in its loss instead of a single one it is far stronger than in most tables;"
        " that is how it is trained here.",
        Paper("Self-Attentive Sequential Recommendation", "Kang & McAuley", "ICDM", 2018, "1808.09781"),
    ),
    System(
        "srgnn",
        "as_it_is",
        "The history becomes a small graph in which an item that comes back meets itself; what is missing leaves no"
        " trace.",
        "The paper lets an edge count as often as it occurs, its code once; here it counts once.",
        Paper("Session-based Recommendation with Graph Neural Networks", "Wu et al.", "AAAI", 2019, "1811.00855"),
    ),
    System(
        "lightsans",
        "as_it_is",
        "The history is pooled into a few latent interests, and items attend to these instead of to each other.",
        "The released code normalises attention over the items that ask; here it is over the interests that are asked.",
        Paper(
            "Lighter and Better: Low-Rank Decomposed Self-Attention Networks for Next-Item Recommendation",
            "Fan et al.",
            "SIGIR",
            2021,
        ),
        builds_on="sasrec",
    ),
)

HIDING = (
    System(
        "bert4rec",
        "hides",
        "Items are hidden at random and guessed from both sides, so gaps are what it learns from.",
        "At inference the hidden item is the next one, which is why half of the training rows here hide the newest item"
        " alone.",
        Paper(
            "BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations from Transformer",
            "Sun et al.",
            "CIKM",
            2019,
            "1904.06690",
        ),
    ),
)

COMPARING = (
    System(
        "cl4srec",
        "agrees",
        "Two copies of a history, cut, masked or shuffled at random, are pulled together, so that small losses should"
        " not matter.",
        "The copy of its code that most have used, in DuoRec's repository, writes these changes into the stored"
        " training data; an option here shows what that does.",
        Paper("Contrastive Learning for Sequential Recommendation", "Xie et al.", "ICDE", 2022, "2010.14395"),
        builds_on="sasrec",
    ),
    System(
        "duorec",
        "agrees",
        "A history under another dropout is pulled towards a different history that led to the same item; no item is"
        " altered.",
        "As in the released code, other histories of a batch that led to the same item still count as opposites.",
        Paper(
            "Contrastive Learning for Representation Degeneration Problem in Sequential Recommendation",
            "Qiu et al.",
            "WSDM",
            2022,
            "2110.05730",
        ),
        builds_on="sasrec",
    ),
    System(
        "cbit",
        "agrees",
        "Differently masked views of one window are filled in as in BERT4Rec and also pulled together.",
        "Published with four to eight views; here it has two, since each costs as much as a whole BERT4Rec.",
        Paper(
            "Contrastive Learning with Bidirectional Transformers for Sequential Recommendation",
            "Du et al.",
            "CIKM",
            2022,
            "2208.03895",
        ),
        builds_on="bert4rec",
    ),
)

CORRECTING = (
    System(
        "adaranker",
        "weighs",
        "It looks at the list that it is about to rank and adapts its input and its output layers to it; gaps are not"
        " its subject.",
        "Published for twenty candidates with the answer among them; here the base model recalls them, and the rest"
        " stays below in its order.",
        Paper(
            "Ada-Ranker: A Data Distribution Adaptive Ranking Paradigm for Sequential Recommendation",
            "Fan et al.",
            "SIGIR",
            2022,
        ),
        stands_on=("gru4rec", "sasrec", "srgnn"),
    ),
    System(
        "actsr",
        "weighs",
        "Attention is corrected by order and distance, and by an adversary that learns which weights the prediction"
        " needs.",
        "In a causal SASRec no item comes later than the one that asks, so the correction by order says nothing there.",
        Paper(
            "Attention Calibration for Transformer-based Sequential Recommendation",
            "Zhou et al.",
            "CIKM",
            2023,
            "2308.09419",
        ),
        builds_on="sasrec",
    ),
)

MENDING = (
    System(
        "steam",
        "mends",
        "A corrector keeps, deletes or inserts items; it learned that from histories which were broken at random.",
        "In training the newest item is never removed and nothing is put behind it, so it has no example of a wrong"
        " newest item.",
        Paper("A Self-Correcting Sequential Recommender", "Lin et al.", "WWW", 2023, "2303.02297"),
        builds_on="bert4rec",
    ),
    System(
        "ssdrec",
        "mends",
        "In training two items are inserted around the one that fits least; what two levels of denoising call noise is"
        " then taken out for good.",
        "In the released code chance decides where to insert, and the target says what is noise in its own history; the"
        " default here does neither.",
        Paper(
            "SSDRec: Self-Augmented Sequence Denoising for Sequential Recommendation",
            "Zhang et al.",
            "ICDE",
            2024,
            "2403.04278",
        ),
        stands_on=("sasrec",),
    ),
)
