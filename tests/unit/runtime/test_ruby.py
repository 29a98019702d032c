"""The Ruby host without a parent: how it is found, its frames, and what handlers are given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from motia_celery.discover.absent import absent_languages
from motia_celery.runtime import ruby
from motia_celery.runtime.faults import run_error
from motia_celery.runtime.remote import RemoteError
from motia_celery.runtime.ruby import find_ruby
from motia_celery.testing import call_step

HOST = Path(ruby.__file__).parent / "ruby"

GOOD = "config = { type: 'noop', name: 'good' }\n"


def evaluated(code: str) -> Any:
    """The value of Ruby code that has the host's frames at hand."""
    program = f"require '{HOST}/frames'\ninclude MotiaCelery\nprint JSON.generate([({code})])"
    command = [find_ruby() or "ruby", "-e", program]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)[0]


#: Values in Ruby, and what the other side reads.
VALUES: list[tuple[str, Any]] = [
    ("{ a: :b, 'c' => [1, 1.5, nil, true], 2 => 'ä' }", {"a": "b", "c": [1, 1.5, None, True], "2": "ä"}),  # noqa: E501
    ("10**30", 10**30),
    (r'"\x00\xFF".b', {"$bytes": "AP8="}),
    ("'text of a socket'.b", "text of a socket"),
    ("Bytes.new('text')", {"$bytes": "dGV4dA=="}),
    (r'"half \xE4"', "half \ufffd"),
    (r'"\xE4".dup.force_encoding("ISO-8859-1")', "ä"),
    ('"ä".dup.force_encoding("US-ASCII")', "ä"),
    ("{ '$bytes' => 'own' }", {"$object": {"$bytes": "own"}}),
    ("Time.at(0, 500, :millisecond)", "1970-01-01T00:00:00.500Z"),
    ("require('date'); Date.new(2026, 1, 2)", "2026-01-02"),
    ("require('set'); Set.new([1, 2])", [1, 2]),
    ("require('bigdecimal'); BigDecimal('12.50')", "12.5"),
    ("Struct.new(:a, :b).new(1, { c: 2 })", {"a": 1, "b": {"c": 2}}),
    ("require('ostruct'); OpenStruct.new(a: 1)", {"a": 1}),
    ("Fields.of('a' => [{ 'b' => 1 }])", {"a": [{"b": 1}]}),
]  # fmt: skip


def test_values_become_json() -> None:
    values = ", ".join(f"({code})" for code, _ in VALUES)
    frame = f"Frames.encode('type' => 'result', 'value' => [{values}])"
    body = evaluated(f"{frame}.byteslice(4..-1).force_encoding('UTF-8')")
    assert json.loads(body)["value"] == [value for _, value in VALUES]


def test_values_without_json_are_refused() -> None:
    code = """
      values = [Float::NAN, Object.new, [].tap { |list| list << list }]
      values.map { |value| Frames.encode('v' => value) rescue $!.message }
    """
    assert evaluated(f"begin\n{code}\nend") == [
        "NaN has no JSON form",
        "Object has no JSON form",
        "the value is nested more than 250 levels deep",
    ]


def test_a_message_is_read_whole_whatever_pieces_it_comes_in() -> None:
    code = """
      ours, theirs = UNIXSocket.pair
      frames = [{ 'type' => 'ping', 'id' => 1 }, { 'type' => 'call', 'input' => 'ü' * 70_000 }]
      bytes = frames.map { |message| Frames.encode(message) }.join
      parts = bytes.bytes.each_slice(9_000)
      Thread.new { parts.each { |part| ours.write(part.pack('C*')) } && ours.close }
      read = []
      Connection.new(theirs).each { |message| read << message }
      read == frames
    """
    assert evaluated(f"begin\n{code}\nend") is True


def test_fields_answer_to_their_names_before_any_method() -> None:
    code = """
      names = { 'zip' => 1, 'method' => 2, 'class' => 3, 'keys' => 4 }
      data = Fields.of(names.merge('pathParams' => { 'id' => 5 }))
      [data.zip, data.method, data.class, data.keys, data.path_params.id, data[:zip], data['zip'],
       data.missing, data.dig(:pathParams, :id), data.to_h[:zip], data.respond_to?(:zip),
       data.respond_to?(:missing), (data.more = 6), data[:more], data.fetch(:none, 7),
       data == data.dup]
    """
    assert evaluated(f"begin\n{code}\nend") == [
        *(1, 2, 3, 4, 5, 1, 1, None, 5, 1, True, False, 6, 6, 7, True)
    ]  # fmt: skip


#: The source of a file, and the line, the words and the fix of its problem.
BAD: list[tuple[str, int | None, str, str]] = [
    ("config = {\n  type: 'noop'\nend\n", 3, "syntax error: unexpected", "Correct"),
    ("require 'not_there_gem'", 1, "not_there_gem", "gem install not_there_gem"),
    ("require_relative '../lib/gone'", 1, "lib/gone", "no such file"),
    ("KEY = ENV.fetch('NOT_SET')", 1, "KeyError: key not found", ".env"),
    ("exit 3", 1, "exit was called", "must not end"),
    ("Process.kill('KILL', Process.pid)", None, "signal 9", "must not end"),
    ("a = 1", None, "defines no config", "Define config"),
    ("config = { type: 'event', name: 'a' }", 1, "subscribes", ""),
    ("config = { type: 'cron', name: 'b', cron: '@daily' }", 1, "no handler", "def handler"),
    ("config = { type: 'noop', name: 'c', flows: Object.new }", None, "no JSON form", "Correct"),
]


