"""Batches through a pool of threads: read ahead, in order, never more in memory than a few."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Final, TypeVar

A = TypeVar("A")
B = TypeVar("B")

#: Batches that wait beyond those in work: enough to keep the workers busy while a row group is written. A second one
#: would cost memory and save no time.
AHEAD: Final = 1
#: How often a reader that waits for room looks whether it is still wanted, in seconds.
PATIENCE: Final = 0.1


def in_order(source: Iterable[A], work: Callable[[A], B], workers: int) -> Generator[B]:
    """``map(work, source)`` with `source` read in a thread of its own and `work` done by a pool of `workers`.

    Whatever is raised, in reading or in work, is raised here; a consumer that stops early stops them all.
    """
    if workers == 1:
        yield from map(work, source)
        return
    results: Queue[Future[B] | BaseException | None] = Queue(workers + AHEAD)
    unwanted = Event()
    with ThreadPoolExecutor(workers) as pool:
        reader = Thread(target=_feed, args=(source, work, pool, results, unwanted), name="reader", daemon=True)
        reader.start()
        try:
            while (found := results.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield found.result()
                del found
        finally:
            unwanted.set()
            reader.join()
            with suppress(Empty):
                while True:
                    left = results.get_nowait()
                    if isinstance(left, Future):
                        left.cancel()


def _feed(
    source: Iterable[A],
    work: Callable[[A], B],
    pool: ThreadPoolExecutor,
    results: Queue[Future[B] | BaseException | None],
    unwanted: Event,
) -> None:
    def put(what: Future[B] | BaseException | None) -> None:
        while not unwanted.is_set():
            with suppress(Full):
                results.put(what, timeout=PATIENCE)
                return

    try:
        for item in source:
            put(pool.submit(work, item))
            if unwanted.is_set():
                return
        put(None)
    except BaseException as error:  # noqa: BLE001 - the consumer raises it
        put(error)
