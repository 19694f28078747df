import json
import math
import re
import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError

from demo_core.engine import Engine, Shelf
from demo_core.ui import create_app, launch
from demo_core.ui.api_models import KINDS
from scripts.serving import free_port
from tests.ui.pages import MODELS

README = Path(__file__).parents[2] / "README.md"
PUBLIC = {
    *("/search_items", "/recommend", "/explain", "/compare", "/drop_one", "/denoise"),
    *("/datasets", "/models", "/benchmarks", "/run_benchmark"),
}
HISTORY = [1, 3, 5, 7, 11]
LARGEST_SCHEMA = 8 * 1024


def serve(checkpoints: Path) -> Iterator[Client]:
    app = create_app(Shelf(checkpoints, "movielens", torch.device("cpu")))
    try:
        yield Client(launch(app, host="127.0.0.1", port=free_port(), block=False), verbose=False)
    finally:
        app.close()


@pytest.fixture(scope="module")
def client(film_checkpoints: Path) -> Iterator[Client]:
    yield from serve(film_checkpoints)


def test_exactly_these_endpoints_are_public(client: Client) -> None:
    info = client.view_api(return_format="dict", print_info=False)
    assert isinstance(info, dict)
    assert set(info["named_endpoints"]) == PUBLIC
    assert info["unnamed_endpoints"] == {}


def test_every_endpoint_is_described_in_a_small_schema(client: Client) -> None:
    info = client.view_api(return_format="dict", print_info=False)
    assert isinstance(info, dict)
    for name, endpoint in info["named_endpoints"].items():
        assert endpoint["description"], name
        assert len(json.dumps(endpoint)) < LARGEST_SCHEMA, name
    assert len(json.dumps(info)) < LARGEST_SCHEMA * len(PUBLIC)


def test_search_finds_a_misspelt_title(client: Client) -> None:
    answer = client.predict("Matrxi", api_name="/search_items")
    assert answer["query"] == "Matrxi"
    assert answer["suggestions"][0]["item"]["title"] == "The Matrix"
    assert answer["suggestions"][0]["near_miss"] is True


def test_recommend_takes_ids_and_titles_and_repeats_itself(client: Client) -> None:
    first = client.predict("card", HISTORY, api_name="/recommend")
    titles = ["The Matrix", "Monsters, Inc.", "se7en", "Sabrina (1995)", "Alien"]
    again = client.predict("card", titles, api_name="/recommend")
    assert len(first["items"]) == 10
    assert first["items"] == again["items"]
    assert not {shown["item"]["id"] for shown in first["items"]} & set(HISTORY)


def test_ambiguous_title_is_read_with_a_message(client: Client) -> None:
    answer = client.predict("card", ["Sabrina"], api_name="/recommend")
    (message,) = answer["messages"]
    assert message.startswith("2 films are called “Sabrina”, read as Sabrina (19")


def test_explain_follows_the_threshold(client: Client) -> None:
    outcomes = [client.predict(HISTORY, threshold, api_name="/explain")["outcome"] for threshold in (0, 1)]
    assert outcomes == ["turning", "stable"]


def test_compare_gives_route_lists_ranks_and_provenance(client: Client) -> None:
    answer = client.predict(HISTORY, next_item="WALL·E", seed=2, api_name="/compare")
    assert [one["model"] for one in answer["lists"]] == ["tdm", "card", "globaldiff"]
    assert all(one["truth_rank"] >= 1 for one in answer["lists"])
    assert len(answer["route"]["stations"]) == 5
    assert len(answer["shared"]) == 2
    assert "the same noise for all, seed 2" in answer["provenance"]


def test_what_is_off_is_not_read(client: Client) -> None:
    answer = client.predict(HISTORY, off=[1], api_name="/compare")
    assert len(answer["route"]["stations"]) == len(HISTORY) - 1
    assert len(answer["effects"]["items"]) == len(HISTORY) - 1


def test_drop_one_tells_what_each_item_does_to_the_list(client: Client) -> None:
    answer = client.predict(HISTORY, k=5, next_item="WALL·E", api_name="/drop_one")
    assert [effect["position"] for effect in answer["items"]] == list(range(1, len(HISTORY) + 1))
    assert all(len(effect["kept"]) == 5 and effect["change"] >= 0 for effect in answer["items"])
    assert (
        answer["truth_rank"]
        == client.predict(HISTORY, next_item="WALL·E", api_name="/compare")["lists"][1]["truth_rank"]
    )


def test_denoising_is_streamed_step_by_step(client: Client) -> None:
    job = client.submit(HISTORY, ["card", "popularity"], 3, api_name="/denoise")
    job.result()
    told = job.outputs()
    assert [one["kind"] for one in told] == ["model", "model", *["frame"] * 4, "notes"]
    assert [one["step"] for one in told if one["kind"] == "frame"] == [0, 1, 2, 3]
    assert "does not sample" in told[1]["error"]
    assert len(told[-2]["items"]) == 10 and told[-1]["provenance"]


