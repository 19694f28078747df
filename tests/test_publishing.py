import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from demo_core import checkpoint
from demo_core.bundle_index import Source, read_index, weights_hash
from demo_core.checkpoint import BundleError
from demo_core.hub import Hub, fetch_bundle
from demo_core.publishing import other_seeds, pin_source, publish
from tests.hubs import bundle, hub, server
from tests.runs import RUN

__all__ = ["bundle", "hub", "server"]


def test_other_seeds_are_the_newest_run_of_each_of_the_same_recipe() -> None:
    own = replace(RUN, seed=0)
    older = replace(RUN, seed=1, date="2026-01-01T00:00:00+00:00")
    newer = replace(RUN, seed=1, date="2026-02-01T00:00:00+00:00")
    others = [
        newer,
        older,
        own,
        replace(RUN, seed=2, variant="no_routing"),
        replace(RUN, seed=3, config_hash="other"),
        replace(RUN, seed=4, split="validation"),
        replace(RUN, seed=5),
    ]
    assert other_seeds([own], others) == (newer, replace(RUN, seed=5))
    assert other_seeds([], others) == ()


def test_a_published_card_is_read_by_the_hubs_own_reader_with_its_spread(hub: Hub, bundle: Path) -> None:
    before = weights_hash(bundle)
    (own,) = checkpoint.load(bundle).runs
    measured = [replace(own, seed=seed) for seed in (1, 2)]
    done = publish(bundle, "owner/card", measured=measured, tag="v1", hub=hub)
    assert weights_hash(bundle) == before == done.entry.sha256
    fetched = fetch_bundle(Source("owner/card", "v1"), hub)
    assert fetched.source == done.entry.source
    assert len(checkpoint.load(fetched.folder).others) == 2
    card = ModelCard.load(fetched.folder / "README.md")
    results = card.data.eval_results
    assert results is not None and {one.metric_type for one in results} >= {"hr@20", "ndcg@20"}
    assert "3 seeds (0, 1, 2)" in str(results[0].metric_name)
    assert "± 0.00%" in card.text


def test_what_no_app_could_use_is_not_pushed(hub: Hub, bundle: Path) -> None:
    (bundle / "config.json").write_text("{}")
    with pytest.raises(BundleError, match="expected bundle format"):
        publish(bundle, "owner/broken-bundle", hub=hub)
    assert not hub.api.repo_exists("owner/broken-bundle")


def test_a_tag_is_pinned_as_the_commit_it_stands_at_with_the_weights_that_came(
    hub: Hub, bundle: Path, tmp_path: Path
) -> None:
    done = publish(bundle, "owner/pinned", tag="v1", hub=hub)
    entry = pin_source(tmp_path / "checkpoints", Source("owner/pinned", "v1"), hub)
    assert entry == done.entry and read_index(tmp_path / "checkpoints") == (entry,)
    shutil.rmtree(tmp_path / "checkpoints")
