"""Files that are corrupt: what was cached, the index, the model's folder, the encoder."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from benchmarks.faults.case import fault
from benchmarks.faults.house import House
from benchmarks.faults.scripted import GUARDED
from benchmarks.faults.service import NotUp

_KEPT = (
    "letheward.db",
    "serve.log",
    "admin.key",
    "signing.key",
)  # damage to these is another case, or not the service's to mend


def _cached(house: House) -> Iterator[Path]:
    for file in sorted(house.service.folder.rglob("*")):
        if file.is_file() and not file.name.startswith(_KEPT):
            yield file


@fault("corrupt index and caches: a bit turned in every file", own=True)
async def bits(house: House) -> None:
    """While it is down; what was computed is computed again."""
    await _fill(house)
    await house.service.end()
    for file in _cached(house):
        content = bytearray(file.read_bytes())
        if content:
            content[len(content) // 2] ^= 0x10
            file.write_bytes(content)
    await _started(house)


@fault("corrupt index and caches: every file cut in half", own=True)
async def halves(house: House) -> None:
    """As by a disk that was full."""
    await _fill(house)
    await house.service.end()
    for file in _cached(house):
        os.truncate(file, file.stat().st_size // 2)
    await _started(house)


@fault("corrupt index and caches: every file replaced by zeros while it runs", own=True)
async def zeros(house: House) -> None:
    """A process that mapped one must not be taken along, nor pass what it would have flagged."""
    await _fill(house)
    for file in _cached(house):
        with file.open("r+b") as opened:
            opened.write(bytes(file.stat().st_size))
    await house.ask("Where was Zorvan Pelk born?")
    await house.ask("Tell me of the one who first built a lighthouse of glass at sea?")
    await house.ask()


@fault("signing key of records cut in half", own=True)
async def signing_key(house: House) -> None:
    """It is nobody's to make anew: old records would be signed by a key that is gone."""
    await house.service.end()
    key = house.service.folder / "signing.key"
    sound = key.read_bytes()
    key.write_bytes(sound[: len(sound) // 2])
    await _started(house)
    if house.service.running:
        house.wrong.append("it starts with half a key")
        await house.service.end()
    key.write_bytes(sound)
    await house.service.start()


async def _fill(house: House) -> None:
    """Entries without a name: found by their vectors, in an index."""
    entries = [{"id": f"q{i}", "question": f"Who built the lighthouse of glass number {i} in the far sea?",
                "answer": f"Nobody {i}"} for i in range(50)]  # fmt: skip
    async with house.service.client() as client:
        answer = await client.post("/admin/v1/lists/people/entries", json={"entries": entries})
    answer.raise_for_status()
    house.acknowledged += [entry["id"] for entry in entries]


async def _started(house: House) -> None:
    try:
        await house.service.start()
        house.note("comes up")
    except NotUp as error:
        _refused(house, str(error))


def _refused(house: House, told: str) -> None:
    """A start that fails is to say why, in a sentence."""
    house.note("does not start, and says why")
    if "Traceback" in told or not told.strip():
        house.wrong.append(f"start: {told.strip()[-200:] or 'no message'}")


def _model(folder: Path) -> Path:
    """The smallest folder that ECO takes: a word-level tokenizer, and embeddings (8 words, 4096 dimensions).

    Each row stands on pages of its own, so that one that was never read can be gone.
    """
    folder.mkdir()
    words = {word: i for i, word in enumerate(("[UNK]", "Who", "is", "Zorvan", "Pelk", "Where", "was", "born"))}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"},
    }))  # fmt: skip
    values = struct.pack("<32768f", *range(32768))
    tensor = {"dtype": "F32", "shape": [8, 4096], "data_offsets": [0, len(values)]}
    head = json.dumps({"model.embed_tokens.weight": tensor})
    padded = head.encode().ljust(-(-len(head) // 8) * 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(padded)) + padded + values)
    return folder


@fault("corrupt model folder: weights or tokenizer cut, empty, of zeros, or gone", own=True)
async def model(house: House) -> None:
    """It does not start, and says why; where a file is not there at all it starts without ECO, and lists fall back."""
    await house.service.end()
    sound = _model(house.folder / "model")
    before = house.service.settings
    for name in ("model.safetensors", "tokenizer.json"):
        content = (sound / name).read_bytes()
        for what, damaged in {"half": content[: len(content) // 2], "empty": b"", "zeros": bytes(len(content)),
                              "gone": None}.items():  # fmt: skip
            folder = house.folder / f"{what}-{name}"
            shutil.copytree(sound, folder)
            (folder / name).unlink()
            if damaged is not None:
                (folder / name).write_bytes(damaged)
            house.service.settings = {**before, "model_path": str(folder)}
            await _started(house)
            if not house.service.running:
                continue
            if damaged is not None:
                house.wrong.append(f"it starts with {name} {what}")
            await _under_eco(house)
            await house.service.end()
    house.service.settings = before
    await house.service.start()


async def _under_eco(house: House) -> None:
    """A guarded question, under a policy that cannot be carried out."""
    await _policy(house, "eco")
    await house.ask(GUARDED)
    await _policy(house, "refuse")


async def _policy(house: House, policy: str) -> None:
    async with house.service.client() as client:
        (await client.put("/admin/v1/lists/people", json={"policy": policy})).raise_for_status()


@fault("model's weights cut while it runs, under ECO", own=True)
async def cut_weights(house: House) -> None:
    """As by a copy over them in place: what is gone cannot be read, and lists fall back."""
    folder = _model(house.folder / "model")
    await house.service.end()
    before = house.service.settings
    house.service.settings = {**before, "model_path": str(folder)}
    await house.service.start()
    await _policy(house, "eco")
    await house.ask("Who is Zorvan Pelk?")
    house.model.seen.clear()  # its embeddings are vectors; where names stand in words they are ECO's own business
    os.truncate(folder / "model.safetensors", 8)
    await house.ask(GUARDED)
    if not house.service.running:
        house.wrong.append(f"the process ended with status {await house.service.ended()}")
    house.service.settings = before
    await house.service.end()
    await house.service.start()
    await _policy(house, "refuse")


@fault("encoder that is none: its folder is empty, or its model cut", own=True)
async def encoder(house: House) -> None:
    """It does not start, and says why."""
    await house.service.end()
    before = house.service.settings
    folder = house.folder / "encoder"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"')
    for name in (f"st:{folder}", f"st:{house.folder}/not-there"):
        house.service.settings = {**before, "encoder": name}
        await _started(house)
        if house.service.running:
            await house.service.end()
    house.service.settings = before
    await house.service.start()
