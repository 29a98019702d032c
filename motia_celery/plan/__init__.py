"""The Plan: the whole app compiled from its Steps, frozen, the same in every process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from motia_celery.model.problem import Problem
from motia_celery.model.step import Step, Stream
from motia_celery.plan.changes import Changes, compile_changes
from motia_celery.plan.checks import (
    broken_inputs,
    hidden_streams,
    long_holds,
    unheard_emits,
    unique_steps,
    unique_streams,
    unknown_streams,
)
from motia_celery.plan.graph import Flow, compile_flows
from motia_celery.plan.routes import Route, compile_routes
from motia_celery.plan.schedule import ScheduleEntry, compile_schedules
from motia_celery.plan.topology import Names, Topology, compile_topology

__all__ = ["Plan", "compile_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Routes, queues, schedules, streams, flows, who hears changes, and what is wrong with any."""

    prefix: str
    steps: tuple[Step, ...]
    streams: tuple[Stream, ...]
    routes: tuple[Route, ...]
    topology: Topology
    changes: Changes
    schedules: tuple[ScheduleEntry, ...]
    flows: tuple[Flow, ...]
    problems: tuple[Problem, ...]

    @property
    def names(self) -> Names:
        """The names of the broker's objects."""
        return self.topology.names

    def step(self, name: str) -> Step | None:
        """The Step of that name."""
        return next((step for step in self.steps if step.name == name), None)


def compile_plan(
    *,
    prefix: str,
    timezone: str,
    steps: Iterable[Step],
    streams: Iterable[Stream] = (),
    problems: Iterable[Problem] = (),
) -> Plan:
    """The Plan of these Steps; ``problems`` are those already found while reading files."""
    kept, duplicates = unique_steps(steps)
    kept_streams, stream_problems = unique_streams(streams)
    routes, route_problems = compile_routes(kept)
    topology = compile_topology(prefix, kept)
    schedules, schedule_problems = compile_schedules(kept, timezone)
    return Plan(
        prefix=prefix,
        steps=kept,
        streams=kept_streams,
        routes=routes,
        topology=topology,
        changes=compile_changes(kept, topology),
        schedules=schedules,
        flows=compile_flows(kept),
        problems=(
            *problems,
            *duplicates,
            *stream_problems,
            *hidden_streams(kept_streams),
            *route_problems,
            *schedule_problems,
            *unheard_emits(kept),
            *broken_inputs(kept),
            *unknown_streams(kept, kept_streams),
            *long_holds(kept),
        ),
    )
