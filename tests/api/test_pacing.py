from __future__ import annotations

import asyncio
import time

from api.pacing import in_turns


def test_long_work_lets_others_in_between_and_loses_nothing() -> None:
    async def run() -> tuple[list[int], int]:
        done, turns = [], 0

        async def other() -> None:
            nonlocal turns
            while len(done) < 40:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        async for item in in_turns(range(40), turn_seconds=0.002):
            time.sleep(0.001)
            done.append(item)
        await beside
        return done, turns

    done, turns = asyncio.run(run())
    assert done == list(range(40))
    assert turns >= 15
