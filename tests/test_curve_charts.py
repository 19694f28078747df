from __future__ import annotations

import dataclasses
import itertools
import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_core.charts import TOKENS, export
from demo_core.curve_charts import CROWD, LABEL_GAP, curve_chart, curve_names, spaced
from demo_core.experiments.curves import Curve, curves
from demo_core.experiments.times import SCORING, running_times
from demo_core.results import summarise
from tests.runs import run

MODELS = {"card": 0.027, "tdm": 0.0268, "globaldiff": 0.0267, "sasrec": 0.0266, "item_knn": 0.0176}


def missing(models: dict[str, float] = MODELS) -> list[Curve]:
    runs = [
        run(model, hr * (1 - 0.4 * share) + 0.0002 * seed, seed, variant=f"deleted={share}" if share else None)
        for model, hr in models.items()
        for share in (0, 0.1, 0.5)
        for seed in range(3)
    ]
    return curves(summarise(runs), "deleted", "hr@20")


def svg(found: list[Curve], name: str = "deleted") -> ElementTree.Element:
    return ElementTree.fromstring(export(curve_chart(found, name), "svg"))


def test_every_point_is_told_with_value_deviation_seeds_and_place() -> None:
    spoken = [e.get("aria-label") for e in svg(missing()).iter() if e.get("aria-roledescription") == "point"]
    assert len(spoken) == 15
    assert "CARD, default; share of the history deleted, %: 10; HR@20 2.61 ± .02 %, n 3" in spoken


def test_every_curve_has_its_name_in_its_colour() -> None:
    texts = {"".join(e.itertext()): e.get("fill") for e in svg(missing()).iter() if e.tag.endswith("text")}
    for name, token in (("CARD", "card"), ("TDM", "tdm"), ("GlobalDiff", "gd"), ("SASRec", "muted")):
        assert texts[name] == TOKENS["light"][token]


def test_models_differ_by_shape_as_well_as_by_colour() -> None:
    drawing = svg(missing())
    shapes = {}
    for element in drawing.iter():
        if element.get("aria-roledescription") == "point":
            path = re.sub(r"[\d.,\-\s]+", " ", element.get("d") or "")
            shapes[(element.get("aria-label") or "").partition(",")[0]] = path
    assert len({shapes[name] for name in ("CARD", "TDM", "GlobalDiff", "SASRec")}) == 4


def test_in_a_crowd_the_other_models_stand_back_and_every_point_is_still_told() -> None:
    others = ["gru4rec", "caser", "srgnn", "bert4rec", "cbit", "cl4srec", "duorec", "lightsans", "actsr", "steam"]
    crowd = missing(dict(MODELS) | {name: 0.02 + 0.0005 * at for at, name in enumerate(others)})
    assert len(crowd) > CROWD
    drawing = svg(crowd)
    widths = {TOKENS["light"][token]: set[str]() for token in ("card", "muted")}
    for element in drawing.iter():
        if (element.get("class") or "").startswith("mark-line"):
            for line in element.iter():
                if line.get("stroke"):
                    widths[line.get("stroke") or ""] = {line.get("stroke-width") or ""}
    assert widths[TOKENS["light"]["card"]] == {"2"} and widths[TOKENS["light"]["muted"]] == {"1"}
    assert len([e for e in drawing.iter() if e.get("aria-roledescription") == "point"]) == 3 * len(crowd)


def test_names_of_curves_that_end_together_do_not_cover_each_other() -> None:
    places = []
    for element in svg(missing()).iter():
        if element.tag.endswith("text") and "".join(element.itertext()) in ("CARD", "TDM", "GlobalDiff", "SASRec"):
            match = re.match(r"translate\([\d.]+,([\d.]+)\)", element.get("transform") or "")
            assert match
            places.append(float(match[1]))
    places.sort()
    assert len(places) == 4
    assert min(after - before for before, after in itertools.pairwise(places)) >= LABEL_GAP - 0.01


@given(st.lists(st.floats(0, 200), max_size=12))
def test_spaced_places_keep_gap_order_and_frame(places: list[float]) -> None:
    moved = spaced(places, 15, 6, 206)
    order = sorted(range(len(places)), key=lambda i: places[i])
    for before, after in itertools.pairwise(order):
        assert moved[after] - moved[before] >= 15 - 1e-6
    assert all(6 - 1e-6 <= place <= 206 + 1e-6 for place in moved)


def test_places_that_are_far_apart_stay() -> None:
    assert spaced([10, 100, 60], 15, 0, 200) == [10, 100, 60]


def test_a_preset_is_named_where_the_model_alone_is_not_enough() -> None:
    runs = [run("card", preset=preset, variant="deleted=0.1") for preset in ("default", "released")]
    found = curves(summarise([*runs, run("tdm", variant="deleted=0.1")]), "deleted", "hr@20")
    assert sorted(curve_names(found)) == ["CARD, as released", "CARD, default", "TDM"]


def test_the_title_says_where_the_axis_starts() -> None:
    spec = json.loads(curve_chart(missing(), "deleted").to_json())
    assert spec["title"]["text"] == "HR@20 on Zhihu, prefix-full"
    assert re.fullmatch(r"Axis starts at [\d.]+ %, not at 0\.", spec["title"]["subtitle"][0])
    assert "title" not in json.loads(curve_chart(missing(), "deleted", compact=True).to_json())


def test_one_seed_has_no_bar() -> None:
    (curve,) = curves(summarise([run(variant="deleted=0.1"), run()]), "deleted", "hr@20")
    rules = [e for e in svg([curve]).iter() if e.get("class") == "mark-rule role-mark layer_1_marks"]
    assert all(not list(rule) for rule in rules)


def test_times_and_steps_stand_on_logarithmic_axes() -> None:
    runs = [run("tdm", seed=i, variant=f"steps={n}", inference_seconds=n / 10) for i, n in enumerate((1, 10, 100))]
    found = curves(running_times(runs), "steps", SCORING)
    spec = json.dumps(json.loads(curve_chart(found, "steps").to_json()))
    assert spec.count('"type": "log"') >= 2
    spoken = [e.get("aria-label") for e in svg(found, "steps").iter() if e.get("aria-roledescription") == "point"]
    assert "TDM, default, CPU; denoising steps: 10; Seconds to score the split 1 s, n 1" in spoken


def test_two_data_sets_never_share_a_chart() -> None:
    (curve,) = curves(summarise([run(variant="deleted=0.1")]), "deleted", "hr@20")
    (other,) = curves(summarise([run(variant="deleted=0.1", dataset="kuairec")]), "deleted", "hr@20")
    with pytest.raises(ValueError, match="one data set"):
        curve_chart([curve, other], "deleted")
    with pytest.raises(ValueError, match="no curves"):
        curve_chart([], "deleted")


def test_markup_in_a_name_stays_text() -> None:
    (curve,) = curves(summarise([run(variant="deleted=0.1")]), "deleted", "hr@20")
    hostile = dataclasses.replace(curve, row=dataclasses.replace(curve.row, title="<img src=x onerror=alert(1)>"))
    drawing = export(curve_chart([hostile], "deleted"), "svg").decode()
    assert "<img" not in drawing
    assert "&lt;img" in drawing
