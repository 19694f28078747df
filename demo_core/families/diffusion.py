"""Systems that diffuse: over items, over rows of interactions, over one vector."""

from __future__ import annotations

from demo_core.families.tree import Paper, System

INVENTING = (
    System(
        "diffuasr",
        "invents",
        "Diffusion makes up items that may have come before a history, and a recommender learns from the lengthened"
        " histories.",
        "In the released code the guidance stands inside the training loss, where the network learns to undo it; here"
        " it acts when items are made.",
        Paper("Diffusion Augmentation for Sequential Recommendation", "Liu et al.", "CIKM", 2023, "2309.12858"),
        stands_on=("sasrec", "bert4rec"),
    ),
    System(
        "pdrec",
        "invents",
        "A diffusion model trained first says which items of a history to trust, what else might have been liked, and"
        " what is a safe negative.",
        "As released, the extra positives still hold the person's own items, and the safe negatives know those of the"
        " test; the default here leaves both out.",
        Paper("Plug-in Diffusion Model for Sequential Recommendation", "Ma et al.", "AAAI", 2024, "2401.02913"),
        builds_on="diffrec",
        stands_on=("gru4rec", "sasrec"),
    ),
)

RESTORING = (
    System(
        "diffrec",
        "restores",
        "A history is a row of zeros and ones over all items; what a network restores after noise, where nothing stood,"
        " is recommended.",
        "It does not look at the order of items, and in its published settings the noise is small: dropout on the row"
        " hides far more.",
        Paper("Diffusion Recommender Model", "Wang et al.", "SIGIR", 2023, "2304.04971"),
    ),
    System(
        "dreamrec",
        "restores",
        "Guided by the history, diffusion generates the vector of an ideal next item, and the items nearest to it are"
        " recommended.",
        "It takes the guiding history as it is: TDM and CARD are this model plus an idea of how to read it.",
        Paper(
            "Generate What You Prefer: Reshaping Sequential Recommendation via Guided Diffusion",
            "Yang et al.",
            "NeurIPS",
            2023,
            "2310.20453",
        ),
    ),
    System(
        "diffurec",
        "restores",
        "The next item's vector is noised, a little of it is added to every item of the history, and a Transformer"
        " restores it.",
        "That little is about a thousandth, so that lists hardly depend on the noise or on the number of steps.",
        Paper(
            "DiffuRec: A Diffusion Model for Sequential Recommendation", "Li, Sun & Li", "ACM TOIS", 2024, "2304.00686"
        ),
    ),
)

GUIDING = (
    System(
        "tdm",
        "guides",
        "Items that merely continue a taste may go: training histories are thinned by chance, so that the model learns"
        " from tastes only partly seen.",
        "As released, padding counts as steps, and nothing keeps the items' vectors apart; the default mends both.",
        Paper(
            "Addressing Missing Data Issue for Diffusion-based Recommendation",
            "Mao et al.",
            "SIGIR",
            2025,
            "2505.12283",
        ),
        builds_on="dreamrec",
    ),
    System(
        "card",
        "guides",
        "Stable histories are thinned as in TDM; turning ones stay whole, and their items are weighed by how much each"
        " helps to predict what follows.",
        "As released, padding counts as steps, so that one route gets everything; the default counts real steps"
        " and uses both routes.",
        Paper(
            "Enhancing guidance for missing data in diffusion-based sequential recommendation",
            "Yan et al.",
            "ICASSP",
            2026,
            "2601.15673",
        ),
        builds_on="tdm",
    ),
)

SHARING = (
    System(
        "globaldiff",
        "shares",
        "A frozen backbone reads the one history, diffusion restores which items go together in all of them, and a vote"
        " joins both rankings.",
        "Its released test exchanges the last two items of every history; here the weight of the vote is chosen on"
        " validation, and the test asks for the last item.",
        Paper("Enhancing Sequential Recommendation with Global Diffusion", "Luo, Li & Lin", "AAAI", 2025),
        builds_on="diffrec",
        stands_on=("sasrec", "srgnn", "bert4rec", "cbit"),
    ),
)
