"""Ruby Steps beside Python ones: in an app in memory, and on a broker, their host killed."""

from __future__ import annotations

import contextlib
from contextlib import closing
from pathlib import Path

import psutil
from integration.apps import Project, wait_until
from integration.frames import Parent

from motia_celery.discover.files import find_sources
from motia_celery.runtime.ruby import RubyHost
from motia_celery.runtime.source import Definition
from motia_celery.testing import StepTester

PATIENCE_SECONDS = 60

FILES = {
    "steps/order.step.rb": """
require_relative '../lib/prices'

config = {
  type: 'api', name: 'order', method: 'POST', path: '/orders/:shop', emits: ['order.made'],
  bodySchema: { type: 'object', properties: { item: { type: 'string' } } },
  middleware: [->(req, _, go) { req.body.item ? go.call : { status: 400, body: 'no' } }]
}

def handler(req, ctx)
  price = Prices.of(req.body.item)
  order = { id: req.query_params.id, item: req.body.item, price: price, shop: req.path_params.shop }
  puts "Taken: #{order[:id]}"
  ctx.emit(topic: 'order.made', data: order)
  { status: 202, body: { price: price }, headers: { 'x-trace' => ctx.trace_id } }
end
""",
    "lib/prices.rb": """
module Prices
  def self.of(item)
    { 'lamp' => 5 }.fetch(item)
  end
end
""",
    "steps/keep_step.py": """
config = {"type": "event", "name": "keep", "subscribes": ["order.made"], "emits": ["order.kept"]}


async def handler(order, context):
    await context.state.set("orders", order["id"], order)
    await context.emit(topic="order.kept", data=order)
""",
    "steps/show_step.rb": """
def config
  { type: 'event', name: 'show', subscribes: ['order.kept'], emits: [] }
end

def handler(order, context)
  context.streams.orders.set(order.shop, order.id, order)
  context.streams.orders.update(order.shop, order.id, [{ type: 'increment', path: 'price', by: 1 }])
end
""",
    "steps/orders_stream.rb": """
config = {
  name: 'orders', schema: { type: 'object' }, baseConfig: { storageType: 'default' },
  canAccess: ->(subscription, auth) { auth && auth.shop == subscription.groupId }
}
""",
    "steps/count_step.rb": """
config = { type: 'cron', name: 'count', cron: '0 9 * * *', emits: [] }

def handler(context)
  context.state.set('counts', 'orders', context.state.get_group('orders').size)
end
""",
}


def write(folder: Path, files: dict[str, str]) -> None:
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)


async def test_an_app_in_ruby_and_python(tmp_path: Path) -> None:
    """Requests, events, ticks, state, streams and their rule; an exception has its line."""
    write(tmp_path, FILES)
    async with StepTester(tmp_path) as app:
        assert app.plan.problems == ()
        answer = await app.client.post("/orders/north?id=7", json={"item": "lamp"})
        assert (answer.status_code, answer.json()) == (202, {"price": 5})
        assert (await app.client.post("/orders/north", json={})).status_code == 400
        await app.settle()
        order = {"id": "7", "item": "lamp", "price": 5, "shop": "north"}
        assert await app.state.get("orders", "7") == order
        shown = await app.streams.get("orders", "north", "7")
        assert (shown["item"], shown["price"]) == ("lamp", 6)
        assert await app.may_join("orders", {"groupId": "north"}, {"shop": "north"})
        assert not await app.may_join("orders", {"groupId": "north"}, {"shop": "south"})
        assert not await app.may_join("orders", {"groupId": "north"})
        await app.tick("count")
        await app.settle()
        assert await app.state.get("counts", "orders") == 1
        assert "Taken: 7" in [line.message for line in await app.logs("info")]
        runs = {run.step: run for run in await app.runs()}
        assert {runs[name].trace_id for name in ("keep", "show")} == {answer.headers["x-trace"]}
        failed = await app.client.post("/orders/north", json={"item": "sofa"})
        assert (failed.status_code, failed.json()) == (500, {"error": "Internal server error"})
        (run,) = await app.runs("order", "failed")
        assert (run.error.type, run.error.where) == ("KeyError", "lib/prices.rb:4")
        assert "steps/order.step.rb:11" in run.error.traceback


