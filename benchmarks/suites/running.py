"""A suite's own command, in an environment of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path


async def run(
    name: str, words: Sequence[str], environment: Mapping[str, str], *, folder: Path | None = None,
    leaves: Path | None = None,
) -> None:  # fmt: skip
    """Run ``words`` to their end, in ``folder``.

    Raises:
        RuntimeError: it failed, or did not write the file ``leaves``; the message ends with what it printed.
    """
    process = await asyncio.create_subprocess_exec(
        *words, env=environment, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    if process.returncode or (leaves is not None and not await asyncio.to_thread(leaves.exists)):
        raise RuntimeError(f"{name} failed ({process.returncode}):\n{told.decode(errors='replace')[-3000:]}")
