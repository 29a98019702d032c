"""A made-up app whose Steps are drawn by files beside them: well, badly, and not at all."""

from __future__ import annotations

from browser.made_app import Made
from browser.made_shop import step

from motia_celery.model.step import Emit, EventTrigger, HttpTrigger

_ORDER = """
import { ApiNode, ApiNodeProps } from 'motia/workbench'
import React, { useState } from 'react'
import type { Nothing } from './not-there'
import { Label } from '../parts/label'
import './order.css'

export const Node: React.FC<ApiNodeProps> = (props) => {
  const [times, setTimes] = useState<number>(0)
  return (
    <ApiNode {...props}>
      <Label>{props.data.type} {props.data.webhookUrl}</Label>
      <button
        className="nodrag rounded bg-indigo-600 px-2 text-white"
        onClick={() => setTimes(times + 1)}
      >
        Pressed {times}
      </button>
      <p className="striped">Emits {props.data.emits.join(' and ')}</p>
    </ApiNode>
  )
}
"""

_LABEL = """
export const Label = ({ children }: { children: React.ReactNode }) => (
  <div
    data-testid="label"
    className="my-1 rounded bg-yellow-200 px-2 text-yellow-900 dark:bg-yellow-900 dark:text-white"
  >
    {children}
  </div>
)
"""

_CHARGE = """
import { EventNode, Badge } from '@motiadev/workbench'

export const Node = (props) => (
  <EventNode {...props}>
    <div className="flex gap-2 bg-gradient-to-r from-red-500 to-rose-600 p-3 rounded text-white">
      <b className="text-2xl">€</b> <Badge>{props.data.language}</Badge> <i>{WORD}</i>
    </div>
  </EventNode>
)
"""

_BARE = (
    "export default ({ data }) => <div style={{ padding: 12 }}>All by myself: {data.name}</div>\n"
)

_BROKEN = """
import { pad } from 'left-pad-that-is-not-there'

export const Node = () => <i>{pad('x')}</i>
"""

_THROWS = """
import { EventNode } from 'motia/workbench'

export const Node = (props) => <EventNode {...props}>{props.data.nothing.at.all}</EventNode>
"""

_START = """
import { BaseNode, Button, NoopNodeProps } from 'motia/workbench'

export const Node: React.FC<NoopNodeProps> = (data) => (
  <BaseNode title="Begin" variant="noop" {...data} disableTargetHandle>
    <Button onClick={() => fetch('/orders', { method: 'POST', body: '{}' })}>Start the flow</Button>
  </BaseNode>
)
"""


def charge_drawn(word: str) -> str:
    """The file that draws `charge`, with a word in it."""
    return _CHARGE.replace("{WORD}", word)


NODES = Made(
    steps=(
        step(
            "begin",
            language="typescript",
            virtual_emits=(Emit(topic="POST /orders", label="begin"),),
        ),
        step(
            "order",
            HttpTrigger(method="POST", path="/orders"),
            language="typescript",
            description="Takes an order",
            emits=(Emit(topic="ordered"), Emit(topic="noted")),
            virtual_subscribes=("POST /orders",),
        ),
        step("charge", EventTrigger(topics=("ordered",)), emits=(Emit(topic="charged"),)),
        step("bare", EventTrigger(topics=("charged",))),
        step("broken", EventTrigger(topics=("noted",)), language="typescript"),
        step("throws", EventTrigger(topics=("noted",)), language="typescript"),
    ),
    files={
        "steps/begin.step.tsx": _START,
        "steps/order.step.tsx": _ORDER,
        "steps/order.css": ".striped { border-left: 4px solid crimson; padding-left: 6px }",
        "parts/label.tsx": _LABEL,
        "steps/charge_step.jsx": charge_drawn("Paid"),
        "steps/bare_step.jsx": _BARE,
        "steps/broken.step.tsx": _BROKEN,
        "steps/throws.step.tsx": _THROWS,
    },
)