TRIGGERED = {
    "steps/take_step.rb": """
large = ->(order) { order.amount > 10 }

config = {
  name: 'take',
  triggers: [
    {
      type: 'http', method: 'POST', path: '/take/:id',
      middleware: [->(req, _, go) { go.call.merge(headers: { 'x-by' => req.by.to_s }) }]
    },
    { type: 'queue', topic: 'bought', condition: large },
    { type: 'queue', topic: 'sold' },
    { type: 'cron', expression: '0 0 9 * * *' },
    { type: 'state', condition: ->(change, ctx) { ctx.state? && change.group_id == 'watched' } }
  ],
  enqueues: ['taken']
}

def handler(given, ctx)
  told = [ctx.trigger.type, ctx.trigger.index, ctx.get_data]
  ctx.state.set('seen', told.first(2).join('-'), told)
  ctx.match(
    http: ->(req) { { status: 200, body: [req.path_params.id, req.method, req.by] } },
    queue: ->(data, context) { context.enqueue(topic: 'taken', data: data) },
    state: ->(change) { ctx.state.set('last', 'value', change.new_value) },
    default: -> {}
  )
end
""",
    "steps/parts_step.rb": """
config = { name: 'parts', triggers: [{ type: 'http', method: 'GET', path: '/parts' }] }

def handler(req)
  req.response.status(201).headers('content-type' => 'text/event-stream')
  %w[one two].each { |word| req.response << "data: #{word}\n\n" }
  'dropped'
end
""",
    "steps/plain_step.rb": """
config = { type: 'api', name: 'plain', method: 'GET', path: '/plain', emits: [] }

def handler(req)
  raise ArgumentError, 'as asked' if req.query_params.fail
  { status: 200, body: { by: req.by } }
end
""",
    "motia_config.py": """
async def around(req, context, next_fn):
    if req["headers"].get("x-refused"):
        return {"status": 403, "body": "refused"}
    req["by"] = "the project"
    try:
        answer = await next_fn()
    except Exception as error:
        return {"status": 418, "body": {"error": str(error)}}
    return {**answer, "headers": {**answer.get("headers", {}), "x-around": "on"}}


middleware = [around]
""",
}


async def test_a_list_of_triggers_and_the_middleware_of_the_project(tmp_path: Path) -> None:
    """Each trigger with its own condition and middleware; the config file's is around them."""
    write(tmp_path, TRIGGERED)
    async with StepTester(tmp_path) as app:
        answer = await app.client.post("/take/7", json={"amount": 1})
        assert answer.json() == ["7", "POST", "the project"]
        assert (answer.headers["x-by"], answer.headers["x-around"]) == ("the project", "on")
        assert (await app.client.get("/plain")).json() == {"by": "the project"}
        assert (await app.client.get("/plain", headers={"x-refused": "1"})).status_code == 403
        assert (await app.client.get("/plain?fail=1")).json() == {"error": "as asked"}

        parts = await app.client.get("/parts")
        assert (parts.status_code, parts.text) == (201, "data: one\n\ndata: two\n\n")

        await app.emit("bought", {"amount": 5})
        await app.emit("bought", {"amount": 50})
        await app.emit("sold", {"amount": 2})
        await app.tick("take")
        await app.state.set("watched", "lamp", "on")
        await app.settle()
        seen = await app.state.get_group("seen")
        assert sorted(seen, key=lambda told: told[:2])[:4] == [
            ["cron", 3, None],
            ["http", 0, {"amount": 1}],
            ["queue", 1, {"amount": 50}],
            ["queue", 2, {"amount": 2}],
        ]
        assert await app.state.get("last", "value") == "on"
        assert sorted(taken.data["amount"] for taken in await app.emits("taken")) == [2, 50]
        skipped = "Skipped: the condition of its queue trigger is false"
        assert skipped in [line.message for line in await app.logs("info")]


#: Nobody leaves before all are there; on a first attempt nobody leaves at all.
HELD = """
config = {
  type: 'event', name: 'held', subscribes: ['raw'], emits: ['cooked'],
  infrastructure: { queue: { maxRetries: 5 } }
}

PEOPLE = 8
LOCK = Mutex.new
ALL_HERE = ConditionVariable.new
@here = []

def handler(data, context)
  if context.attempt == 1
    File.write(File.expand_path('../notes/held', __dir__), "#{data.token}\n", mode: 'a')
    sleep
  end
  LOCK.synchronize do
    @here |= [data.token]
    ALL_HERE.broadcast
    ALL_HERE.wait(LOCK) until @here.size == PEOPLE
  end
  context.emit(topic: 'cooked', data: data)
end
"""