def test_compare_takes_the_models_asked_for(client: Client) -> None:
    answer = client.predict(HISTORY, ["popularity", "card"], 3, api_name="/compare")
    assert [(one["model"], len(one["items"])) for one in answer["lists"]] == [("popularity", 3), ("card", 3)]


def test_models_lists_health_and_runs(client: Client) -> None:
    statuses = {status["name"]: status for status in client.predict(api_name="/models")}
    assert set(statuses) == {"tdm", "card", "globaldiff", "popularity"}
    assert statuses["card"]["error"] is None
    assert statuses["card"]["runs"][0]["protocol"] == "leave-one-out-full"


def test_empty_history_and_one_film_are_answered(client: Client) -> None:
    empty = client.predict([], api_name="/compare")
    assert empty["route"]["verdict"] == "Type a film you like, or take a random person."
    assert all(len(one["items"]) == 10 for one in empty["lists"])
    assert client.predict([1], api_name="/compare")["route"]["verdict"] == "One film has no steps."


def test_long_history_and_duplicates_come_with_messages(client: Client) -> None:
    answer = client.predict([9, 10, 1, 3, 5, 7, 1], api_name="/compare")
    assert answer["dropped"] == 2
    assert "2 earlier films are not read." in answer["messages"]
    assert "The Matrix (1999) stands in the history twice and is read each time." in answer["messages"]


def test_markup_comes_back_as_the_text_it_is(client: Client) -> None:
    markup = "<img src=x onerror=alert(1)>"
    assert client.predict(markup, api_name="/search_items")["suggestions"][0]["item"]["title"] == markup
    with pytest.raises(AppError, match="No film “<script>zzqq</script>”"):
        client.predict(["<script>zzqq</script>"], api_name="/compare")


BAD: list[tuple[str, list[Any], str]] = [
    ("/search_items", ["matrix", 0], r"Expected k to be a whole number from 1 to 50, got 0\."),
    ("/search_items", [7], r"Expected query to be a text, got 7\."),
    ("/recommend", ["crad", HISTORY], r"Expected one of the models tdm, card, globaldiff, popularity, got 'crad'\."),
    ("/recommend", ["card", HISTORY, 0], r"Expected k to be a whole number from 1 to 100, got 0\."),
    ("/recommend", ["card", HISTORY, 10, -1], r"Expected the seed to be a whole number from 0 to 2147483647, got -1\."),
    ("/recommend", ["card", [0]], r"Expected film ids from 1 to 16, got 0\."),
    ("/recommend", ["card", [1, 17]], r"Expected film ids from 1 to 16, got 17\."),
    ("/recommend", ["card", [1.5]], r"Expected film ids from 1 to 16, got 1\.5\."),
    ("/recommend", ["card", [None]], r"Expected film ids from 1 to 16, got None\."),
    ("/recommend", ["card", ["#17"]], r"No film has the id 17: ids run from 1 to 16\."),
    ("/recommend", ["card", ["Matrxi"]], r"No film “Matrxi”\. Did you mean The Matrix \(1999\)\?"),
    ("/recommend", ["card", "The Matrix"], r"Expected items to be a list, got 'The Matrix'\."),
    ("/explain", [HISTORY, 1.5], r"Expected a threshold from 0 to 1, got 1\.5\."),
    ("/explain", [HISTORY, "high"], r"Expected a threshold from 0 to 1, got 'high'\."),
    ("/explain", [HISTORY, None, "globaldiff"], r"GlobalDiff chooses no route; ask for card\."),
    ("/compare", [HISTORY, []], r"Expected 1 to 8 models to compare, got 0\."),
    ("/compare", [HISTORY, "card"], r"Expected models to be a list, got 'card'\."),
    ("/compare", [HISTORY, None, 10, 0, None, 99], r"Expected film ids from 1 to 16, got 99\."),
    ("/compare", [HISTORY, None, 10, 0, None, None, [9]], r"to switch off to be a whole number from 1 to \d, got 9\."),
    ("/denoise", [HISTORY, None, 99], r"number of steps to be a whole number from 1 to 50, got 99\."),
    ("/run_benchmark", [None, "tall"], r"the slice to be one of all, short, long, rare, got 'tall'\."),
    ("/drop_one", [HISTORY, "crad"], r"Expected one of the models .*, got 'crad'\."),
    ("/compare", [[1] * 5001], r"Expected at most 5000 films, got 5001\."),
]


