"""The losses, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from qa_monitor.training.examples import Example

torch = pytest.importorskip("torch", reason="训练依赖未安装")

PASS, FAIL = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def evidence_loss(logits: list[list[list[float]]], *examples: Example) -> float | None:
    """The loss of attention.rules (B, rules, T)."""
    from qa_monitor.training.batches import Encoded
    from qa_monitor.training.losses import losses

    found = losses({"attention.rules": torch.tensor(logits)}, [Encoded(example, ()) for example in examples])
    return found["evidence"].item() if "evidence" in found else None


def test_evidence_pulls_the_attention_to_its_turn() -> None:
    one = Example("x", "s", (), rules=(PASS,), evidence=(1,))
    assert evidence_loss([[[0.0, math.log(3.0)]]], one) == pytest.approx(-math.log(0.75))
    assert evidence_loss([[[math.log(3.0), 0.0]]], one) == pytest.approx(-math.log(0.25))


def test_evidence_of_a_broken_rule_weighs_more() -> None:
    both = Example("x", "s", (), rules=(PASS, FAIL), evidence=(0, 0))
    logits = [[[math.log(3.0), 0.0], [0.0, 0.0]]]
    assert evidence_loss(logits, both) == pytest.approx((-math.log(0.75) - 4 * math.log(0.5)) / 5)


def test_where_no_turn_shows_it_nothing_is_asked() -> None:
    logits = [[[5.0, 0.0], [0.0, 5.0]]]
    assert evidence_loss(logits, Example("x", "s", (), rules=(PASS, FAIL))) is None
    assert evidence_loss(logits, Example("x", "s", (), rules=(PASS, FAIL), evidence=(None, None))) is None
    assert evidence_loss(logits, Example("x", "s", (), rules=(None, PASS), evidence=(0, 1))) == pytest.approx(
        math.log(1 + math.exp(-5))
    )