THROWS = """
config = {
  type: 'event', name: 'throws', subscribes: ['odd'], infrastructure: { queue: { maxRetries: 0 } }
}

class OddError < StandardError; end

def handler(data)
  raise OddError, "so #{data.what}"
end
"""


def kill_ruby(worker_pid: int) -> bool:
    for child in psutil.Process(worker_pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("host.rb" in part for part in child.cmdline()):
                child.kill()
                return True
    return False


def test_runs_go_on_at_once_and_survive_the_death_of_their_host(on_rabbitmq: Project) -> None:
    """Each of eight runs waits for the other seven, after their first host was killed."""
    project = on_rabbitmq
    for name, source in {"held": HELD, "throws": THROWS}.items():
        topic = "raw" if name == "held" else "odd"
        project.step(name, [topic])
        project.file(name).unlink()
        (project.folder / "steps" / f"{name}_step.rb").write_text(source)
    project.step("seen", ["cooked"])
    worker = project.worker(concurrency=20)
    project.emit("odd", {"what": "it is"})
    tokens = {f"t{number}" for number in range(8)}
    for token in tokens:
        project.emit("raw", {"token": token})
    notes = project.folder / "notes" / "held"

    def begun() -> set[str]:
        return set(notes.read_text().split()) if notes.exists() else set()

    wait_until(lambda: begun() == tokens, "eight runs in one host", PATIENCE_SECONDS)
    (letter,) = project.dead_letters(seconds=PATIENCE_SECONDS)
    assert letter.headers["motia-error-type"] == "OddError"
    assert letter.headers["motia-error-message"] == "so it is"
    assert kill_ruby(worker.pid)

    def seen() -> set[str]:
        return {note["data"]["token"] for note in project.notes("seen", "done")}

    wait_until(lambda: seen() == tokens, "every event, on its next attempt", PATIENCE_SECONDS)
    assert worker.terminate() == 0


def test_a_file_that_stands_still_is_left_out_and_holds_up_no_other(tmp_path: Path) -> None:
    steps = tmp_path / "steps"
    steps.mkdir()
    (steps / "a_step.rb").write_text("loop {}")
    (steps / "b_step.rb").write_text("sleep")
    (steps / "c_step.rb").write_text("config = { type: 'noop', name: 'c' }")
    host = RubyHost(tmp_path, load_patience_seconds=4)
    told = host.load_all(find_sources(tmp_path))
    assert isinstance(told["steps/c_step.rb"], Definition)
    for file in ("steps/a_step.rb", "steps/b_step.rb"):
        assert "still waits" in str(told[file])


BUSY = """
config = { type: 'event', name: 'busy', subscribes: ['x'] }

def handler(data, context)
  return data if data.act == 'echo'

  context.logger.info('busy')
  begin
    Thread.new { context.state.get('g', 'k') }
    loop { 1 + 1 } rescue 'is not for a cut'
  ensure
    context.logger.info('cleaned up')
  end
end
"""


def test_a_busy_handler_is_unwound_and_its_host_goes_on(tmp_path: Path) -> None:
    """Ruby ends a loop from outside: `ensure` runs, a plain `rescue` does not."""
    write(tmp_path, {"steps/busy_step.rb": BUSY})
    arguments = [*RubyHost(tmp_path).command().arguments]
    with closing(Parent(arguments, tmp_path, "_step.rb", tmp_path / "out")) as host:
        host.greet()
        call = host.call("spin", step="busy")
        kinds = {host.receive()["type"] for _ in range(2)}
        assert kinds == {"log", "request"}
        host.send("ping", id=5)
        assert host.receive() == {"type": "pong", "id": 5}
        host.send("cancel", id=call)
        assert host.receive()["message"] == "cleaned up"
        assert host.last(call)["error"]["name"] == "Cancelled"
        assert host.last(host.call("echo", step="busy"))["value"] == {"act": "echo"}
