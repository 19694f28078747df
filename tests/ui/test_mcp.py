"""The same endpoints as tools of the Model Context Protocol, asked by its own client."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from demo_core.engine import Shelf
from demo_core.ui import create_app, launch
from scripts.serving import free_port
from tests.ui.test_api import HISTORY, LARGEST_SCHEMA, PUBLIC

Ask = Callable[[ClientSession], Awaitable[Any]]


@pytest.fixture(scope="module")
def address(film_checkpoints: Path) -> Iterator[str]:
    app = create_app(Shelf(film_checkpoints, "movielens", torch.device("cpu")))
    yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    app.close()


def asked(address: str, ask: Ask) -> Any:
    async def session() -> Any:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as client,
        ):
            await client.initialize()
            return await ask(client)

    return asyncio.run(session())


def test_every_endpoint_is_a_tool_with_a_small_schema_and_a_description(address: str) -> None:
    tools = asked(address, lambda client: client.list_tools()).tools
    assert {tool.name.split("_", 0)[-1] for tool in tools} == {name.removeprefix("/") for name in PUBLIC}
    for tool in tools:
        assert tool.description, tool.name
        assert len(json.dumps(tool.inputSchema)) < LARGEST_SCHEMA


def test_a_tool_answers_with_what_the_endpoint_answers(address: str) -> None:
    found = asked(address, lambda client: client.call_tool("search_items", {"query": "Matrxi", "k": 2}))
    assert not found.isError
    told = ast.literal_eval(found.content[0].text)  # Gradio writes Python values, not JSON
    assert told["suggestions"][0]["item"]["title"] == "The Matrix"


def test_a_bad_question_is_an_error_that_says_what_would_be_right(address: str) -> None:
    found = asked(address, lambda client: client.call_tool("recommend", {"model": "crad", "items": HISTORY}))
    assert found.isError
    assert "Expected one of the models" in found.content[0].text
