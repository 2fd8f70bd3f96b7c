"""Training end to end on a handful of calls, where the training extra is installed; and what is said where it is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from qa_monitor.classifier.bundle import Classifier
from qa_monitor.classifier.encoding import AGENT, CUSTOMER, Encoding
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.cli import cli
from qa_monitor.errors import SetupError

TURNS = [
    (AGENT, "您好，供电公司，请问有什么可以帮您"),
    (CUSTOMER, "我家停电了，都三个小时了"),
    (AGENT, "不归我们管，你找物业去"),
]


def labels(file: Path, calls: int) -> Path:
    rows = [
        {
            "id": f"c{n}",
            "turns": [
                {"role": "agent", "text": "您好，请讲" if n % 2 else "说", "politeness": 5 if n % 2 else 1},
                {"role": "customer", "text": f"我家{n}号停电了", "emotion": "anxious"},
            ],
            "politeness": 5 if n % 2 else 1,
            "resolution": "resolved" if n % 2 else "unresolved",
            "satisfaction": 5 if n % 2 else 1,
            "labels": {"opening.greeting": "pass" if n % 2 else "fail"},
        }
        for n in range(calls)
    ]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def test_without_the_extra_train_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("qa_monitor.training")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    file = labels(tmp_path / "labels.jsonl", 30)
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "train", "--data", str(file)])
    assert isinstance(result.exception, SetupError)
    assert "pip install" in str(result.exception)


def test_the_exported_model_says_what_the_network_says() -> None:
    pytest.importorskip("torch", reason="训练依赖未安装")
    pytest.importorskip("transformers", reason="训练依赖未安装")
    pytest.importorskip("onnx", reason="训练依赖未安装")
    from qa_monitor.training.batches import encode
    from qa_monitor.training.examples import Example
    from qa_monitor.training.finetune import predict
    from qa_monitor.training.recover import recover

    example = Example("x", "test", tuple(TURNS))
    encoding = Encoding(bundle_folder() / "tokenizer.json")
    network = predict(recover(bundle_folder()), encode([example], encoding), encoding.pad)["x"]
    exported = Classifier(bundle_folder()).predict([TURNS])[0].shares
    for head in ("turn.politeness", "call.resolution", "rules"):
        assert np.abs(exported[head] - network[head]).mean() < 0.06, head


def test_a_centre_trains_on_its_labels_and_sees_both_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="训练依赖未安装")
    pytest.importorskip("onnx", reason="训练依赖未安装")
    from qa_monitor.training import centre

    monkeypatch.setattr(centre, "OWN_DIALOGUES", tmp_path)  # the thousand of the repository would take minutes
    file = labels(tmp_path / "labels.jsonl", 40)
    arguments = ["--home", str(tmp_path), "train", "--data", str(file), "--epochs", "0.1"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "现用" in result.output
    assert "[classifier]" in result.output
    info = json.loads((tmp_path / "classifier/bundle.json").read_text(encoding="utf-8"))
    assert info["config"]["seed"] == 1
    assert info["data_sha256"]
    assert Classifier(tmp_path / "classifier").predict([TURNS])[0].shares["rules"].shape[1] == 3


def test_too_few_calls_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="训练依赖未安装")
    from qa_monitor.errors import TrainingDataError

    file = labels(tmp_path / "labels.jsonl", 5)
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "train", "--data", str(file)])
    assert isinstance(result.exception, TrainingDataError)
    assert "5 通" in str(result.exception)
