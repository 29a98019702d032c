"""The topology on the broker: what is declared, what a release changes, and what it never loses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from integration.apps import Project, wait_until
from servers import RabbitNode


def vhost(project: Project) -> str:
    return unquote(urlsplit(project.settings().broker).path[1:])


def bindings(project: Project, rabbitmq: RabbitNode, exchange: str) -> set[tuple[str, str]]:
    """Queue and routing key of each binding of an exchange."""
    found = rabbitmq.api("GET", f"/exchanges/{vhost(project)}/{exchange}/bindings/source")
    return {(binding["destination"], binding["routing_key"]) for binding in found}


def declare_otherwise(project: Project, name: str, arguments: dict[str, Any]) -> None:
    """Declares a queue as an earlier version of the app, or somebody else, might have."""
    with project.channel() as channel:
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)


def fill(project: Project, queue: str, count: int) -> None:
    with project.channel() as channel:
        channel.confirm_select()
        for number in range(count):
            message = channel.prepare_message(
                b'{"token":%d}' % number,
                content_type="application/json",
                content_encoding="utf-8",
                headers={"motia-topic": "work", "motia-event-id": "x"},
                properties={"delivery_mode": 2, "message_id": f"m{number}"},
            )
            channel.basic_publish_confirm(message, exchange="", routing_key=queue)


QUORUM = {"x-queue-type": "quorum"}


def test_release_declares_everything(on_rabbitmq: Project) -> None:
    """Before the first worker boots, an event has its queues."""
    project = on_rabbitmq
    project.step("works", ["work"])
    assert project.release().wait() == 0
    project.emit("work", {"n": 1})
    assert project.depth(project.queue("works")) == 1
    assert project.exists(project.names.dead_letter_queue)


def test_a_publisher_declares_everything(on_rabbitmq: Project) -> None:
    """No event is lost though no worker ever ran, and no release either."""
    project = on_rabbitmq
    project.step("works", ["work"])
    project.emit("work", {"n": 1})
    assert project.depth(project.queue("works")) == 1


def test_delays_never_bind_to_the_events_exchange(
    on_rabbitmq: Project, rabbitmq: RabbitNode
) -> None:
    """Topics are bound as they are; ``#.<key>`` hangs on the private exchange alone."""
    project = on_rabbitmq
    project.step("works", ["created", "order.*"])
    worker = project.worker()
    worker.kill()
    assert project.release().wait() == 0
    queue = project.queue("works")
    events = bindings(project, rabbitmq, project.names.events)
    assert events == {(queue, "created"), (queue, "order.*")}
    steps = bindings(project, rabbitmq, project.names.steps)
    relay = project.names.relay
    assert steps == {(name, key) for name in (queue, relay) for key in (name, f"#.{name}")}


def test_queues_are_safe_ones(on_rabbitmq: Project, rabbitmq: RabbitNode) -> None:
    """Replicated, bounded in deliveries, dead-lettered at least once, and never dropping."""
    project = on_rabbitmq
    project.step("works", ["work"])
    project.emit("work")
    queue = rabbitmq.api("GET", f"/queues/{vhost(project)}/{project.queue('works')}")
    assert queue["durable"]
    assert queue["arguments"] == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": project.names.dead_letter_exchange,
        "x-dead-letter-routing-key": project.queue("works"),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def test_a_removed_topic_is_unbound(on_rabbitmq: Project) -> None:
    """Declaring never takes a binding away; the release does."""
    project = on_rabbitmq
    project.step("works", ["stays", "goes"])
    assert project.release().wait() == 0
    project.step("works", ["stays", "comes"])
    release = project.release()
    assert release.wait() == 0
    assert "unbound goes" in release.words
    for topic in ("goes", "stays", "comes"):
        project.emit(topic, {"token": topic})
    taken = [letter.data["token"] for letter in project.take(project.queue("works"))]
    assert sorted(taken) == ["comes", "stays"]


