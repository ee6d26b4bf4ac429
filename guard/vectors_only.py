"""Entries of lists that keep no text: what is kept of them, made and read (DRAGON's unlearn store, arXiv 2511.05784).

Of a question, a statement and paraphrases the vectors stay, of names and of what an answer tells keyed hashes. The
salt stands beside them: nobody can read a text off them, but whoever has the store can ask it whether a name that he
guesses is there, as he can by asking the running proxy. Where the operator has set keys (``guard.sealing``), salt and
hashes are sealed with them, and a stolen database answers nothing.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifiers.lexical import Kind
from classifiers.normalise import fold_words
from classifiers.targets import answer_words, without_names, words_said
from classifiers.textless import (
    FIRST,
    PART,
    PHRASE,
    SALT,
    WORD,
    HashedName,
    Hasher,
    Textless,
    hashed_name,
    hashed_words,
    longest,
    phrase,
    tokens,
    told,
)
from classifiers.types import Encoder, Target
from guard.model import Entry, Kept

Floats = npt.NDArray[np.float32]

_CHUNK = 32  # texts at a time, so that prompts get their turn in between
_KINDS: dict[str, Kind] = {"full": "full", "derived": "derived", "partial": "partial"}
_ID = "\3"  # marks what is hashed for an id; no folded text holds it


class OtherEncoder(ValueError):
    """Vectors were made with another encoder than the server's."""


def new_salt() -> str:
    """A salt for a list."""
    return secrets.token_hex(SALT)


def check_encoder(entries: Iterable[Entry], encoder: Encoder) -> None:
    """See that vectors of ``entries`` can be compared with those of ``encoder``.

    Raises:
        OtherEncoder: they cannot; the message says what to do.
    """
    for entry in entries:
        kept = entry.kept
        if kept is not None and (kept.encoder, kept.dim) != (encoder.name, encoder.dim):
            raise OtherEncoder(
                f"the list {entry.list_name!r} holds vectors of the encoder {kept.encoder} ({kept.dim} dimensions), and"
                f" the server uses {encoder.name} ({encoder.dim}): set its encoder back to {kept.encoder}, or remove"
                " the list while that is in use and import it again from its texts"
            )


def keep(entries: Sequence[Entry], encoder: Encoder, salt: str) -> list[Entry]:
    """``entries`` without their texts; what has none already stays as it is.

    An id is hashed too, as it may be a name: the same line gets the same id in one list, and replaces itself when it
    is imported again. Labels and the source, which may tell something as well, are not kept.

    Raises:
        OtherEncoder: an entry holds vectors of another encoder.
    """
    check_encoder(entries, encoder)
    hasher = Hasher(bytes.fromhex(salt))
    targets = [whole_target(e) for e in entries if e.kept is None]
    bare = [without_names(t) for t in targets]
    texts = [text for t, own in zip(targets, bare, strict=True) for text in (*t.texts, *own)]
    vectors = iter(_encoded(texts, encoder))
    plain = iter(zip(targets, bare, strict=True))
    made: list[Entry] = []
    for entry in entries:
        if entry.kept is not None:
            made.append(entry)
            continue
        target, own = next(plain)
        rows = [next(vectors) for _ in target.texts], [next(vectors) for _ in own]
        made.append(_kept(entry, target, rows, encoder, hasher))
    return made


def textless(kept: Kept) -> Textless:
    """What the detector knows of such an entry.

    Raises:
        ValueError: it is none that ``keep`` made.
    """
    try:
        vectors = [_floats(v, kept.dim) for v in kept.vectors]
        if any(len(v) != 1 for v in vectors):
            raise ValueError("a vector has another length than it says")
        empty = np.empty((0, kept.dim), np.float32)
        bare = _floats(kept.bare, kept.dim) if kept.bare else empty
        if len(bare) not in (0, len(vectors)):
            raise ValueError("there are not as many vectors without names")
        return Textless(
            _salt(kept.salt), tuple(map(_read_name, kept.names)), np.concatenate([empty, *vectors]), bare,
            _shorts(kept.words), _shorts(kept.told), kept.told_weight, kept.longest,
        )  # fmt: skip
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"what is kept of an entry cannot be read: {error}") from error


def whole_target(entry: Entry) -> Target:
    """What the detector needs of an entry whose texts are kept."""
    names = tuple(filter(None, (entry.subject, *entry.aliases)))
    texts = tuple(dict.fromkeys(filter(None, (entry.question, *entry.paraphrases, entry.text))))
    facts = (entry.answer,) if entry.answer else ()
    return Target(entry.list_name, entry.entry_id, names, texts, entry.scope, entry.kind == "allow", facts)


