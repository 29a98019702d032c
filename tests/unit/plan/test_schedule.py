"""The plan's schedule: an entry per cron trigger, and the problems on the way."""

from datetime import UTC, datetime

from motia_celery.model.step import CronTrigger, EventTrigger, Step
from motia_celery.plan.schedule import ScheduleEntry, compile_schedules, tick_event, tick_id


def cron_step(name, *triggers):
    return Step(name=name, file=f"steps/{name}_step.py", language="python", triggers=triggers)


def test_each_cron_trigger_becomes_an_entry():
    """A Step's own zone wins over the app's; a second trigger gets a number."""
    report = cron_step(
        "report",
        CronTrigger(expression="0 9 * * *"),
        EventTrigger(topics=("report.wanted",)),
        CronTrigger(expression="@hourly", timezone="America/New_York"),
    )
    entries, problems = compile_schedules([report, cron_step("quiet")], "Europe/Rome")
    assert entries == (
        ScheduleEntry(step="report", expression="0 9 * * *", timezone="Europe/Rome", index=0),
        ScheduleEntry(
            step="report", expression="@hourly", timezone="America/New_York", index=1, trigger=2
        ),
    )
    assert [entry.name for entry in entries] == ["report", "report#2"]
    assert problems == ()


def test_a_bad_default_timezone_stops_only_the_steps_that_need_it():
    steps = [
        cron_step("a", CronTrigger(expression="@daily")),
        cron_step("b", CronTrigger(expression="@daily", timezone="UTC")),
    ]
    entries, (problem,) = compile_schedules(steps, "Mars/Base")
    assert [entry.step for entry in entries] == ["b"]
    assert problem.severity == "error"
    assert "Mars/Base" in problem.what
    assert "MOTIA_TIMEZONE" in problem.fix


def test_a_trigger_with_an_error_is_left_out_and_the_rest_runs():
    steps = [
        cron_step("bad", CronTrigger(expression="61 * * * *")),
        cron_step("lost", CronTrigger(expression="@daily", timezone="Nowhere")),
        cron_step("good", CronTrigger(expression="@daily")),
    ]
    entries, problems = compile_schedules(steps, "UTC")
    assert [entry.step for entry in entries] == ["good"]
    assert [(p.file, p.severity) for p in problems] == [
        ("steps/bad_step.py", "error"),
        ("steps/lost_step.py", "error"),
    ]


def test_both_days_given_is_a_warning_and_runs():
    entries, (problem,) = compile_schedules(
        [cron_step("friday", CronTrigger(expression="0 0 13 * FRI"))], "UTC"
    )
    assert len(entries) == 1
    assert problem.severity == "warning"
    assert "both match" in problem.what
    assert problem.fix


def test_a_ticks_id_depends_on_prefix_step_and_slot_only():
    slot = datetime(2025, 1, 1, tzinfo=UTC)
    ids = {
        tick_id("motia", "report", slot),
        tick_id("motia", "report", slot),
        tick_id("other", "report", slot),
        tick_id("motia", "digest", slot),
        tick_id("motia", "report", slot.replace(second=1)),
    }
    assert len(ids) == 4


def test_the_tick_of_a_further_cron_trigger_names_its_place():
    """Two that are due at once are two runs, and each has its own condition."""
    crons = (CronTrigger(expression="0 9 * * *"), CronTrigger(expression="0 9 * * *"))
    several = cron_step("report", crons[0], EventTrigger(topics=("x",)), crons[1])
    (first, second), _ = compile_schedules([several], "UTC")
    assert [entry.trigger for entry in (first, second)] == [0, 2]
    slot = datetime(2025, 1, 1, 9, tzinfo=UTC)
    ticks = [tick_event("motia", entry, slot) for entry in (first, second)]
    assert [tick.topic for tick in ticks] == ["", "motia.cron.2"]
    assert len({tick.id for tick in ticks}) == 2
    assert several.started_by("motia.cron.2") == "cron"
    assert several.trigger_index("cron", "motia.cron.2") == 2
