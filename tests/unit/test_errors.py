"""Errors say what is wrong, where, and what to do; they survive pickle and JSON."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import pytest

from motia_celery import errors
from motia_celery.errors import FrameworkError

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_pickle_and_json(kind):
    error = kind("is wrong.", "steps/a_step.py", "Mend it.")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert (twin.what, twin.where, twin.fix) == ("is wrong.", "steps/a_step.py", "Mend it.")
        assert str(twin) == "steps/a_step.py: is wrong. Mend it."
    assert json.loads(json.dumps(error.as_dict())) == {
        "type": kind.__name__,
        "what": "is wrong.",
        "where": "steps/a_step.py",
        "fix": "Mend it.",
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_all_have_one_root_and_say_what_they_mean(kind):
    assert issubclass(kind, FrameworkError)
    assert kind.__doc__


def test_place_and_fix_may_be_missing():
    assert str(FrameworkError("is wrong.")) == "is wrong."
    assert str(pickle.loads(pickle.dumps(FrameworkError("is wrong.", fix="Mend it.")))) == (
        "is wrong. Mend it."
    )
