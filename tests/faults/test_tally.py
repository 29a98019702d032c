"""The count itself: what is lost, dead and repeated."""

from __future__ import annotations

from faults.chain import STEPS, Line
from faults.tally import count, count_slots


def line(step: str, token: str, run: str = "") -> Line:
    return Line(step=step, token=token, run=run or f"{step}-{token}", attempt=1, at=0, pid=1)


WHOLE = [line(step, "a") for step in STEPS]


def test_each_event_is_owed_to_every_step() -> None:
    tally = count({"a"}, WHOLE, set())
    assert (tally.sent, tally.executed, tally.lost, tally.repeated) == (3, 3, 0, 0)


def test_what_neither_ran_nor_is_a_dead_letter_is_lost() -> None:
    tally = count({"a", "b"}, [*WHOLE, line("right", "b")], {("left", "b")})
    assert (tally.executed, tally.dead, tally.lost) == (4, 2, 0)  # last was never emitted
    tally = count({"a", "b"}, [*WHOLE, line("right", "b")], {("last", "b")})
    assert (tally.dead, tally.lost, tally.missing) == (1, 1, (("left", "b"),))


def test_ends_beyond_the_first_are_repeats_and_keep_their_run_id() -> None:
    tally = count({"a"}, [*WHOLE, line("left", "a"), line("left", "a", "other")], set())
    assert (tally.executed, tally.repeated, tally.strangers) == (3, 2, 1)


def test_events_whose_sender_got_an_error_count_for_nothing() -> None:
    tally = count({"a"}, [*WHOLE, line("left", "refused")], set(), refused=1)
    assert (tally.sent, tally.executed, tally.repeated, tally.refused) == (3, 3, 0, 1)


def test_slots_are_counted_by_the_runs_that_they_start() -> None:
    ran = [line("ticks", run, run) for run in ("one", "one", "three", "before")]
    tally = count_slots(["one", "two", "three"], ran)
    assert (tally.sent, tally.executed, tally.lost, tally.repeated) == (3, 2, 1, 1)