def test_a_bad_file_is_a_problem_with_its_place_and_the_others_run(project: Any) -> None:
    for number, (source, *_) in enumerate(BAD):
        project.write(f"steps/bad{number}_step.rb", source)
    project.write("steps/good.step.rb", GOOD)
    found = project.discover()
    assert [step.name for step in found.steps] == ["good"]
    problems = {problem.file: problem for problem in found.problems}
    for number, (_, line, what, fix) in enumerate(BAD):
        problem = problems.pop(f"steps/bad{number}_step.rb")
        assert what in problem.what
        assert fix in problem.fix
        assert problem.line == line
    assert not problems


def test_a_condition_that_is_no_function_is_a_problem_and_never_holds(project: Any) -> None:
    trigger = "{ type: 'queue', topic: 'a', condition: 'amount > 1' }"
    source = f"config = {{ name: 'a', triggers: [{trigger}] }}\ndef handler(_); end\n"
    project.write("steps/a_step.rb", source)
    (problem,) = project.discover().problems
    assert problem.what == "condition is no function but String"
    assert problem.field == "triggers.0.condition"


def test_without_ruby_its_files_are_listed_and_the_rest_runs(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ruby, "find_ruby", lambda: None)
    project.write("steps/a_step.py", "config = {'type': 'noop', 'name': 'a'}")
    project.write("steps/b_step.rb", GOOD)
    found = project.discover()
    assert [step.name for step in found.steps] == ["a"]
    (problem,) = found.problems
    assert problem.file == "steps/b_step.rb"
    assert "apt-get install -y ruby" in problem.fix
    (absent,) = absent_languages(project.root)
    assert (absent.file, absent.fix) == (problem.file, problem.fix)


def test_a_ruby_that_is_too_old_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ruby"
    for version, fits in (("2.6.10", False), ("2.7.0", True), ("3.1.7", True)):
        program.write_text(f"#!/bin/sh\necho ruby {version}\n")
        program.chmod(0o755)
        monkeypatch.setenv("RUBY_BIN", str(program))
        assert (find_ruby.__wrapped__() is not None) is fits


CALLED = """
config = { type: 'event', name: 'called', subscribes: ['a'], emits: ['b'], flows: ['f'] }

@times = 0

def count
  @times += 1
end

def handler(order, ctx)
  puts 'printed', [1, 2]
  print 'in ', 'parts'
  warn 'careful'
  ctx.logger.info('Heard', { id: order.id, error: ArgumentError.new('no') })
  before = ctx.state.get('orders', order[:id])
  ctx.state.set('orders', order.id, order)
  ctx.streams.live.set('g', order.id, { total: order.lines.sum(&:price) })
  ctx.transaction do |together|
    together.state.set('orders', 'last', order.id)
    together.emit(topic: 'b', data: { id: order['id'], 'count' => count })
  end
  [before&.old, ctx.traceId == ctx.trace_id, ctx.flows]
end
"""


async def test_a_handler_is_called_with_all_that_others_have(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "called.step.rb").write_text(CALLED)
    order = {"id": "7", "lines": [{"price": 2}, {"price": 3}]}
    before = {"orders": {"7": {"old": "yes"}}}
    done = await call_step("steps/called.step.rb", order, state=before, root=tmp_path)
    assert done.result == ["yes", True, ["f"]]
    assert done.state["orders"] == {"7": order, "last": "7"}
    assert done.streams["live"]["g"]["7"]["total"] == 5
    assert [(emit.topic, emit.data) for emit in done.emits] == [("b", {"id": "7", "count": 1})]
    lines = [(line.level, line.message) for line in done.logs]
    told = [("info", "printed\n1\n2"), ("warn", "careful"), ("info", "Heard"), ("info", "in parts")]
    assert lines == told
    assert done.logs[2].data["error"]["name"] == "ArgumentError"


THROWS = """
require_relative '../lib/shop'
config = { type: 'event', name: 'throws', subscribes: ['a'] }

def handler(data)
  Shop.sell(data.item)
end
"""

SHOP = """
module Shop
  class SoldOut < StandardError; end

  def self.sell(item)
    Integer(item)
  rescue ArgumentError
    raise SoldOut, "no #{item}"
  end
end
"""


async def test_an_error_has_its_backtrace_its_cause_and_its_line(tmp_path: Path) -> None:
    for file, text in {"steps/throws_step.rb": THROWS, "lib/shop.rb": SHOP}.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    data = {"item": "lamp"}
    done = await call_step("steps/throws_step.rb", data, root=tmp_path, raises=False)
    error = done.error
    assert isinstance(error, RemoteError)
    assert (error.name, error.message) == ("Shop::SoldOut", "no lamp")
    assert error.where == "lib/shop.rb:8"
    assert run_error(error, tmp_path).names == ("Shop::SoldOut", "SoldOut", "StandardError")
    assert "throws_step.rb:6" in error.stack
    assert "caused by: ArgumentError: invalid value" in error.stack
    assert str(HOST) not in error.stack
