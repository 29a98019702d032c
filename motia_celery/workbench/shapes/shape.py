"""What all JSON objects of the Workbench's API have in common.

Every time is in epoch milliseconds, every duration in milliseconds or, where the name says so,
seconds. These are the types that the page's own are generated from.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[float, Field(description="Epoch milliseconds.")]
Json = Annotated[Any, Field(description="Any JSON value.")]


class Shape(BaseModel):
    """A frozen JSON object; one from outside may hold nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class Fault(Shape):
    """An error: what is wrong, where, and what to do about it."""

    error: str
    fix: str = ""
    where: str = ""


class Done(Shape):
    """It was done."""

    done: bool = True


Language = Literal["python", "typescript", "javascript", "ruby"]
TriggerType = Literal["http", "event", "cron", "state", "stream"]
