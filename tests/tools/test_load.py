"""The load test itself: it can tell pictures apart, speaks Streamlit's protocol, and sees what goes wrong."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from tools.load.__main__ import BITS, FIELD, Story, anothers, jpeg, mark_of, marked, read_in_full, server, summary
from tools.load.visitor import Gone, Visitor
from tools.report import ROOT


@pytest.mark.parametrize("number", [0, 5, 37, 63])
def test_a_number_is_read_off_a_picture_that_was_coded_and_shrunk(number):
    with Image.open(io.BytesIO(jpeg(marked(number, BITS * FIELD)))) as picture:
        small = np.asarray(picture.resize((96, 72)))
    assert mark_of(small) == [bool(number >> bit & 1) for bit in range(BITS)]
    assert anothers(number, [small]) == 0
    assert anothers(number ^ 4, [small, small]) == 2


def test_grey_says_nothing_and_is_not_taken_for_a_check():
    grey = np.full((72, 96, 3), 128, np.uint8)
    assert anothers(9, [grey]) == 0
    assert not read_in_full([grey])
    assert read_in_full([grey, marked(9, 96)])


def test_the_summary_counts_what_went_wrong():
    stories = [Story(0, {"open": 1.0}, "", 0, 4), Story(1, {"open": 3.0}, "Gone: x", 2, 5)]
    found = summary(stories, [{"health": 0.1, "page": 0.5}])
    assert (found["visits"], found["failed"], found["anothers"], found["pictures"]) == (2, 1, 2, 9)
    assert found["seconds"]["open"] == {"n": 2, "median": 2.0, "worst": 3.0}
    assert found["seconds"]["free page"]["worst"] == 0.5


@pytest.mark.slow
def test_a_visitor_opens_drags_and_is_told_of_a_file_that_cannot_be_used():
    async def way(address: str) -> None:
        async with Visitor(address) as visitor:
            assert await visitor.enter() > 0
            assert await visitor.drag(3) > 0
            with pytest.raises(Gone, match="cannot be used"):
                await visitor.show("broken.png", b"\x89PNG\r\n\x1a\nnothing")
            assert len(visitor.trouble) == 1

    with server(ROOT) as (address, process):
        with ThreadPoolExecutor(1) as own:  # Playwright's tests leave a loop running in this thread
            own.submit(asyncio.run, way(address)).result()
        assert process.is_running()
    assert not process.is_running()
