"""The dead letters, for people: look at them, send them to their Steps again, or delete them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from motia_celery.broker.letter import Held, LetterReader, replay_message
from motia_celery.broker.letter_queue import TURN_SECONDS, LetterQueue, open_letters
from motia_celery.broker.wire import Message
from motia_celery.errors import DeadLetterError, FrameworkError
from motia_celery.model.dead_letter import (
    ALL,
    NO_EVENT,
    DeadLetter,
    LetterFilter,
    Listing,
    NotReplayed,
    Replayed,
    is_json,
)
from motia_celery.plan.topology import Names, QueuePlan
from motia_celery.settings import Settings

#: Letters that are published before their confirms are waited for.
_BATCH = 100

#: Is told how many letters were looked at, and of how many.
Progress = Callable[[int, int], None]


def _nothing(_seen: int, _total: int) -> None:
    return


class DeadLetters:
    """The dead letters of one app. Its methods block, and each has a connection of its own.

    ``queues`` are those of the Plan. On RabbitMQ it goes without them; on Redis nothing can be
    replayed then, because only the Plan knows whom a queue belongs to.
    """

    def __init__(
        self,
        settings: Settings,
        queues: Iterable[QueuePlan] = (),
        *,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._settings = settings
        self._names = Names(settings.prefix)
        self._queues = tuple(queues)
        self._reader = LetterReader(self._names, settings.event_limit_bytes, self._queues)
        self._turn_seconds = turn_seconds

    @contextmanager
    def _opened(self) -> Iterator[LetterQueue]:
        names = [plan.name for plan in self._queues]
        with open_letters(self._settings, names, self._turn_seconds) as letters:
            yield letters

    def each(self, wanted: LetterFilter = ALL) -> Iterator[DeadLetter]:
        """Every dead letter that matches, oldest first, one in memory at a time."""
        with self._opened() as letters:
            for _, letter in self._read(letters):
                if wanted.matches(letter):
                    yield letter

    def list(self, wanted: LetterFilter = ALL, limit: int = 50) -> Listing:
        """The oldest dead letters that match, at most ``limit``, and how many there are."""
        shown, matching, total = [], 0, 0
        with self._opened() as letters:
            for _, letter in self._read(letters):
                total += 1
                if wanted.matches(letter):
                    matching += 1
                    if matching <= limit:
                        shown.append(letter)
        return Listing(letters=tuple(shown), matching=matching, total=total)

    def by_step(self) -> Counter[str]:
        """How many there are of each Step."""
        return Counter(letter.step for letter in self.each())

    def show(self, identity: str) -> tuple[DeadLetter, ...]:
        """The letters with this id, or the beginning of one; a run may have died more than once.

        Raises:
            DeadLetterError: there is none, or the beginning is that of several ids.
        """
        return tuple(self.each(LetterFilter(ids=self.resolve([identity]))))

    def resolve(self, beginnings: Iterable[str]) -> frozenset[str]:
        """The whole ids that begin like this.

        Raises:
            DeadLetterError: there is none, or there are several, for one of them.
        """
        wanted = tuple(beginnings)
        found: dict[str, set[str]] = {beginning: set() for beginning in wanted}
        for letter in self.each():
            for beginning in wanted:
                if letter.id.startswith(beginning):
                    found[beginning].add(letter.id)
        return frozenset(_only(beginning, ids) for beginning, ids in found.items())

    def ids(self, wanted: LetterFilter = ALL) -> Counter[str]:
        """The ids of the letters that match, and how often each is there."""
        return Counter(letter.id for letter in self.each(wanted))

    def drop(self, ids: Counter[str], progress: Progress = _nothing) -> int:
        """Deletes letters with these ids, and no more of each than is counted here."""
        left, dropped = Counter(ids), 0
        with self._opened() as letters:
            for held, letter in self._read(letters, progress):
                if left[letter.id] > 0:
                    left[letter.id] -= 1
                    letters.remove(held)
                    dropped += 1
        return dropped

    def replay(
        self,
        wanted: LetterFilter = ALL,
        *,
        data: bytes | None = None,
        dry_run: bool = False,
        progress: Progress = _nothing,
    ) -> Replayed:
        """Sends the events of the letters that match to the one Step where each died.

        The event's and the run's ids stay, and attempts count from 1. ``data`` is JSON to send in
        place of the letter's. A letter is deleted after the broker has confirmed its event, so
        whoever is killed in between leaves it, and its run is repeated under the same id. Only what
        is there at the start is replayed. With ``dry_run`` nothing is sent.
        """
        with self._opened() as letters:
            replay = _Replay(self._settings, letters, data, dry_run=dry_run)
            for held, letter in self._read(letters, progress):
                if wanted.matches(letter):
                    replay.add(held, letter)
            return replay.finish()

    def _read(
        self, letters: LetterQueue, progress: Progress = _nothing
    ) -> Iterator[tuple[Held, DeadLetter]]:
        total = letters.count()
        for seen, held in enumerate(letters.read(), 1):
            yield held, self._reader.read(held.raw)
            progress(seen, max(seen, total))


class _Replay:
    """One replay: gathers letters, publishes a batch of them, and notes those that stay."""

    def __init__(
        self, settings: Settings, letters: LetterQueue, data: bytes | None, *, dry_run: bool
    ) -> None:
        self._settings = settings
        self._letters = letters
        self._data = data
        self._dry_run = dry_run
        self._batch: list[tuple[Held, DeadLetter, Message]] = []
        self._count = 0
        self._stay: list[NotReplayed] = []

    def add(self, held: Held, letter: DeadLetter) -> None:
        """Takes a letter to be replayed."""
        try:
            body = self._body(letter)
        except DeadLetterError as error:
            self._stays(letter, error)
            return
        names, amqp = Names(self._settings.prefix), self._settings.uses_rabbitmq
        self._batch.append((held, letter, replay_message(letter, body, names, amqp=amqp)))
        if len(self._batch) >= _BATCH:
            self._send()

    def finish(self) -> Replayed:
        """Sends the rest."""
        self._send()
        return Replayed(self._count, tuple(self._stay))

    def _send(self) -> None:
        batch, self._batch = self._batch, []
        if self._dry_run:
            self._count += len(batch)
            return
        outcomes = self._letters.resend([(held, message) for held, _, message in batch])
        for (_, letter, _), error in zip(batch, outcomes, strict=True):
            if error is None:
                self._count += 1
            else:
                self._stays(letter, error)

    def _stays(self, letter: DeadLetter, error: FrameworkError) -> None:
        self._stay.append(NotReplayed(letter.id, letter.step, error.what, error.fix))

    def _body(self, letter: DeadLetter) -> bytes:
        """What to send.

        Raises:
            DeadLetterError: nothing can be sent.
        """
        if not letter.queue or not self._letters.serves(letter.queue):
            raise DeadLetterError(
                f"the queue {letter.queue!r} of its Step is not there.",
                letter.id,
                "Bring the Step back and run `motia-celery release`, or drop the letter.",
            )
        if self._data is None and (letter.reason in NO_EVENT or not is_json(letter.body)):
            raise DeadLetterError(
                "it is no event that a Step could take.",
                letter.id,
                "Replay it alone with --edit or --data, which give it a payload.",
            )
        body = letter.body if self._data is None else self._data
        if len(body) > self._settings.event_limit_bytes:
            raise DeadLetterError(
                f"it has {len(body)} bytes, and workers would refuse it.",
                letter.id,
                "Raise MOTIA_EVENT_LIMIT_BYTES, or replay it with --edit or --data.",
            )
        return body


def _only(beginning: str, ids: set[str]) -> str:
    """The id that is meant."""
    if beginning in ids or len(ids) == 1:
        return beginning if beginning in ids else next(iter(ids))
    if not ids:
        raise DeadLetterError(
            f"there is no dead letter {beginning!r}.", "", "`motia-celery dlq list` lists them."
        )
    some = ", ".join(sorted(ids)[:5])
    raise DeadLetterError(f"{len(ids)} dead letters begin like that ({some}).", beginning)
