from demo_core.experiments.headline import headline_table
from demo_core.results import read_published, summarise
from tests.runs import run


def test_a_model_has_one_line_with_all_readings_and_no_empty_column() -> None:
    runs = [
        *(run("card", value, seed=seed) for seed, value in ((0, 0.025), (1, 0.026))),
        run("card", 0.017, preset="released", health={"never_trained_share": 0.92}),
        run("popularity", 0.0143),
    ]
    lines = headline_table([*read_published(), *summarise(runs)]).splitlines()
    assert lines[0] == (
        "| model | Zhihu, printed | Zhihu, as released | of its lists' items never trained | Zhihu, default |"
    )
    told = {line.split(" | ")[0].removeprefix("| "): line.removesuffix(" |").split(" | ")[1:] for line in lines[2:]}
    assert told["CARD"][0] == "2.57 / 0.83"
    assert told["CARD"][1].startswith("1.70 / ") and told["CARD"][1].endswith("n 1")
    assert told["CARD"][2] == "92 %"
    assert told["CARD"][3].startswith("2.55 ± .07 / ") and told["CARD"][3].endswith(", n 2")
    assert told["Popularity"][:3] == ["", "", ""] and told["Popularity"][3].startswith("1.43 / ")
    assert "GlobalDiff on SASRec" not in told, "nothing is known of it here"
