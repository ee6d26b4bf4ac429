"""What each corruption does to embedding rows."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from guard.corruptions.registry import CORRUPTIONS
from guard.corruptions.spec import STRONGEST, CorruptionSpec, corrupt

MASKS = st.lists(st.booleans(), min_size=1, max_size=12)
SEEDS = st.integers(0, 2**31)
RANDOM = [name for name, way in CORRUPTIONS.items() if way.random]
SHIFTED_BY_SIGMA = [name for name, way in CORRUPTIONS.items() if way.sigma and name != "set_rand_noise_first_n"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_rows(tokens: int, dim: int = 16, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(tokens, dim, generator=generator(1)).to(dtype)


def spec(name: str, sigma: float = 5.0, dims: int | None = None) -> CorruptionSpec:
    return CorruptionSpec(name, sigma, dims)


def table(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def run(name: str, rows: torch.Tensor, mask: list[bool], sigma: float = 5.0, dims: int | None = None) -> torch.Tensor:
    return corrupt(rows, mask, spec(name, sigma, dims), generator())


@pytest.mark.parametrize("name", CORRUPTIONS)
@settings(deadline=None)
@given(mask=MASKS, seed=SEEDS, dims=st.one_of(st.none(), st.integers(1, 40)))
def test_every_corruption_changes_each_masked_row_and_no_other_and_repeats_with_its_seed(
    name: str, mask: list[bool], seed: int, dims: int | None
) -> None:
    rows = some_rows(len(mask))
    kept = rows.clone()
    first = corrupt(rows, mask, spec(name, dims=dims), generator(seed))
    again = corrupt(rows, mask, spec(name, dims=dims), generator(seed))
    assert torch.equal(rows, kept)
    assert first.data_ptr() != rows.data_ptr()
    assert (first.shape, first.dtype) == (rows.shape, rows.dtype)
    assert torch.equal(first, again)
    assert torch.isfinite(first).all()
    for i, masked in enumerate(mask):
        assert torch.equal(first[i], rows[i]) != masked


@pytest.mark.parametrize("name", RANDOM)
@settings(deadline=None)
@given(seed=SEEDS, other=SEEDS)
def test_where_there_is_chance_another_seed_gives_other_rows(name: str, seed: int, other: int) -> None:
    assume(seed != other)
    rows = some_rows(9, 64)
    one, two = (corrupt(rows, [True] * 9, spec(name), generator(s)) for s in (seed, other))
    assert not torch.equal(one, two)


@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - set(RANDOM)))
def test_where_there_is_none_it_is_the_same_for_every_seed(name: str) -> None:
    rows = some_rows(3)
    one, two = (corrupt(rows, [True] * 3, spec(name), generator(s)) for s in (1, 2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("dim", [1, 2, 16])
def test_a_prompt_of_one_token_is_corrupted(name: str, dim: int) -> None:
    rows = some_rows(1, dim)
    assert not torch.equal(run(name, rows, [True]), rows)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_type_of_the_rows_is_kept(name: str, dtype: torch.dtype) -> None:
    out = run(name, some_rows(3, dtype=dtype), [True, False, True])
    assert out.dtype == dtype
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_mask_or_no_rows_is_no_fault(name: str) -> None:
    rows = some_rows(3)
    out = run(name, rows, [False] * 3)
    assert torch.equal(out, rows)
    assert out.data_ptr() != rows.data_ptr()
    assert run(name, torch.empty(0, 4), []).shape == (0, 4)


@pytest.mark.parametrize("name", SHIFTED_BY_SIGMA)
def test_at_strength_0_what_adds_adds_nothing(name: str) -> None:
    rows = some_rows(4)
    assert torch.equal(run(name, rows, [True] * 4, sigma=0), rows)


@pytest.mark.parametrize("name", [n for n, way in CORRUPTIONS.items() if not way.sigma])
def test_what_has_no_strength_is_the_same_at_any(name: str) -> None:
    rows = some_rows(4)
    assert torch.equal(run(name, rows, [True] * 4, sigma=0), run(name, rows, [True] * 4, sigma=100))


@pytest.mark.parametrize("name", [n for n, way in CORRUPTIONS.items() if way.dims])
@settings(deadline=None)
@given(dims=st.integers(1, 16))
def test_no_more_dimensions_than_asked_for_are_changed(name: str, dims: int) -> None:
    rows = some_rows(5)
    changed = (run(name, rows, [True] * 5, dims=dims) != rows).sum(dim=1)
    assert changed.tolist() == [dims] * 5


def test_noise_has_the_strength_that_was_asked_for_and_none_at_other_tokens_or_dimensions() -> None:
    rows = torch.zeros(400, 50)
    noise = run("gaussian", rows, [True] * 400, sigma=3)
    assert noise.std().item() == pytest.approx(3, rel=0.03)
    assert noise.mean().item() == pytest.approx(0, abs=0.1)
    first = run("rand_noise_first_n", rows, [True] * 400, sigma=3, dims=2)
    assert first[:, :2].std().item() == pytest.approx(3, rel=0.1)
    assert not first[:, 2:].any()
    drawn = run("rand_noise_rand_n", rows, [True] * 400, sigma=3, dims=2)
    assert drawn.any(dim=0).sum() == 2  # the same two in every row


def test_the_noise_of_a_seed_is_that_of_its_generator() -> None:
    rows = table([1, 2], [3, 4], [5, 6])
    noise = torch.randn(2, 2, generator=generator()) * 2  # for the masked rows alone
    expected = torch.stack([rows[0] + noise[0], rows[1], rows[2] + noise[1]])
    assert torch.equal(run("gaussian", rows, [True, False, True], sigma=2), expected)
    one = torch.randn(1, 1, generator=generator()).item() * 2
    instead = run("set_rand_noise_first_n", rows, [False, True, False], sigma=2, dims=1)
    assert torch.equal(instead, table([1, 2], [one, 4], [5, 6]))
    at_largest = run("rand_noise_top_k", table([1, -9, 3]), [True], sigma=2, dims=1)
    assert torch.equal(at_largest, table([1, -9 + one, 3]))


def test_noise_of_strength_0_in_place_of_values_is_zero() -> None:
    assert run("set_rand_noise_first_n", table([1, 2]), [True], sigma=0, dims=1).tolist() == [[0, 2]]


ROWS = [[1.0, -9.0, 3.0], [7.0, 8.0, 9.0]]


@pytest.mark.parametrize(
    ("name", "sigma", "dims", "expected"),
    [
        ("zero_out_first_n", 0, 1, [0, -9, 3]),
        ("zero_out_first_n", 0, None, [0, 0, 0]),
        ("zero_out_top_k", 0, 1, [1, 0, 3]),
        ("zero_out_top_k", 0, 2, [1, 0, 0]),
        ("flip_sign_first_n", 0, 2, [-1, 9, 3]),
        ("flip_sign_top_k", 0, 1, [1, 9, 3]),
        ("flip_sign_top_k", 0, 99, [-1, 9, -3]),
        ("sub_value_first_n", 2, 1, [-1, -9, 3]),
        ("sub_value_top_k", 2, 1, [1, -9, 1]),
        ("sub_value_top_k", 2, 2, [-1, -9, 1]),
        ("add_value_first_n", 2, 2, [3, -7, 3]),
        ("add_value_least_k", 2, 1, [1, -7, 3]),
        ("add_value_least_k", 2, None, [3, -7, 5]),
    ],
)
def test_values_are_changed_as_worked_out_by_hand(
    name: str, sigma: float, dims: int | None, expected: list[float]
) -> None:
    assert run(name, table(*ROWS), [True, False], sigma, dims).tolist() == [expected, ROWS[1]]


def test_reverse_turns_the_masked_rows_round_and_leaves_the_others_in_their_places() -> None:
    rows = table([1, 2], [3, 4], [5, 6], [7, 8])
    assert run("reverse", rows, [True, False, True, True]).tolist() == [[7, 8], [3, 4], [6, 5], [1, 2]]
    assert run("reverse", rows, [True, False, False, True]).tolist() == [[7, 8], [3, 4], [5, 6], [1, 2]]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[1, 2, 3]], [[3, 2, 1]]),  # one token: its dimensions
        ([[1, 2, 1]], [[-1, -2, -1]]),  # the same from both ends: its sign
        ([[1, 2], [1, 2]], [[2, 1], [2, 1]]),  # a word twice
        ([[1, 2], [3, 4], [1, 2]], [[2, 1], [4, 3], [2, 1]]),  # a palindrome
        ([[0, 0], [0, 0]], [[0, 0], [0, 0]]),  # nothing to hide
    ],
)
def test_what_reversing_would_leave_as_it_was_is_changed_otherwise(
    rows: list[list[float]], expected: list[list[float]]
) -> None:
    assert run("reverse", table(*rows), [True] * len(rows)).tolist() == expected


@settings(deadline=None)
@given(seed=SEEDS, tokens=st.integers(2, 8))
def test_shuffled_rows_are_the_same_rows_or_rows_with_their_dimensions_shuffled(seed: int, tokens: int) -> None:
    rows = torch.arange(1.0, tokens * 4 + 1).reshape(tokens, 4)
    out = corrupt(rows, [True] * tokens, spec("shuffle"), generator(seed))
    assert sorted(map(sorted, out.abs().tolist())) == rows.tolist()


@settings(deadline=None)
@given(tokens=st.integers(1, 4), seed=SEEDS)
def test_shuffling_equal_rows_changes_them_all_the_same(tokens: int, seed: int) -> None:
    rows = torch.ones(tokens, 3)
    assert corrupt(rows, [True] * tokens, spec("shuffle"), generator(seed)).tolist() == (-rows).tolist()


def test_zeros_stay_where_values_are_only_set_to_zero_or_turned() -> None:
    for name in ("zero_out_top_k", "zero_out_first_n", "flip_sign_top_k", "flip_sign_first_n"):
        assert not run(name, torch.zeros(2, 3), [True, True]).any()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("blur", 1.0, None), "unknown corruption 'blur'; there are gaussian, "),
        (("gaussian", -1.0, None), "sigma must be a number from 0"),
        (("gaussian", float("nan"), None), "sigma must be"),
        (("gaussian", float("inf"), None), "sigma must be"),
        (("gaussian", 10 * STRONGEST, None), "sigma must be"),
        (("rand_noise_top_k", 1.0, 0), "dims must be a whole number from 1"),
        (("rand_noise_top_k", 1.0, -3), "dims must be"),
        (("rand_noise_top_k", 1.0, 2.5), "dims must be"),
        (("rand_noise_top_k", 1.0, True), "dims must be"),
    ],
)
def test_a_spec_that_cannot_be_carried_out_cannot_be_made(arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CorruptionSpec(*arguments)  # type: ignore[arg-type]


def test_a_spec_is_a_value_and_a_mask_has_a_flag_for_every_row() -> None:
    assert CorruptionSpec("shuffle") == CorruptionSpec("shuffle", 20.0, None)
    with pytest.raises(FrozenInstanceError):
        CorruptionSpec().sigma = 0  # type: ignore[misc]
    with pytest.raises(ValueError, match="2 flags for 3 rows"):
        run("gaussian", some_rows(3), [True, False])
