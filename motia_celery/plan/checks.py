"""What ``motia-celery check`` finds beyond single files: faults between Steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from motia_celery.model.problem import Problem
from motia_celery.model.retry import total_wait_seconds
from motia_celery.model.step import Step, Stream, StreamTrigger
from motia_celery.model.topic import Subscriptions
from motia_celery.plan.routes import STREAM_LISTINGS, schema_fault
from motia_celery.plan.topology import CONSUMER_TIMEOUT_SECONDS, LONGEST_HOLD_SECONDS


def unique_steps(steps: Iterable[Step]) -> tuple[tuple[Step, ...], tuple[Problem, ...]]:
    """The Steps with the later one of each duplicated name left out, and a problem for it."""
    kept: dict[str, Step] = {}
    problems = []
    for step in steps:
        first = kept.setdefault(step.name, step)
        if first is not step:
            problems.append(
                Problem(
                    file=step.file,
                    what=f"the Step name {step.name!r} is taken by {first.file}",
                    fix="Give one of them another name; this one does not run until then.",
                )
            )
    return tuple(kept.values()), tuple(problems)


def unique_streams(streams: Iterable[Stream]) -> tuple[tuple[Stream, ...], tuple[Problem, ...]]:
    """The streams with the last one of each name kept, as in Motia, and a problem for it."""
    kept: dict[str, Stream] = {}
    problems = []
    for stream in streams:
        earlier = kept.get(stream.name)
        if earlier:
            problems.append(
                Problem(
                    file=stream.file,
                    what=f"the stream name {stream.name!r} is also used by {earlier.file}",
                    fix="Give one of them another name; the last one found is used until then.",
                )
            )
        kept[stream.name] = stream
    return tuple(kept.values()), tuple(problems)


def hidden_streams(streams: Iterable[Stream]) -> Iterator[Problem]:
    """A warning for each stream that can not be followed by Server-Sent Events, by its name."""
    for stream in streams:
        if stream.name in STREAM_LISTINGS:
            yield Problem(
                file=stream.file,
                what=f"the stream {stream.name!r} can not be followed by Server-Sent Events: "
                f"/__motia/streams/{stream.name} is a path of the Workbench",
                fix="Give it another name, or follow it by sockets.",
                severity="warning",
            )


def unheard_emits(steps: Iterable[Step]) -> Iterator[Problem]:
    """A warning for each declared emit that no Step subscribes to."""
    group = tuple(steps)
    hearing = Subscriptions(
        (p, step.name) for step in group for p in (*step.topics, *step.virtual_subscribes)
    )
    for step in group:
        for emit in step.emits:
            if not hearing.of(emit.topic):
                yield Problem(
                    file=step.file,
                    what=f"nobody hears the topic {emit.topic!r} that {step.name!r} emits",
                    fix="Subscribe a Step to it, or move it to virtualEmits if another "
                    "service consumes it.",
                    severity="warning",
                )


def broken_inputs(steps: Iterable[Step]) -> Iterator[Problem]:
    """A warning for each ``input`` schema that can not be compared with any event."""
    for step in steps:
        for trigger in step.events:
            fault = trigger.input_schema and schema_fault(trigger.input_schema)
            if fault:
                yield Problem(
                    file=step.file,
                    what=f"input of {step.name!r} is not a valid JSON Schema: {fault}",
                    fix="Correct the schema; events are not compared with it until then.",
                    severity="warning",
                )


def unknown_streams(steps: Iterable[Step], streams: Iterable[Stream]) -> Iterator[Problem]:
    """A warning for each trigger of a stream that the app does not have."""
    names = {stream.name for stream in streams}
    for step in steps:
        for index, trigger in step.changes:
            if isinstance(trigger, StreamTrigger) and trigger.stream not in names:
                yield Problem(
                    file=step.file,
                    what=f"a trigger of {step.name!r} is for the stream {trigger.stream!r}, "
                    "which no file declares",
                    fix="Correct streamName, or declare the stream.",
                    severity="warning",
                    field=f"triggers.{index}.streamName",
                )


def long_holds(steps: Iterable[Step]) -> Iterator[Problem]:
    """A warning for each fifo Step whose message may be held until RabbitMQ ends its delivery."""
    for step in steps:
        if step.queue.type != "fifo":
            continue
        seconds = hold_seconds(step)
        if seconds > CONSUMER_TIMEOUT_SECONDS:
            whose = "RabbitMQ" if seconds > LONGEST_HOLD_SECONDS else "RabbitMQ before 3.12"
            yield Problem(
                file=step.file,
                what=f"a message of {step.name!r} may be held for {seconds / 60:.0f} minutes, "
                f"through all its attempts; {whose} ends a delivery before",
                fix="Shorten its waits, its timeout or its attempts. What is cut so is delivered "
                "again, and its order kept.",
                severity="warning",
            )


def hold_seconds(step: Step) -> float:
    """How long one delivery of a fifo Step may take: its delay, all attempts, and all waits."""
    attempts = step.retry.max_attempts * (step.timeout_seconds or 0)
    return step.queue.delay_seconds + attempts + total_wait_seconds(step.retry)


def idle_priorities(steps: Iterable[Step], reason: str) -> Iterator[Problem]:
    """A warning for each Step with a priority, where ``reason`` leaves it without effect."""
    for step in steps:
        if step.queue.priority is not None:
            yield Problem(
                file=step.file,
                what=f"the priority of {step.name!r} has no effect: {reason}",
                fix="It orders what waits in a worker with the async pool, on RabbitMQ.",
                severity="warning",
            )
