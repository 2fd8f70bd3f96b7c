"""The ordered stages, what each needs and gives, and the key under which its result is stored.

A stage is data. Its key covers its own settings, the facts it uses and the keys of the stages it requires, so a
change anywhere recomputes exactly what depends on it and nothing before it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qa_monitor.records import AudioInfo, CallFacts, CallScore, Dialogue, Findings, ModelScores, Transcript
from qa_monitor.settings import Settings
from qa_monitor.store.results import ResultKey

if TYPE_CHECKING:
    from qa_monitor.audio.decoder import Audio, Decoder
    from qa_monitor.classifier.scorer import Scorer
    from qa_monitor.models import ModelRegistry
    from qa_monitor.rules.rulebook import Rulebook
    from qa_monitor.scoring.scorecard import Scorecard
    from qa_monitor.transcript.engine import Engine

Kind = Literal["audio", "text"]


if TYPE_CHECKING:
    made_once = cached_property
else:

    class made_once(cached_property):  # noqa: N801 - used as a decorator
        """A cached property that is made once even when two threads ask for it at the same time."""

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            with instance.making:
                return super().__get__(instance, owner)


class Toolbox:
    """The components the stages use, each made when first asked for and then kept for the life of the process.

    Several calls may be in progress at once. `turn` is for the stages that gain nothing from that: one at a time.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.making = threading.RLock()
        self.turn = threading.Lock()

    @made_once
    def registry(self) -> ModelRegistry:
        from qa_monitor.models import ModelRegistry

        return ModelRegistry()

    @made_once
    def decoder(self) -> Decoder:
        from qa_monitor.audio.decoder import Decoder

        return Decoder(self.settings.audio, self.settings.spool_dir)

    def close(self) -> None:
        """Ends the process that decodes, if there is one."""
        made: Decoder | None = self.__dict__.get("decoder")
        if made is not None:
            made.close()

    @made_once
    def engine(self) -> Engine:
        from qa_monitor.transcript.transcribe import load

        return load(self.settings.transcript, self.settings.rules_dir, self.registry)

    @made_once
    def scorer(self) -> Scorer:
        from qa_monitor.classifier.scorer import load_scorer

        chosen = self.settings.classifier.model
        return load_scorer(Path(chosen) if chosen else None)

    @made_once
    def rulebook(self) -> Rulebook:
        from qa_monitor.rules.rulebook import load_rulebook

        return load_rulebook(self.settings.rules_dir, self.settings.rules.packs)

    @made_once
    def scorecard(self) -> Scorecard:
        from qa_monitor.scoring.scorecard import load_scorecard

        return load_scorecard(self.settings.rules_dir / self.settings.rules.scorecard)

    @made_once
    def speech_settings(self) -> dict[str, Any]:
        """All that decides what the speech stages write, model checksums included; loads no model."""
        from qa_monitor.dialogue.build import stage_settings as dialogue_settings
        from qa_monitor.transcript.transcribe import stage_settings as transcript_settings

        return {
            "transcript": transcript_settings(self.settings.transcript, self.settings.rules_dir, self.registry),
            "dialogue": dialogue_settings(self.settings.dialogue),
        }

    @made_once
    def text_settings(self) -> str:
        """What decides how a dialogue that arrived as text is read."""
        from qa_monitor.transcript.homophones import fingerprint

        return fingerprint() if self.settings.transcript.correct_homophones else ""


@dataclass(frozen=True, slots=True)
class Work:
    """One recording on its way: its facts, the results so far, and (for audio) its decoded sound."""

    kind: Kind
    facts: CallFacts
    tools: Toolbox
    results: dict[str, Any]
    audio: Callable[[], Audio]
    source: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Name, version, the stages it requires, the record it produces, what decides its result, and how it is made.

    A `shared` stage is worth doing for several calls at once.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    produces: type[Any]
    settings: Callable[[Toolbox, CallFacts], Any]
    run: Callable[[Work], Any]
    shared: bool = False

    def make(self, work: Work) -> Any:
        """The stage's record of one recording."""
        if self.shared:
            return self.run(work)
        with work.tools.turn:
            return self.run(work)


def _audio_settings(tools: Toolbox, _facts: CallFacts) -> Any:
    kept = ("max_hours", "min_complete_share", "raw_codec", "raw_rate", "raw_channels")
    return {name: getattr(tools.settings.audio, name) for name in kept}


