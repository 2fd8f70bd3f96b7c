"""What teachers may have seen of the example they label, and what a student is given to learn."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="训练依赖未安装")

import torch
from transformers import BertConfig, BertModel

from qa_monitor.classifier.encoding import AGENT, CUSTOMER, Encoding
from qa_monitor.classifier.scorer import bundle_folder
from qa_monitor.training import teachers
from qa_monitor.training.examples import Example
from qa_monitor.training.finetune import FineTuneConfig
from qa_monitor.training.network import CallNetwork
from qa_monitor.training.pretrain import pretrain
from qa_monitor.training.prune import prune
from qa_monitor.training.recover import new_network, recover
from qa_monitor.training.tasks import head_labels

TOKENIZER = bundle_folder() / "tokenizer.json"
TURNS = ((CUSTOMER, "我家停电了。三个小时了！"), (AGENT, "马上给您查。请稍等。"), (CUSTOMER, "好"), (AGENT, "修好了"))


def tiny(heads: tuple[str, ...]) -> CallNetwork:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=9000, hidden_size=64, num_hidden_layers=1, num_attention_heads=4, intermediate_size=128
    )
    return new_network(BertModel(config, add_pooling_layer=False), 0, head_labels(heads))


def test_no_teacher_has_learnt_what_it_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[set[str]] = []

    def learn(network: CallNetwork, encoded: list, *rest: object) -> CallNetwork:
        learnt.append({item.example.id for item in encoded})
        return network

    def read(_: CallNetwork, encoded: list, __: int) -> dict:
        return {item.example.id: {"call.wiki": np.array([len(learnt), 0, 0, 0, 0.0])} for item in encoded}

    monkeypatch.setattr(teachers, "fine_tune", learn)
    monkeypatch.setattr(teachers, "predict", read)
    examples = [Example(f"u-{number}", "wiki", TURNS) for number in range(60)]
    variants = [Example(f"u-{number}~0", "variant", TURNS) for number in range(60)]
    soft = teachers.cross_fit(
        lambda _: tiny(("call.wiki",)), examples, variants, [Example("new", "line", TURNS)], Encoding(TOKENIZER),
        FineTuneConfig(), print,
    )  # fmt: skip
    assert len(learnt) == teachers.FOLDS
    assert set().union(*learnt) == {item.id for item in examples}
    assert set(soft) == {item.id for item in (*examples, *variants)} | {"new"}
    for item in examples:
        unseen = [number for number, names in enumerate(learnt) if item.id not in names]
        assert len(unseen) == 1
        assert soft[item.id]["call.wiki"] == pytest.approx([1, 0, 0, 0, 0])


def test_labels_move_towards_the_teachers_by_the_share() -> None:
    item = Example("a", "uss", TURNS, call={"wiki": (1.0, 0, 0, 0, 0)}, turn={"uss": ((1.0, 0, 0), None, None, None)})
    soft = {"a": {"call.wiki": np.array([0, 0, 0, 0, 1.0]), "turn.uss": np.full((4, 3), 1 / 3)}}
    moved = teachers.blended(item, soft, 0.25)
    assert moved.call["wiki"] == pytest.approx((0.75, 0, 0, 0, 0.25))
    assert moved.turn["uss"][0] == pytest.approx((0.75 + 0.25 / 3, 0.25 / 3, 0.25 / 3))
    assert moved.turn["uss"][1] is None
    assert teachers.blended(item, {}, 0.25) == item


def test_unlabelled_text_is_given_labels_where_they_mean_something() -> None:
    soft = {"a": {"call.dch_A": np.array([0, 0, 0.5, 0.5, 0]), "turn.uss": np.tile([0.2, 0.3, 0.5], (4, 1))}}
    item = teachers.taught(Example("a", "jddc", TURNS), soft, {"uss": CUSTOMER})
    assert item.call == {"dch_A": (0, 0, 0.5, 0.5, 0)}
    assert [mark is not None for mark in item.turn["uss"]] == [True, False, True, False]


def test_variants_say_less_but_nothing_new() -> None:
    chance = random.Random(3)
    for number in range(40):
        turns = teachers.thinned(Example("a", "dch1", TURNS), number, chance).turns
        whole = {role: "".join(text for other, text in TURNS if other == role) for role in (CUSTOMER, AGENT)}
        assert 2 <= len(turns) <= len(TURNS)
        assert all(text and all(part in whole[role] for part in text.split("。") if part) for role, text in turns)
    first, rest = teachers.halves(Example("w", "wiki", ((CUSTOMER, "谢谢。我再看看！好的"),)), chance)
    assert first.turns[0][1] + rest.turns[0][1] == "谢谢。我再看看！好的"
    assert teachers.halves(Example("w", "wiki", ((CUSTOMER, "谢谢"),)), chance) == []


def test_pretraining_learns_the_language() -> None:
    said: list[str] = []
    network = tiny(("call.wiki",))
    examples = [Example(str(number), "own", TURNS * 8) for number in range(12)]
    pretrain(network.tokens.encoder, examples, Encoding(TOKENIZER), said.append, epochs=15, rows=1, rate=3e-3)
    assert float(said[-1].split()[-1]) < 7  # a running mean that began at ln 9000 = 9.1


def test_a_vocabulary_of_words_is_cut(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "电", "费", "电费", "罕见词", "停电", "a", "<mask>"]
    whole = Tokenizer(models.Unigram([(piece, -float(place)) for place, piece in enumerate(pieces)], 3))
    whole.normalizer = normalizers.NFKC()
    whole.pre_tokenizer = pre_tokenizers.Metaspace(split=False)
    whole.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    whole.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    whole.save(str(tmp_path / "whole.json"))
    encoder = BertModel(
        BertConfig(vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, pad_token_id=1),
        add_pooling_layer=False,
    )
    row = encoder.get_input_embeddings().weight.data[pieces.index("电费")].clone()
    size = prune(encoder, tmp_path / "whole.json", ["电费"] * 10 + ["罕见词"], tmp_path / "cut.json")
    cut = Encoding(tmp_path / "cut.json")
    assert size == encoder.config.vocab_size == len(pieces) - 2  # 罕见词 and 停电 are not used enough
    (ids, _) = cut.tokens(["电费"])[0]
    assert torch.equal(encoder.get_input_embeddings().weight.data[ids[-1]], row)
    assert cut.mask == size - 1
    assert encoder.config.pad_token_id == cut.pad


def test_four_bits_are_recovered(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="训练依赖未安装")
    from qa_monitor.classifier.bundle import Classifier
    from qa_monitor.training.batches import encode
    from qa_monitor.training.export import export
    from qa_monitor.training.finetune import predict

    heads = ("turn.uss", "call.wiki")
    network = tiny(heads)
    labels = {head: list(names) for head, names in head_labels(heads).items()}
    info = {"name": "x", "version": "1", "labels": labels, "rules": [], "temperatures": {}}
    export(network, TOKENIZER, tmp_path, info, bits=4)
    weight = "encoder.encoder.layer.0.intermediate.dense.weight"
    back, first = recover(tmp_path).state_dict(), network.state_dict()
    off = (back[f"tokens.{weight}"] - first[f"tokens.{weight}"]).abs().max() / first[f"tokens.{weight}"].abs().max()
    assert 0.01 < off < 0.1  # a sixteenth of a block's range, at most half of it off
    encoding, example = Encoding(TOKENIZER), Example("x", "test", TURNS)
    recovered = predict(recover(tmp_path), encode([example], encoding), encoding.pad)["x"]
    exported = Classifier(tmp_path).predict([TURNS])[0].shares
    for head in heads:
        assert np.abs(exported[head] - recovered[head]).max() < 0.02
