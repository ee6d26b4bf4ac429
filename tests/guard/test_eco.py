"""What reaches the model of a flagged text."""

from __future__ import annotations

import base64
import io
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from classifiers.types import Span
from guard.corruptions.registry import CORRUPTIONS
from guard.corruptions.spec import CorruptionSpec
from guard.eco import Eco, EcoUnavailable, choose_tokens
from guard.effects import GuardUnavailable
from guard.embeddings import EmbeddingRows
from guard.selection import TokenSelectors
from guard.tokens import ModelTokenizer

TEXT = "What is the capital of Sarvania ?"
NAME = (Span(TEXT.index("Sarvania"), TEXT.index("Sarvania") + 8),)
NOISE = CorruptionSpec("gaussian", 20)


def _tensor(data: str) -> torch.Tensor:
    loaded: torch.Tensor = torch.load(io.BytesIO(base64.b64decode(data)), weights_only=True)
    return loaded


def _changed(eco: Eco, text: str, spans: Sequence[Span], spec: CorruptionSpec = NOISE, **options: Any) -> list[bool]:
    exact = _tensor(eco.exact(text, add_special_tokens=options.get("add_special_tokens", False)))
    corrupted = _tensor(eco.corrupted(text, spans, spec, seed_key="a", **options))
    assert exact.shape == corrupted.shape
    return [not torch.equal(a, b) for a, b in zip(exact, corrupted, strict=True)]


@pytest.fixture(scope="module")
def eco(checkpoint: Path) -> Eco:
    return Eco(checkpoint)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_only_the_entrys_tokens_are_corrupted_whatever_the_corruption(eco: Eco, name: str) -> None:
    assert _changed(eco, TEXT, NAME, CorruptionSpec(name, 20)) == [False] * 5 + [True, False]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_averaging_repeats_reveals_nothing_as_they_are_all_equal(eco: Eco, checkpoint: Path, name: str) -> None:
    spec = CorruptionSpec(name, 20, 3)
    with ThreadPoolExecutor(4) as threads:
        repeats = list(threads.map(lambda _: eco.corrupted(TEXT, NAME, spec, seed_key="a"), range(12)))
    after_a_restart = Eco(checkpoint).corrupted(TEXT, NAME, spec, seed_key="a")
    assert len({*repeats, after_a_restart}) == 1
    mean = torch.stack([_tensor(r) for r in repeats]).mean(dim=0)
    assert not torch.allclose(mean, _tensor(eco.exact(TEXT)))


def test_another_list_or_another_prompt_gets_other_noise(eco: Eco) -> None:
    first = eco.corrupted(TEXT, NAME, NOISE, seed_key="a")
    assert eco.corrupted(TEXT, NAME, NOISE, seed_key="b") != first
    longer = _tensor(eco.corrupted(TEXT + " .", NAME, NOISE, seed_key="a"))
    assert not torch.equal(longer[5], _tensor(first)[5])


def test_without_spans_all_but_the_last_token_are_corrupted(eco: Eco) -> None:
    assert _changed(eco, TEXT, ()) == [True] * 6 + [False]


def test_a_prompt_of_one_token_is_corrupted(eco: Eco) -> None:
    assert _changed(eco, "Zorvan", ()) == [True]


def test_a_text_without_tokens_is_no_fault(eco: Eco) -> None:
    assert _tensor(eco.corrupted("", (), NOISE, seed_key="a")).shape == (0, 8)


def test_a_span_that_touches_no_token_is_as_good_as_none(eco: Eco) -> None:
    assert _changed(eco, TEXT, (Span(4, 5), Span(7, 7), Span(500, 600))) == [True] * 6 + [False]


def test_rows_are_those_of_the_checkpoint_also_when_threads_ask_at_once(checkpoint: Path) -> None:
    rows = EmbeddingRows(checkpoint, cached_rows=2)
    assert rows.rows([0, 3]).tolist() == [list(map(float, range(8))), list(map(float, range(24, 32)))]
    assert rows.rows([]).shape == (0, 8)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda i: rows.rows([i % 14, 3])[0, 0].item(), range(200)))
    assert found == [i % 14 * 8 for i in range(200)]
    with pytest.raises(ValueError, match="no embedding row"):
        rows.rows([14])


