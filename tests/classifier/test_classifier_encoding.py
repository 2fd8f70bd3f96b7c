"""Windows of tokens: nothing lost, nothing owned twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_monitor.classifier.encoding import AGENT, CONTEXT_TOKENS, CUSTOMER, MAX_TOKENS, Encoding
from qa_monitor.classifier.scorer import bundle_folder

TURNS = st.lists(
    st.tuples(st.sampled_from([AGENT, CUSTOMER]), st.text(alphabet="您好电表欠费停了，。abc 123𠮷🙂", max_size=90)),
    max_size=30,
)


@pytest.fixture(scope="module")
def encoding() -> Encoding:
    return Encoding(bundle_folder() / "tokenizer.json")


@settings(max_examples=60, deadline=None)
@given(turns=TURNS)
def test_every_token_belongs_to_one_window_in_order(encoding: Encoding, turns: list[tuple[int, str]]) -> None:
    windows = encoding.windows(turns)
    owned = [
        (owner, token)
        for window in windows
        for token, owner in zip(window.ids, window.owners, strict=True)
        if owner >= 0
    ]
    expected = [
        (turn, token)
        for turn, (_, text) in enumerate(turns)
        for token in [None, *encoding.tokens([text])[0][0]]  # None: the marker of who speaks
    ]
    assert [turn for turn, _ in owned] == [turn for turn, _ in expected]
    assert all(token in (None, found) for (_, found), (_, token) in zip(owned, expected, strict=True))


@settings(max_examples=30, deadline=None)
@given(turns=TURNS)
def test_windows_fit_and_carry_the_role_of_each_turn(encoding: Encoding, turns: list[tuple[int, str]]) -> None:
    for window in encoding.windows(turns):
        assert len(window.ids) == len(window.roles) == len(window.owners) <= MAX_TOKENS
        for role, owner in zip(window.roles, window.owners, strict=True):
            assert owner < 0 or role == turns[owner][0]


def test_a_turn_longer_than_a_window_goes_on_in_the_next(encoding: Encoding) -> None:
    windows = encoding.windows([(AGENT, "停电了请您稍等" * 300)])
    assert len(windows) > 3
    assert sum(owner == 0 for window in windows for owner in window.owners) == 1 + 7 * 300
    assert all(window.owners.count(-1) == 2 + CONTEXT_TOKENS for window in windows[1:])


def test_no_turns_no_windows(encoding: Encoding) -> None:
    assert encoding.windows([]) == []
