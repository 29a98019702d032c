"""The request as a value: what copies of it hold."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from motia_celery.context.request import Request


class Connection:
    """A reply that, as a real one, can be neither copied nor pickled."""

    def __init__(self) -> None:
        self.waiting = (part for part in ())

    has_begun = False


def made() -> Request:
    connection: Any = Connection()
    values = {"body": {"ids": [1]}, "pathParams": {"id": "7"}}
    return Request(values, method="PUT", path="/x/7", raw_bytes=b"{}", reply=connection)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_answers_the_same_client(copied: Callable[[Request], Request]) -> None:
    """Middleware of Motia's projects keeps copies of what came."""
    request = made()
    other = copied(request)
    assert other == request
    assert type(other) is Request
    assert (other.method, other.path, other.raw_bytes) == ("PUT", "/x/7", b"{}")
    assert other.reply is request.reply


def test_a_deep_copy_shares_nothing_that_can_be_changed() -> None:
    request = made()
    copy.deepcopy(request)["body"]["ids"].append(2)
    assert request["body"] == {"ids": [1]}


def test_a_request_can_be_sent_to_another_process() -> None:
    """A pool of processes gets all but the connection."""
    request = pickle.loads(pickle.dumps(made()))
    assert request == made()
    assert (request.method, request.path, request.raw_bytes) == ("PUT", "/x/7", b"{}")
    assert request.reply is None
