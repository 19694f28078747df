"""What the released codes of DreamRec, TDM and CARD do, as settings."""

import pytest

from demo_core.models import preset

FAMILY = (
    # Network
    *("embedding_dim=64", "max_length=10", "encoder=released", "layers=1", "heads=1", "dropout=0.1"),
    *("input_dropout=0.1", "exact_zero_masks=True", "empty_history=nothing", "initial_scale=1.0"),
    *("trained_padding=True", "item_bias=False", "weights_on=input", "bag_guidance=False", "denoiser=linear"),
    # Loss
    *("diffusion_target=embedding", "target_gradient=True", "unconditional_rate=0.1", "noisy_input_scale=1.0"),
    *("error=mean_square", "error_weight=1.0", "ranking_weight=0.0", "guidance_ranking_weight=0.0"),
    *("contrastive_weight=0.0", "neighbour_target_rate=0.0", "missing_rate=0.0"),
    # Lists
    *("project_estimates=False", "noise_samples=1", "scoring=inner", "trained_items_only=False"),
    # Training and measuring
    *("batch_size=256", "weight_decay=0.0", "weight_average=0.0", "rows_per_epoch=None", "independent_batches=True"),
    *("selection_split=test", "selection_metric=hr@20", "swapped_test=False"),
    *("evaluation_batch=100", "rank_padding=True", "exclusion=nothing"),
)
THINNING = (
    *("sampler=strided", "stride=100", "late_time=True", "misindexed_noise=True", "schedule=linear"),
    *("sequence_rate=0.1", "removal_rate=0.1", "stability_scaled=True"),
    *("padded_entropy=True", "removal_scale=window", "shifting_removal=True"),
)
OWN: dict[str, tuple[str, ...]] = {
    "dreamrec": ("sampler=ddpm", "evaluation_dropout=True"),
    "tdm": (*THINNING, "evaluation_dropout=True"),
    "card": (
        *(*THINNING, "evaluation_dropout=False"),
        *("routing=routed", "threshold_entropy=1.8893", "candidate_threshold=0.1", "learned_threshold=False"),
        *("predictor=released", "raw_vectors=True", "padded_future=True", "future_window=3", "auxiliary_weight=0.0"),
        *("weights_from=per", "weight_gradient=True", "per_mean=True", "per_temperature=1.0"),
        *("per_temperature_unit=absolute", "weights_at_inference=False", "thin_at_inference=False"),
    ),
}
# On Zhihu and where there are no settings for a data set: there TDM and CARD have those of KuaiRec.
EPOCHS = {"dreamrec": (1000, 1000), "tdm": (1000, 30), "card": (1000, 30)}


@pytest.mark.parametrize("name", sorted(OWN))
def test_released_is_the_released_column_of_the_tables_of_departures(name: str) -> None:
    for data, epochs in zip(("zhihu", "movielens"), EPOCHS[name], strict=True):
        config, told = preset(name, "released", data, 30), (*FAMILY, *OWN[name], f"max_epochs={epochs}")
        assert [setting for setting in told if config.override(setting) != config] == []