def _kept(
    entry: Entry, target: Target, rows: tuple[list[Floats], list[Floats]], encoder: Encoder, hasher: Hasher
) -> Entry:
    names = [n for name in dict.fromkeys(target.names) if (n := hashed_name(name, hasher))]
    values = _values(entry)
    adds, weight = told(answer_words(target), hasher)
    kept = Kept(
        encoder.name, encoder.dim, tuple(map(_text, rows[0])), hasher.salt.hex(), tuple(map(_written, names)),
        tuple(sorted(b"".join(phrase(v, hasher)).hex() for v in values)),
        max([*map(len, values), *map(longest, target.names)], default=0),
        _text(np.stack(rows[1])) if rows[1] else "",
        _joined(hashed_words(words_said([replace(target, facts=())]), hasher)), _joined(adds), weight,
    )  # fmt: skip
    return Entry(
        hasher.of(_ID + entry.entry_id)[:12].hex(), entry.list_name, scope=entry.scope, kind=entry.kind,
        action=entry.action, kept=kept, sigma=entry.sigma, template=entry.template, expires_at=entry.expires_at,
    )  # fmt: skip


def _values(entry: Entry) -> list[list[str]]:
    """What an answer gives away, as folded words."""
    from guard.output.values import values_of  # which is built on snapshots, and so on this

    found = ([word for word, _, _ in tokens(fold_words(value))] for value in values_of(entry))
    return [words for words in found if words]


def _encoded(texts: Sequence[str], encoder: Encoder) -> list[Floats]:
    known: dict[str, Floats] = {}
    distinct = list(dict.fromkeys(texts))
    for at in range(0, len(distinct), _CHUNK):
        some = distinct[at : at + _CHUNK]
        known.update(zip(some, encoder.encode(some), strict=True))
    return [known[text] for text in texts]


def _text(vectors: Floats) -> str:
    return base64.b64encode(np.ascontiguousarray(vectors, "<f2").tobytes()).decode("ascii")


def _floats(text: str, dim: int) -> Floats:
    rows = np.frombuffer(base64.b64decode(text, validate=True), "<f2").reshape(-1, dim).astype(np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(rows).all() or (norms < 0.5).any():
        raise ValueError("a vector is none of unit length")
    return np.asarray(rows / norms, np.float32)


def _salt(text: str) -> bytes:
    salt = bytes.fromhex(text)
    if len(salt) != SALT:
        raise ValueError(f"the salt has not {SALT} bytes")
    return salt


def _written(name: HashedName) -> str:
    """A hashed name in one line."""
    items = [f"{kind}:{own.hex()}:{first.hex()}" for kind, own, first in name.phrases]
    items += [f"joined:{own.hex()}:{first.hex()}:{length}" for length, own, first in name.joined]
    items += [f"part:{b''.join(part).hex()}" for part in name.parts]
    return " ".join(items)


def _read_name(line: str) -> HashedName:
    """What ``_written`` wrote."""
    phrases: list[tuple[Kind, bytes, bytes]] = []
    joined: list[tuple[int, bytes, bytes]] = []
    parts: list[tuple[bytes, ...]] = []
    for item in line.split(" "):
        kind, *fields = item.split(":")
        if kind == "part" and len(fields) == 1:
            parts.append(_pieces(fields[0], PART))
        elif kind == "joined" and len(fields) == 3:
            joined.append((int(fields[2]), _exactly(fields[0], PHRASE), _exactly(fields[1], FIRST)))
        elif kind in _KINDS and len(fields) == 2:
            phrases.append((_KINDS[kind], _exactly(fields[0], PHRASE), _exactly(fields[1], FIRST)))
        else:
            raise ValueError("a name is not as it is written here")
    if not phrases or not parts:
        raise ValueError("a name has no spelling")
    return HashedName(tuple(phrases), tuple(joined), tuple(parts))


def _joined(hashes: Iterable[bytes]) -> str:
    return b"".join(sorted(hashes)).hex()  # in no order of the text


def _shorts(text: str) -> frozenset[bytes]:
    return frozenset(_pieces(text, WORD))


def _pieces(text: str, piece: slice) -> tuple[bytes, ...]:
    raw, size = bytes.fromhex(text), piece.stop - piece.start
    if len(raw) % size:
        raise ValueError("hashes of another length")
    return tuple(raw[i : i + size] for i in range(0, len(raw), size))


def _exactly(text: str, piece: slice) -> bytes:
    (found,) = _pieces(text, piece)
    return found
