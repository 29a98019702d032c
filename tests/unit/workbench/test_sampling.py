"""Blocking questions are asked once for all who ask, off the event loop, and in bounded time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from motia_celery.errors import BrokerUnavailableError
from motia_celery.workbench import sampling
from motia_celery.workbench.sampling import Samples


class Question:
    """Counts how often it is asked; it answers once it may."""

    def __init__(self) -> None:
        self.count = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self) -> int:
        self.count += 1
        assert self.may_answer.wait(60)
        assert threading.current_thread() is not threading.main_thread()
        return self.count


async def test_ten_who_ask_at_once_cost_one_question() -> None:
    samples, question = Samples(fresh_seconds=60), Question()
    question.may_answer.clear()
    asking = [asyncio.create_task(samples.ask("q", question)) for _ in range(10)]
    await asyncio.sleep(0.01)
    question.may_answer.set()
    assert await asyncio.gather(*asking) == [1] * 10
    assert await samples.ask("q", question) == 1
    assert await samples.ask("other", question) == 2


async def test_an_answer_that_is_not_fresh_is_asked_for_anew() -> None:
    samples, question = Samples(fresh_seconds=0), Question()
    assert [await samples.ask("q", question) for _ in range(3)] == [1, 2, 3]
    samples = Samples(fresh_seconds=60)
    await samples.ask("q", question)
    await samples.ask(("q", 1), question)
    samples.forget("other")
    assert [await samples.ask("q", question), await samples.ask(("q", 1), question)] == [4, 5]
    samples.forget("q")
    assert [await samples.ask("q", question), await samples.ask(("q", 1), question)] == [6, 7]


async def test_one_who_leaves_does_not_take_the_answer_from_others() -> None:
    samples, question = Samples(), Question()
    question.may_answer.clear()
    first, second = (asyncio.create_task(samples.ask("q", question)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    question.may_answer.set()
    assert await second == 1


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "LONGEST_SECONDS", 0.05)
    samples, question = Samples(), Question()
    question.may_answer.clear()
    try:
        with pytest.raises(BrokerUnavailableError, match=r"within 0\.05 s"):
            await samples.ask("q", question)
        with pytest.raises(BrokerUnavailableError):
            await samples.run(question)
    finally:
        question.may_answer.set()
        samples.close()


async def test_a_fault_is_given_to_all_who_ask() -> None:
    samples = Samples(fresh_seconds=60)

    def fail() -> None:
        raise BrokerUnavailableError("is away.")

    for _ in range(2):
        with pytest.raises(BrokerUnavailableError, match="is away"):
            await samples.ask("q", fail)