@pytest.mark.parametrize(("endpoint", "arguments", "message"), BAD)
def test_bad_input_is_answered_with_its_message_and_the_app_keeps_serving(
    client: Client, endpoint: str, arguments: list[Any], message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(*arguments, api_name=endpoint)
    assert len(client.predict("card", HISTORY, api_name="/recommend")["items"]) == 10


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_threshold_that_is_no_number_is_refused(client: Client, number: float) -> None:
    body = json.dumps({"data": [HISTORY, number]})
    base = f"{client.src.rstrip('/')}/gradio_api/call/explain"
    begun = httpx.post(base, content=body, headers={"content-type": "application/json"})
    if begun.status_code == 200:
        answer = httpx.get(f"{base}/{begun.json()['event_id']}").text
        assert "event: error" in answer
    else:
        assert 400 <= begun.status_code < 500
    assert client.predict(HISTORY, api_name="/explain")["pairs"] == 4


def test_missing_model_has_its_error_and_the_others_answer(film_checkpoints: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(film_checkpoints, tmp_path / "checkpoints"))
    shutil.rmtree(own / "movielens" / "card")
    for client in serve(own):
        answer = client.predict(HISTORY, api_name="/compare")
        assert answer["route"] is None
        errors = {one["model"]: one["error"] for one in answer["lists"]}
        assert errors["card"].startswith("CARD could not be loaded: ")
        assert errors["tdm"] is errors["globaldiff"] is None
        with pytest.raises(AppError, match="CARD could not be loaded"):
            client.predict(HISTORY, api_name="/explain")


def test_app_without_any_model_serves_and_says_what_is_missing(tmp_path: Path) -> None:
    for client in serve(tmp_path):
        answer = client.predict([], api_name="/compare")
        assert answer["messages"][0].startswith("No model of MovieLens could be loaded from ")
        assert client.predict("matrix", api_name="/search_items")["message"] == answer["messages"][0]
        with pytest.raises(AppError, match="No model of MovieLens could be loaded"):
            client.predict([1], api_name="/compare")


def test_benchmarks_tell_published_and_measured_figures_with_their_protocol(client: Client) -> None:
    found = client.predict("ml-1m", "hr@20", api_name="/benchmarks")
    assert {one["source"] for one in found} == {"published"}, "nothing was measured in this folder"
    assert all(one["protocol"] and 0 <= one["mean"] <= 1 for one in found)
    with pytest.raises(AppError, match=r"Expected the data set to be one of .*movielens.*, got 'netflix'\."):
        client.predict("netflix", api_name="/benchmarks")
    with pytest.raises(AppError, match=r"Expected the metric to be one of .*ndcg@20.*, got 'mrr'\."):
        client.predict("ml-1m", "mrr", api_name="/benchmarks")


def test_a_benchmark_of_ones_own_is_streamed_to_the_last_person(client: Client) -> None:
    job = client.submit(["card", "popularity"], "all", "ndcg@10", 0.2, 3, api_name="/run_benchmark")
    job.result()
    told = job.outputs()
    assert told[-1]["done"] == told[-1]["total"] and [row["model"] for row in told[-1]["rows"]] == [
        "card",
        "popularity",
    ]
    assert all(0 <= row["mean"] <= 1 for row in told[-1]["rows"])


@pytest.fixture(scope="module")
def shown(address: str) -> Iterator[Client]:
    """A client of the app over the committed models."""
    yield Client(address, verbose=False)


def example_for(address: str) -> str:
    """The program in the README, asking the app at ``address``."""
    (program,) = re.findall(r"```python\n(from gradio_client .*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    where = "http://127.0.0.1:7860"
    assert program.count(where) == 1
    return str(program.replace(where, address))


def untimed(told: Iterable[Any]) -> Any:
    """What was told as JSON, without how long it took."""
    without = re.sub(r"\d+(\.\d+)? m?s\b", "some time", json.dumps(list(told), sort_keys=True))
    return json.loads(re.sub(r'"milliseconds": [\d.e+-]+', '"milliseconds": 0', without))


def test_the_readmes_program_gets_every_part_as_the_engine_tells_it(address: str, engine: Engine) -> None:
    parts, kinds = list[Any](), list[str]()

    def printed(kind: str) -> None:
        kinds.append(kind)
        parts.append(program["step"])

    program: dict[str, Any] = {"print": printed}
    code = compile(example_for(address), str(README), "exec")
    # The client's loop waits for ever for a stream that it cannot put together.
    running = threading.Thread(target=exec, args=(code, program), daemon=True)
    running.start()
    running.join(timeout=120)
    assert not running.is_alive(), f"only {len(parts)} parts came"
    history = [item.id for item in engine.read(["The Matrix", "Alien"]).items]
    expected = [{"kind": KINDS[type(one)], **asdict(one)} for one in engine.denoise(history, steps=10)]
    assert kinds == ["model"] * 3 + ["frame"] * (3 * 11) + ["notes"]
    assert [part["model"] for part in parts[:3]] == list(MODELS)
    assert untimed(parts) == untimed(expected)


def test_every_part_of_a_benchmark_is_as_the_engine_tells_it(shown: Client, engine: Engine) -> None:
    job = shown.submit(slice="short", lost=0.3, seed=1, api_name="/run_benchmark")
    job.result(timeout=120)
    parts = list(job)
    expected = [asdict(progress) for progress in engine.run_benchmark(slice="short", lost=0.3, seed=1)]
    assert [row["model"] for row in parts[0]["rows"]] == list(MODELS)
    assert len(parts) > 2 and untimed(parts) == untimed(expected)
