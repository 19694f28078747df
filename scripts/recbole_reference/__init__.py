"""The same rows and settings for RecBole's version of a model: a reference beside our figures.

    python3.11 -m venv .venv-recbole
    .venv-recbole/bin/python -m pip install -r scripts/recbole_reference/requirements.txt
    python -m scripts.recbole_reference --models gru4rec sasrec bert4rec caser lightsans srgnn --threads 1
    python -m scripts.recbole_reference --table
    python -m scripts.recbole_reference --models gru4rec --set hidden_size=128      # with a setting of RecBole changed

RecBole lives in an environment of its own, which ``--python`` names, and is started as a program; files go to and fro.
It trains on exactly our training rows and chooses the epoch by NDCG@20 on exactly our validation rows. What comes back
are the ranks of the held-out items, and our metrics are computed from them. ``mapping.py`` says which setting became
which, and what neither side could follow.

A run stands in ``checkpoints/reference.jsonl`` when it is done, and what stands there is left out: the command may be
stopped at any moment and started again, and started twice to use two cores. Ours without averaged weights, which
RecBole does not have, is ``python -m scripts.benchmark --variants weight_average=0 …``; the table shows it, too.
"""

from scripts.recbole_reference.command import main

__all__ = ["main"]
