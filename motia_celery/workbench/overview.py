"""The app as a whole, and what is wrong with it."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from motia_celery.model.problem import Problem
from motia_celery.plan import Plan
from motia_celery.plan.routes import WORKBENCH_PATH
from motia_celery.settings import masked_url
from motia_celery.workbench.shapes.app import AppView, Counts, ProblemView
from motia_celery.workbench.sources import From

router = APIRouter(tags=["app"])


@router.get("/app")
async def get_app(sources: From) -> AppView:
    """The app: what it is made of, and where its broker and stores are."""
    settings, plan = sources.settings, sources.plan
    return AppView(
        name=settings.project_root.name or "motia-celery",
        version=version_of_package(),
        environment=settings.environment,
        prefix=settings.prefix,
        base_path=WORKBENCH_PATH,
        broker=masked_url(settings.broker),
        broker_kind="rabbitmq" if settings.uses_rabbitmq else "redis",
        store=masked_url(settings.redis),
        timezone=settings.timezone,
        languages=tuple(dict.fromkeys(step.language for step in plan.steps)),
        counts=_counts(plan),
        has_records=sources.records is not None,
    )


@router.get("/problems")
async def get_problems(sources: From) -> list[ProblemView]:
    """What `motia-celery check` finds, errors first."""
    found = sorted(sources.plan.problems, key=lambda problem: problem.severity != "error")
    return [problem_view(sources.plan, problem) for problem in found]


def version_of_package() -> str:
    """The version that is installed."""
    return version("motia-celery")


def problem_view(plan: Plan, problem: Problem) -> ProblemView:
    """The problem, with the Step that it concerns."""
    step = next((step.name for step in plan.steps if step.file == problem.file), None)
    return ProblemView(
        what=problem.what,
        fix=problem.fix,
        file=problem.file,
        line=problem.line,
        severity=problem.severity,
        step=step,
    )


def _counts(plan: Plan) -> Counts:
    return Counts(
        steps=len(plan.steps),
        routes=len(plan.routes),
        topics=len({topic for step in plan.steps for topic in step.topics}),
        schedules=len(plan.schedules),
        streams=len(plan.streams),
        flows=len(plan.flows),
        problems=len(plan.problems),
    )
