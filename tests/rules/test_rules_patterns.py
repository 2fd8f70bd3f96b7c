"""Patterns are only tried where they can match: never in fewer places than that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_monitor.rules.pattern_index import PatternIndex
from qa_monitor.rules.patterns import PatternError, compile_pattern, find_spans
from qa_monitor.rules.required import required


@pytest.mark.parametrize(
    ("pattern", "ways"),
    [
        ("工号", [["工号"]]),
        ("(您|你)的?工[号码]", [["您工号 您工码 您的工号 您的工码 你工号 你工码 你的工号 你的工码"]]),
        ("您好.{0,4}(稍等|请稍候)", [["您好", "稍等 请稍候"]]),
        (r"\d{3,}号|^\s*喂", [["号"], ["喂"]]),
        ("(不|没)+关系", [["关系", "不 没"]]),
        ("(停.电|停水)了?.急", [["急", "停 停水"]]),
        (r"[^，]{2}\p{Han}{1,3}银行", [["银行"]]),
        ("国家电网公司客服", [["国家电网"]]),
        ("(停电){2,}", [["停电"]]),
        ("[a-z]?号[线-]", [["号线 号-"]]),
    ],
)
def test_what_a_pattern_needs(pattern: str, ways: list[list[str]]) -> None:
    assert required(pattern) == tuple(tuple(frozenset(strings.split()) for strings in way) for way in ways)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+",
        "x|喂",  # a letter also stands for its other case
        "^.{4,}",
        "喂?.",
        "喂|.",
        "喂{0,3}[0-9]",
        "(?i)喂",  # flags, classes by name, quoted text, other notations of a character: left to RE2
        "[[:alpha:]]喂",
        r"\Q喂\E",
        r"\x{5582}",
        "a)|(喂",
        "喂{,3}",
        "(" * 500 + "喂" + ")" * 500,
    ],
)
def test_patterns_that_are_tried_everywhere(pattern: str) -> None:
    assert required(pattern) == ()


_ATOMS = [
    "您",
    "好",
    "喂",
    "的",
    "不",
    "[您你]",
    "[^您]",
    ".",
    r"\d",
    r"\s",
    r"\p{Han}",
    "a",
    "K",
    "^",
    "$",
    r"\b",
    "[a-c好-]",
    "(?:)",
]
_PATTERNS = st.recursive(
    st.sampled_from(_ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "+?", "{2}", "{0,2}", "{1,}"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
    ),
    max_leaves=8,
)
_TURNS = st.lists(st.text(alphabet="您你好喂的不aAkKcſ1 。-😀", max_size=12), min_size=1, max_size=6)


@given(st.lists(_PATTERNS, min_size=1, max_size=4), _TURNS)
def test_the_same_is_found_as_without_an_index(patterns: list[str], turns: list[str]) -> None:
    index, usable = PatternIndex(), []
    for pattern in patterns:
        try:
            compile_pattern(pattern)
        except PatternError:
            continue
        usable.append(pattern)
    index.add(usable)
    reading = index.reading("\n".join(turns))
    for pattern in usable:
        assert reading.spans(pattern) == list(find_spans(pattern, reading.data, 0, len(reading.data)))