def _run_transcript(work: Work) -> Transcript:
    from qa_monitor.transcript.transcribe import transcribe

    settings = work.tools.settings
    return transcribe(work.audio(), work.tools.engine, settings.transcript, settings.rules_dir)


def _run_dialogue(work: Work) -> Dialogue:
    from qa_monitor.dialogue.build import build_dialogue

    return build_dialogue(work.results["transcript"], work.audio(), work.facts, work.tools.settings.dialogue)


def _run_text_dialogue(work: Work) -> Dialogue:
    from qa_monitor.dialogue.build import from_text

    if work.source is None:
        raise ValueError("a text dialogue without its source")
    return from_text(json.loads(work.source)["turns"], work.tools.settings.transcript.correct_homophones)


def _run_model(work: Work) -> ModelScores:
    return work.tools.scorer.score([work.results["dialogue"]])[0]


def _run_findings(work: Work) -> Findings:
    book = work.tools.rulebook
    found = book.check(work.results["dialogue"], work.facts, work.results["model"])
    return Findings(rulebook_version=book.version, findings=found)


def _run_score(work: Work) -> CallScore:
    results = work.results
    score = work.tools.scorecard.score(results["findings"].findings, results["model"], work.facts, results["dialogue"])
    shortest_s = work.tools.settings.audio.min_s
    if work.kind == "audio" and results["audio"].duration_s < shortest_s:
        why = f"通话过短（{results['audio'].duration_s:.1f} 秒，少于 {shortest_s:g} 秒）"
        return replace(score, points=None, veto=(), not_scored=why, arithmetic=f"未评分：{why}")
    return score


_AUDIO = (
    Stage("audio", "2", (), AudioInfo, _audio_settings, lambda work: work.audio().info, shared=True),
    Stage(
        "transcript",
        "11",
        ("audio",),
        Transcript,
        lambda tools, _: tools.speech_settings["transcript"],
        _run_transcript,
        shared=True,
    ),
    Stage(
        "dialogue",
        "4",
        ("transcript",),
        Dialogue,
        lambda tools, facts: [tools.speech_settings["dialogue"], facts.agent_channel],
        _run_dialogue,
    ),
)
_TEXT = (Stage("dialogue", "text-2", (), Dialogue, lambda tools, _: tools.text_settings, _run_text_dialogue),)
_SCORING = (
    Stage(
        "model",
        "1",
        ("dialogue",),
        ModelScores,
        lambda tools, _: [tools.scorer.name, tools.scorer.version],
        _run_model,
    ),
    Stage(
        "findings",
        "3",
        ("dialogue", "model"),
        Findings,
        lambda tools, facts: [tools.rulebook.version, _plain(facts)],
        _run_findings,
    ),
    Stage(
        "score",
        "1",
        ("dialogue", "model", "findings"),
        CallScore,
        lambda tools, facts: [tools.scorecard.version, tools.settings.audio.min_s, _plain(facts)],
        _run_score,
    ),
)
STAGES: Mapping[Kind, tuple[Stage, ...]] = {"audio": _AUDIO + _SCORING, "text": _TEXT + _SCORING}
PRODUCED: dict[str, type[Any]] = {stage.name: stage.produces for stage in STAGES["audio"]}


def _plain(facts: CallFacts) -> Any:
    """The facts a rule may look at: where they came from does not change a verdict."""
    return [facts.call_id, facts.agent_id, facts.started_at, facts.direction, facts.business, facts.extra]


def keys_for(kind: Kind, sha256: str, facts: CallFacts, tools: Toolbox) -> list[tuple[Stage, ResultKey]]:
    """The stages of a recording in order, each with the key of its result."""
    hashes: dict[str, str] = {}
    keys = []
    for stage in STAGES[kind]:
        parts = [stage.name, stage.version, stage.settings(tools, facts), [hashes[name] for name in stage.requires]]
        text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
        hashes[stage.name] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        keys.append((stage, ResultKey(sha256, stage.name, stage.version, hashes[stage.name])))
    return keys


def target_of(kind: Kind, facts: CallFacts, tools: Toolbox) -> str:
    """The settings hash of the last stage. With no facts it names the settings themselves (a job's profile)."""
    return keys_for(kind, "", facts, tools)[-1][1].settings_hash
