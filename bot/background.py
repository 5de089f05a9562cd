"""The tasks beside sending and listening, from the start to the stop: the watches, and JOBS."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from bot.jobs import TICK, bound, loop, looped, shared
from bot.recurring import JOBS
from bot.running import Running
from bot.watch import LoopWatch, StoreWatch, keep_watch


def background(bot: Running) -> dict[str, Coroutine[Any, Any, None]]:
    """Each by its name: the watches, and the jobs as loops of our own or shared by replicas."""
    store, settings = bot.store, bot.settings
    works = bound(bot, JOBS)  # first: where it refuses a job, no watch was made that nobody awaits
    watched = StoreWatch(
        store, bot.api, settings.admin_ids, settings.default_language, bot.worker.stop
    )
    running = {"watch": keep_watch(watched, LoopWatch(), bot.stopping, lambda: bot.pause(TICK))}
    for work in looped(works, alone=store.alone):
        running[work.job.name] = loop(work, bot.pause, bot.stopping)
    if not store.alone:
        from bot import cluster  # its libraries are for servers only

        running["jobs"] = cluster.run(store, shared(works), bot.clock, bot.stopping)
    return running
