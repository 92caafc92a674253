"""Answers of a bucket that questions close to one another share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

LISTING_S: Final = 1.0
"""How long a listing answers further questions, counted from before it was asked for: a page asks ten at once, and one
for each day that somebody steps through, while runs publish minutes apart. Whatever was published is seen by every
question that comes a second later."""

Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


class Listings(Generic[Asked, Answer]):
    """``ask``, whose answer is that of the last second, or of another thread that is asking the same; a failure is that
    of all who wait for it, and of nobody after them."""

    def __init__(self, ask: Callable[[Asked], Answer], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[Asked, tuple[float, Future[Answer]]] = {}

    def __call__(self, asked: Asked) -> Answer:
        now = self._clock()
        with self._lock:
            self._answers = {one: known for one, known in self._answers.items() if self._is_good(known, now)}
            shared = self._answers.get(asked)
            if shared is None:
                answer: Future[Answer] = Future()
                self._answers[asked] = now, answer
        if shared is not None:
            return shared[1].result()
        try:
            answer.set_result(self._ask(asked))
        except BaseException as error:
            answer.set_exception(error)
            raise
        return answer.result()

    @staticmethod
    def _is_good(known: tuple[float, Future[Answer]], now: float) -> bool:
        began, answer = known
        return now - began < LISTING_S and not (answer.done() and answer.exception())
