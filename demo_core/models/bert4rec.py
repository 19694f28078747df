"""BERT4Rec: sequential recommendation with bidirectional encoder representations from Transformer (Sun et al., CIKM
2019, arXiv 1904.06690).

Items are hidden at random and guessed from both sides (a cloze task); at inference the hidden item is the next one.

| equation | function |
| --- | --- |
| Eq. 5, 6: bidirectional Transformer layers | ``layers.CausalEncoder`` with ``causal=False`` |
| Eq. 7: head, then the tied item embeddings with a bias | ``MaskedEncoder.rank`` |
| Eq. 8: negative log-likelihood of the hidden items | ``MaskedEncoder.cloze_loss`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| post-norm layers | pre-norm | trains without a warm-up |
| windows half a window apart, masked ten times | every prefix's window, masked anew | as for other models |
| newest item alone: one masking in eleven | half of the rows (``last_masked_share``) | inference asks that |
| [mask] and [pad] are among the answers | the M items alone | only they can be recommended |
| Adam 1e-4, warm-up, decay, 400,000 steps | constant rate, averaged weights | minutes, not days |
| positions count from the start | from the end | more padding changes nothing |
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator, Tensor

from demo_core.models.base import seeded
from demo_core.models.masked_encoder import MaskedEncoder, MaskedEncoderConfig
from demo_core.sequences import Batch


@dataclass(frozen=True, kw_only=True)
class BERT4RecConfig(MaskedEncoderConfig):
    """Nothing beyond the shared fields."""


class BERT4Rec(MaskedEncoder):
    config: BERT4RecConfig

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        sequence = self.sequence(batch)
        shown, hidden = self.draw_cloze(sequence, seeded(generator))
        return self.cloze_loss(self.states(shown), hidden, sequence)
