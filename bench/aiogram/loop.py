"""aiogram's own `send_message`, run by an interpreter that has it: it asks for an older pydantic
than ours.

`python loop.py URL TOKEN COUNT AT_ONCE` reads the text and prints the seconds of processor; one
round before warms up.
"""

import asyncio
import sys
import time

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer


async def main(url: str, token: str, count: int, at_once: int, words: str) -> float:
    """Seconds of processor for `count` messages."""
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url), limit=at_once))

    async def send(numbers: range) -> float:
        left = iter(numbers)

        async def poster() -> None:
            for number in left:
                await bot.send_message(number, words)

        used = time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(poster())
        return time.process_time() - used

    await send(range(1, count // 4))
    used = await send(range(1, count + 1))
    await bot.session.close()
    return used


if __name__ == "__main__":
    _, its_url, its_token, its_count, its_width = sys.argv
    its_words = sys.stdin.read()
    print(asyncio.run(main(its_url, its_token, int(its_count), int(its_width), its_words)))