def test_a_folder_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="ECO cannot be used"):
        EmbeddingRows(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        Eco(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: bytes(len(b))])
def test_a_folder_that_is_damaged_says_which_file_cannot_be_read(
    checkpoint: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(checkpoint, folder)
    (folder / name).unlink()
    (folder / name).write_bytes(damage((checkpoint / name).read_bytes()))
    with pytest.raises(ValueError, match=rf"{name} cannot be read"):
        Eco(folder)


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_rows_of_every_kind_of_number_read_as_the_library_reads_them(tmp_path: Path, kind: torch.dtype) -> None:
    weights = torch.randn(5, 8, generator=torch.Generator().manual_seed(1)).to(kind)
    save_file({"a.bias": torch.ones(3), "model.embed_tokens.weight": weights}, tmp_path / "model.safetensors")
    assert torch.equal(EmbeddingRows(tmp_path).rows(range(5)), weights.to(torch.float32))


def test_weights_that_are_no_floats_are_not_taken_for_any(tmp_path: Path) -> None:
    weights = torch.ones(5, 8, dtype=torch.int8)
    save_file({"model.embed_tokens.weight": weights}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="kind I8"):
        EmbeddingRows(tmp_path)


def test_weights_that_are_cut_while_they_are_in_use_make_eco_unavailable(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((checkpoint / "tokenizer.json").read_bytes())
    save_file({"model.embed_tokens.weight": torch.ones(20, 4096)}, tmp_path / "model.safetensors")
    eco = Eco(tmp_path)
    os.truncate(tmp_path / "model.safetensors", 8)
    with pytest.raises(EcoUnavailable, match="not in the file any more"):
        eco.corrupted(TEXT, NAME, NOISE, seed_key="a")


@pytest.mark.parametrize("index", [b'{"weight_map": {', b"{}", b"[]", b'{"weight_map": 7}'])
def test_an_index_of_shards_that_is_none_says_so(tmp_path: Path, index: bytes) -> None:
    (tmp_path / "model.safetensors.index.json").write_bytes(index)
    with pytest.raises(ValueError, match=r"index\.json cannot be read"):
        EmbeddingRows(tmp_path)


def test_token_ids_read_as_the_model_reads_them(eco: Eco) -> None:
    assert eco.tokenizer.decode([8, 9]) == "Zorvan Pelk"
    with pytest.raises(ValueError, match="out of vocabulary"):
        eco.tokenizer.decode([99])


def test_a_token_without_an_embedding_row_makes_eco_unavailable(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes((checkpoint / "tokenizer.json").read_bytes())
    save_file({"model.embed_tokens.weight": torch.ones(5, 8)}, tmp_path / "model.safetensors")
    with pytest.raises(EcoUnavailable, match="no embedding row"):
        Eco(tmp_path).corrupted(TEXT, NAME, NOISE, seed_key="a")
    assert issubclass(EcoUnavailable, GuardUnavailable)


# Tokenizers of the kinds that models have. None of them has seen what they are asked to split.

ALPHABET = "Who is born in the capital of what was written by a not known ? . ,"
BYTES = [f"<0x{i:02X}>" for i in range(256)]


def byte_level(*, trim: bool, regex: bool = True) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)
    made.post_processor = processors.ByteLevel(trim_offsets=trim)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [ALPHABET] * 3, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    )
    return made


def unigram(*, metaspace: bool) -> Tokenizer:
    words = [f"▁{word}" for word in set(ALPHABET.split())]
    letters = sorted(set(ALPHABET) - {" "})
    pieces = [("<unk>", 0.0), ("▁", -3.0), *((w, -4.0) for w in words), *((c, -6.0) for c in letters)]
    made = Tokenizer(models.Unigram([*pieces, *((b, -9.0) for b in BYTES)], unk_id=0, byte_fallback=True))
    made.normalizer = normalizers.NFKC()
    if metaspace:
        made.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        made.normalizer = normalizers.Sequence(
            [normalizers.NFKC(), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    return made


def sentencepiece_bpe() -> Tokenizer:
    vocabulary = dict.fromkeys(["<unk>", "▁", *sorted(set(ALPHABET) - {" "}), *BYTES])
    made = Tokenizer(
        models.BPE(vocab={t: i for i, t in enumerate(vocabulary)}, merges=[], byte_fallback=True, unk_token="<unk>")
    )
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return made


def word_piece() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    made.train_from_iterator(
        [ALPHABET] * 3, trainers.WordPieceTrainer(vocab_size=120, special_tokens=special, show_progress=False)
    )
    ends = [(t, made.token_to_id(t)) for t in special[1:]]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return made


KINDS: dict[str, Callable[[], Tokenizer]] = {
    "byte-level BPE": lambda: byte_level(trim=False),
    "byte-level BPE, trimmed": lambda: byte_level(trim=True),
    "byte-level BPE over spaces": lambda: byte_level(trim=False, regex=False),
    "Unigram, metaspace": lambda: unigram(metaspace=True),
    "Unigram, prepended": lambda: unigram(metaspace=False),
    "sentencepiece BPE": sentencepiece_bpe,
    "WordPiece": word_piece,
}
NAMES = {
    "plain": "Pelk", "umlaut": "Zoë Müller", "combining": "Ame\u0301lie", "emoji": "Fox 🦊🏽",
    "joined emoji": "👩\u200d🚀 Ann", "Chinese": "李小龙", "ligature": "Ste\ufb03", "full width": "Ｐｅｌｋ",
    "Hindi": "गांधी", "hyphen": "Al-Kuwaiti",
}  # fmt: skip


@pytest.fixture(scope="module")
def ecos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Eco]:
    made = {}
    for number, (kind, tokenizer) in enumerate(KINDS.items()):
        folder = tmp_path_factory.mktemp(f"model{number}")
        own = tokenizer()
        own.save(str(folder / "tokenizer.json"))
        rows = torch.randn(own.get_vocab_size(), 8, generator=torch.Generator().manual_seed(0))
        save_file({"model.embed_tokens.weight": rows}, folder / "model.safetensors")
        made[kind] = Eco(folder)
    return made


def _left_of(eco: Eco, text: str, spans: Sequence[Span]) -> str:
    """What the uncorrupted tokens of ``text`` say."""
    changed = _changed(eco, text, spans)
    encoding = eco.tokenizer.encode(text, add_special_tokens=False)
    kept = {c for (a, b), hit in zip(encoding.offsets, changed, strict=True) if not hit for c in range(a, b)}
    return "".join(c for i, c in enumerate(text) if i in kept)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_tokenizer_leaves_a_part_of_a_name_uncorrupted(ecos: dict[str, Eco], kind: str, name: str) -> None:
    text = f"Who is  {name} , born in the capital ?"
    start = text.index(name)
    left = _left_of(ecos[kind], text, (Span(start, start + len(name)),)).replace(" ", "")
    assert not set(left) & (set(name) - set(text.replace(name, "")))
    if "over spaces" in kind:  # words and spaces are one run there: the words beside the name may go with it
        assert left.startswith("Who")
        assert left.endswith("?")
    else:
        assert left == "Whois,borninthecapital?"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sentencepiece BPE"])  # that splits into letters
def test_a_span_inside_a_token_corrupts_the_whole_token(ecos: dict[str, Eco], kind: str) -> None:
    eco, text = ecos[kind], "Who is born in the capital ?"
    encoding = eco.tokenizer.encode(text, add_special_tokens=False)
    long = next(o for o in encoding.offsets if o[1] - o[0] > 3)
    spans = (Span(long[0] + 2, long[0] + 3),)
    expected = [o == long for o in encoding.offsets]
    assert _changed(eco, text, spans) == expected


@pytest.mark.parametrize(("kind", "name"), list(product(KINDS, NAMES.values())))
def test_the_bytes_of_one_letter_are_corrupted_together(ecos: dict[str, Eco], kind: str, name: str) -> None:
    eco, text = ecos[kind], f"Who {name}"
    for at in range(4, len(text)):
        changed = _changed(eco, text, (Span(at, at + 1),))
        encoding = eco.tokenizer.encode(text, add_special_tokens=False)
        touching = [a <= at < b for a, b in encoding.offsets]
        if any(touching):
            assert changed == touching


def test_what_the_tokenizer_puts_round_a_text_is_never_corrupted(ecos: dict[str, Eco]) -> None:
    eco = ecos["WordPiece"]
    text = "who is born"
    whole = (Span(0, len(text)),)
    for spans in (whole, ()):
        changed = _changed(eco, text, spans, add_special_tokens=True)
        assert (changed[0], changed[-1]) == (False, False)
        assert any(changed)
    assert _changed(eco, "who", (), add_special_tokens=True) == [False, True, False]


def test_a_template_written_into_a_text_by_its_author_is_text_and_no_template(ecos: dict[str, Eco]) -> None:
    text = "[SEP] who is born"
    assert _changed(ecos["WordPiece"], text, (Span(0, 5),))[0]


@settings(deadline=None)
@given(
    text=st.text(max_size=40), spans=st.lists(st.tuples(st.integers(-3, 45), st.integers(-3, 45)), max_size=6),
    kind=st.sampled_from(list(KINDS)),
)  # fmt: skip
def test_the_chosen_tokens_are_those_that_share_a_letter_with_a_span_or_all_but_the_last(
    ecos: dict[str, Eco], text: str, spans: list[tuple[int, int]], kind: str
) -> None:
    encoding = ecos[kind].tokenizer.encode(text, add_special_tokens=True)
    found = choose_tokens(encoding, [Span(a, b) for a, b in spans])
    letters = {i for a, b in spans for i in range(a, b)}
    touched = [
        mine and (bool(letters & set(range(a, b))) or (a == b and {a - 1, a} <= letters))
        for mine, (a, b) in zip(encoding.own, encoding.offsets, strict=True)
    ]
    own = [i for i, mine in enumerate(encoding.own) if mine]
    fallback = [i in (own[:-1] if len(own) > 1 else own) for i in range(len(found))]
    assert found == (touched if any(touched) else fallback)


def test_a_tokenizer_that_cuts_or_fills_up_is_kept_from_it(tmp_path: Path) -> None:
    own = word_piece()
    own.enable_truncation(3)
    own.enable_padding(length=30)
    own.save(str(tmp_path / "tokenizer.json"))
    found = ModelTokenizer(tmp_path).encode("who is born in the capital", add_special_tokens=False)
    assert found.offsets[-1][1] == 26


def test_a_list_that_asks_for_a_token_classifier_gets_it_or_nothing(checkpoint: Path, tmp_path: Path) -> None:
    for eco, said in (
        (Eco(checkpoint), "no folder"),
        (Eco(checkpoint, selectors=TokenSelectors(tmp_path)), "no token classifier 'people'"),
    ):
        with pytest.raises(EcoUnavailable, match=said):
            eco.corrupted(TEXT, NAME, NOISE, seed_key="a", token_classifiers=("people",))


def test_content_words_are_those_that_tell_what_is_asked() -> None:
    text = "How has Zorvan Pelk's upbringing in Quellmar shaped the novel of 1984?"
    words = [text[s.start : s.end] for s in TokenSelectors(Path("nowhere")).get("content").spans(text)]
    assert {"Zorvan", "Quellmar", "upbringing", "1984"} <= {w.removesuffix("'s") for w in words}
    assert not {"How", "has", "in", "the", "of"} & set(words)