def test_a_release_without_changes_changes_nothing(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("works", ["work"])
    assert project.release().wait() == 0
    project.emit("work", {"n": 1})
    again = project.release()
    assert (again.wait(), again.output.count("•")) == (0, 0)
    assert project.depth(project.queue("works")) == 1


def test_the_empty_queue_of_a_removed_step_is_deleted(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("stays", ["work"])
    project.step("goes", ["work"])
    assert project.release().wait() == 0
    gone = project.queue("goes")
    project.remove("goes")
    release = project.release()
    assert release.wait() == 0
    assert f"deleted {gone}" in release.words
    assert not project.exists(gone)
    assert project.exists(project.queue("stays"))


def test_the_queue_of_a_removed_step_is_kept_while_it_holds_messages(
    on_rabbitmq: Project, forget_queue: Callable[[str], None]
) -> None:
    """It is reported, gets no more events, and goes with a release once it is empty."""
    project = on_rabbitmq
    project.step("stays", ["work"])
    project.step("goes", ["work"])
    gone = project.queue("goes")
    forget_queue(gone)
    project.release()
    project.emit("work", {"n": 1})
    project.remove("goes")
    release = project.release()
    assert "still holds 1 messages" in release.words
    project.publisher.close()
    project._publisher = None
    project.emit("work", {"n": 2})
    assert [letter.data for letter in project.take(gone)] == [{"n": 1}]
    last = project.release()
    assert f"deleted {gone}" in last.words
    assert not project.exists(gone)


def test_a_queue_with_other_arguments_is_replaced_with_its_messages(on_rabbitmq: Project) -> None:
    """Fifty messages waited in it; each of them runs once."""
    project = on_rabbitmq
    project.step("works", ["work"])
    queue = project.queue("works")
    declare_otherwise(project, queue, QUORUM)
    fill(project, queue, 50)
    release = project.release()
    assert release.wait() == 0, release.output
    assert "50 messages moved" in release.words
    assert project.depth(queue) == 50
    assert not project.exists(f"{queue}.moving")
    project.worker()
    done = project.wait_for("works", 50)
    assert sorted(line["data"]["token"] for line in done) == list(range(50))
    assert len({line["run"] for line in done}) == 50


def test_a_replaced_queue_keeps_bodies_and_properties(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("works", ["work"])
    queue = project.queue("works")
    declare_otherwise(project, queue, QUORUM)
    project.publish(
        queue,
        b"\xff\xfe",
        content_type="text/x",
        content_encoding="utf-16",
        headers={"a": 1, "traceparent": "t"},
        message_id="m",
        correlation_id="c",
        app_id="theirs",
    )
    assert project.release().wait() == 0
    (letter,) = project.take(queue)
    assert letter.body == b"\xff\xfe"
    assert letter.headers["a"] == 1
    properties = letter.properties
    assert (properties["message_id"], properties["correlation_id"]) == ("m", "c")
    assert (properties["content_type"], properties["content_encoding"]) == ("text/x", "utf-16")
    assert properties["app_id"] == "theirs"


def test_a_replacement_is_refused_while_somebody_consumes(on_rabbitmq: Project) -> None:
    """It says what to do; nothing is changed."""
    project = on_rabbitmq
    project.step("works", ["work"])
    queue = project.queue("works")
    declare_otherwise(project, queue, QUORUM)
    with project.channel() as channel:
        channel.basic_consume(queue, callback=lambda message: None)
        release = project.release()
    assert release.wait() == 1
    assert "consumers are still connected" in release.words
    assert "Stop the workers" in release.words
    assert "Traceback" not in release.words
    assert not project.exists(f"{queue}.moving")


@pytest.mark.parametrize("left", ["old queue", "no queue", "new queue"])
def test_a_replacement_that_was_killed_is_resumed(on_rabbitmq: Project, left: str) -> None:
    """Wherever the first release died: some messages aside, the rest in the old or new queue."""
    project = on_rabbitmq
    project.step("works", ["work"])
    queue = project.queue("works")
    aside = f"{queue}.moving"
    declare_otherwise(project, aside, QUORUM)
    fill(project, aside, 30)
    expected = 30
    if left == "old queue":
        declare_otherwise(project, queue, QUORUM)
    elif left == "new queue":
        project.publisher  # noqa: B018 - declared by the emit
        project.emit("nobody")
    if left != "no queue":
        for _ in range(20):
            project.publish(queue, b'{"token":"rest"}')
        expected = 50
    release = project.release()
    assert release.wait() == 0, release.output
    assert project.depth(queue) == expected
    assert not project.exists(aside)
    again = project.release()
    assert again.wait() == 0


def test_events_during_a_replacement_are_kept(on_rabbitmq: Project) -> None:
    """The queue that holds the messages meanwhile hears the same topics."""
    project = on_rabbitmq
    project.step("works", ["work"])
    queue = project.queue("works")
    aside = f"{queue}.moving"
    declare_otherwise(project, aside, QUORUM)
    with project.channel() as channel:
        channel.exchange_declare(project.names.events, "topic", durable=True, auto_delete=False)
        channel.queue_bind(aside, project.names.events, "work")
    project.publish("work", b'{"token":1}', exchange=project.names.events)
    assert project.release().wait() == 0
    assert project.depth(queue) == 1
    assert not project.exists(aside)


@pytest.mark.parametrize(
    "command", [["motia_celery", "worker"], ["celery", "-A", "motia_celery.app", "worker"]], ids=str
)
def test_a_worker_explains_a_queue_with_other_arguments(
    on_rabbitmq: Project, command: list[str]
) -> None:
    """One clear line with the way out, and exit code 1; no raw 406."""
    project = on_rabbitmq
    project.step("works", ["work"])
    declare_otherwise(project, project.queue("works"), QUORUM)
    worker = project.start("-m", *command)
    assert worker.wait() == 1
    assert "motia-celery release" in worker.words
    assert "the queue exists with other arguments" in worker.words
    assert "Traceback" not in worker.words


def test_a_broker_that_is_away_is_explained(make_project: Callable[..., Project]) -> None:
    project = make_project("amqp://guest:guest@127.0.0.1:1//")
    project.step("works", ["work"])
    release = project.release()
    assert release.wait() == 1
    assert "the broker does not answer" in release.words
    assert "Traceback" not in release.words


def test_release_does_its_part_on_redis(make_project: Callable[..., Project]) -> None:
    project = make_project(None)
    project.step("works", ["work"])
    assert project.release().wait() == 0
    project.step("works", ["other"])
    assert project.release().wait() == 0
    project.emit("other", {"n": 1})
    assert project.depth(project.queue("works")) == 1


# Which queues a worker serves.


@pytest.mark.parametrize(
    ("options", "served"),
    [
        (["--steps", "one,two"], {"one", "two"}),
        (["--exclude", "one"], {"two", "three"}),
        (["--flows", "billing"], {"two", "three"}),
        (["--flows", "billing", "--exclude", "two"], {"three"}),
        (["--flows", "billing", "--steps", "one"], {"one", "two", "three"}),
    ],
    ids=["steps", "exclude", "flows", "flows-exclude", "flows-steps"],
)
def test_options_choose_the_steps_of_a_worker(
    on_rabbitmq: Project, options: list[str], served: set[str]
) -> None:
    project = on_rabbitmq
    project.step("one", ["work"], flows=["orders"])
    project.step("two", ["work"], flows=["orders", "billing"])
    project.step("three", ["work"], flows=["billing"])
    project.worker(*options)
    project.emit("work", {"n": 1})
    for step in served:
        project.wait_for(step)
    ran = {step for step in ("one", "two", "three") if project.notes(step)}
    assert ran == served
    left = {step for step in ("one", "two", "three") if project.depth(project.queue(step))}
    assert left == {"one", "two", "three"} - served


@pytest.mark.parametrize(
    "options", [["--steps", "nobody"], ["--flows", "nothing"], ["--exclude", "one"]]
)
def test_a_worker_with_nothing_to_serve_says_so(
    make_project: Callable[..., Project], options: list[str]
) -> None:
    project = make_project(None)
    project.step("one", ["work"])
    worker = project.command("worker", *options)
    assert worker.wait() == 1
    assert "motia-celery plan" in worker.words
    assert "Traceback" not in worker.words


def test_two_prefixes_do_not_see_each_other(
    make_project: Callable[..., Project],
    broker_url: str,
    name_prefix: str,
    forget_queue: Callable[[str], None],
) -> None:
    """Two apps share one virtual host and one Redis, and no event or dead letter."""
    ours = make_project(broker_url, f"{name_prefix}a")
    theirs = make_project(broker_url, f"{name_prefix}b")
    for project in (ours, theirs):
        project.step("works", ["work"], retries=1)
        forget_queue(project.queue("works"))
        project.worker()
    ours.emit("work", {"token": "ours", "fails": {"works": 9}})
    theirs.emit("work", {"token": "theirs"})
    (letter,) = ours.dead_letters()
    assert letter.data["token"] == "ours"
    theirs.wait_for("works")
    assert {note["data"]["token"] for note in ours.notes("works")} == {"ours"}
    assert {note["data"]["token"] for note in theirs.notes("works")} == {"theirs"}
    assert theirs.take(theirs.names.dead_letter_queue) == []


# How a worker stops.


def test_sigterm_lets_runs_finish(project: Project) -> None:
    """A run that ends within the soft timeout is done once, and its delivery is gone."""
    project.step("slow", ["slow"])
    worker = project.worker(soft_shutdown_seconds=5)
    project.emit("slow", {"sleep": 1.5})
    project.wait_for("slow", 1, "begun")
    code = worker.terminate(60)
    assert code == 0
    assert len(project.notes("slow", "done")) == 1
    assert project.depth(project.queue("slow")) == 0


def test_sigterm_gives_back_what_does_not_finish(project: Project) -> None:
    """After the soft timeout the rest goes back to the queue, and the worker ends in time."""
    project.step("endless", ["slow"])
    project.step("quick", ["slow"])
    worker = project.worker(soft_shutdown_seconds=1)
    project.emit("slow", {"token": "t", "sleep": 600})
    project.wait_for("endless", 1, "begun")
    code = worker.terminate()
    assert code == 0
    if project.settings().uses_rabbitmq:
        wait_until(lambda: project.depth(project.queue("endless")) == 1, "the delivery's return")
    other = project.worker()
    again = project.wait_for("endless", 2, "begun", seconds=60)
    assert again[0]["run"] == again[1]["run"]
    assert again[1]["pid"] == other.pid


def test_an_idle_worker_stops_at_once(project: Project) -> None:
    project.step("slow", ["slow"])
    worker = project.worker(soft_shutdown_seconds=600)
    assert worker.terminate() == 0
