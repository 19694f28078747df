import pytest
import torch

from demo_core.models import item_clusters
from demo_core.models.global_structure import SparseRows, draw_ones, item_similarity
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.item_clusters import ClusterRows, clustered_similarity, global_structure

# Two worlds that share nothing: items 1, 2, 3 and items 4, 5; nobody has item 6.
SEQUENCES = [[1, 2], [1, 2, 3], [2, 3], [4, 5], [4, 5], [5, 4]]
EVERY = torch.arange(7)
NOTHING = torch.zeros(7, 3, dtype=torch.int64)


def by_centroid(clusters: int) -> ClusterRows:
    made = clustered_similarity(SEQUENCES, 6, None, clusters, "centroid")
    assert isinstance(made, ClusterRows)
    return made


def test_two_worlds_are_two_clusters() -> None:
    cluster = by_centroid(2).cluster.tolist()
    assert cluster[1] == cluster[2] == cluster[3] != cluster[4] == cluster[5]
    assert cluster[6] not in cluster[1:6], "an item without support is in no cluster"


def test_an_item_is_as_like_another_as_it_is_like_the_centre_of_its_cluster() -> None:
    rows = by_centroid(2).dense(EVERY, NOTHING)
    columns = torch.zeros(6, 7)
    for number, sequence in enumerate(SEQUENCES):
        columns[number, sequence] = 1.0
    centre = columns[:, [1, 2, 3]].mean(dim=1)
    expected = float(columns[:, 1] @ centre / columns[:, 1].norm() / centre.norm())
    assert rows[1, 2].item() == rows[1, 3].item() == pytest.approx(expected)
    assert not rows[1, [0, 4, 5, 6]].any()
    assert rows.diagonal()[1:].tolist() == [1.0] * 6


def test_clusters_are_found_on_a_projection_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_clusters, "MOST_DIMENSIONS", 2)
    cluster = by_centroid(2).cluster.tolist()
    assert cluster[1] == cluster[2] == cluster[3] != cluster[4] == cluster[5]


def test_items_of_the_same_sequence_keep_their_exact_similarity() -> None:
    sequence = torch.tensor([[0, 3, 1]])
    row = by_centroid(2).dense(torch.tensor([1]), sequence)[0]
    exact = item_similarity(SEQUENCES, 6)[1]
    assert float(row[3]) == pytest.approx(float(exact[3])) == pytest.approx(1 / 2)
    assert float(row[2]) != pytest.approx(float(exact[2])), "not in the sequence"


def test_as_many_clusters_as_different_items_are_the_exact_similarity() -> None:
    rows = clustered_similarity([[1, 2], [2, 3], [3, 1, 4]], 4, None, 50, "centroid")
    assert isinstance(rows, ClusterRows)
    exact = item_similarity([[1, 2], [2, 3], [3, 1, 4]], 4)
    torch.testing.assert_close(rows.dense(torch.arange(5), torch.zeros(5, 1, dtype=torch.int64)), exact)


def test_representatives_are_the_first_items_of_their_clusters_with_exact_columns() -> None:
    made = clustered_similarity(SEQUENCES, 6, None, 2, "representative")
    assert isinstance(made, SparseRows)
    expected = torch.zeros(7, 7)
    expected[:, [1, 4]] = item_similarity(SEQUENCES, 6)[:, [1, 4]]
    torch.testing.assert_close(made.dense(EVERY), expected)


@pytest.mark.parametrize("rule", ["centroid", "representative"])
def test_ones_are_drawn_from_clusters_too(rule: str) -> None:
    made = clustered_similarity(SEQUENCES, 6, None, 2, rule)
    rows = 4000
    sequence = torch.tensor([[0, 0, 1]]).repeat(rows, 1)
    ones = draw_ones(made, sequence, torch.full((rows,), 2), 7, torch.Generator().manual_seed(0), 1.5, 1.0, "paper")
    dense = made.dense(EVERY, NOTHING) if isinstance(made, ClusterRows) else made.dense(EVERY)
    assert ones.dense().mean(dim=0).tolist() == pytest.approx(dense[1].tolist(), abs=0.03)


def test_the_settings_choose_the_structure() -> None:
    settings = ["similarity_window=2", "zero_support_diagonal=False"]
    plain = global_structure(SEQUENCES, GlobalDiffConfig(num_items=6).override(*settings))
    assert isinstance(plain, SparseRows)
    expected = item_similarity(SEQUENCES, 6, 2)
    expected[6, 6] = 0.0
    torch.testing.assert_close(plain.dense(EVERY), expected)
    assert isinstance(global_structure(SEQUENCES, GlobalDiffConfig(num_items=6).override("clusters=2")), ClusterRows)
