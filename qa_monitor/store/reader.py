"""Reading the store for reports: each call as a view, its texts masked and its evidence moved along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import sqlalchemy as sa

from qa_monitor.records import (
    Agent,
    AudioInfo,
    CallFacts,
    CallScore,
    Dialogue,
    Evidence,
    Finding,
    Findings,
    ModelScores,
    Note,
    Transcript,
    load,
)
from qa_monitor.settings import Settings
from qa_monitor.store import people, results
from qa_monitor.store.schema import calls, jobs, recordings, sightings, unread_files
from qa_monitor.store.store import Store
from qa_monitor.store.views import CallView, FailureView, MaskedSpan, ReviewState

if TYPE_CHECKING:
    from qa_monitor.privacy.masker import Masked, Masker

STAGE_RECORDS: dict[str, type[Any]] = {
    "audio": AudioInfo,
    "transcript": Transcript,
    "dialogue": Dialogue,
    "model": ModelScores,
    "findings": Findings,
    "score": CallScore,
}
KEY_CHARS = 10
CHUNK = 100


class Reader:
    """Views of what the store holds. Never writes."""

    def __init__(self, store: Store, settings: Settings) -> None:
        from qa_monitor.privacy.masker import Masker

        self.store = store
        self.settings = settings
        self._masker: Masker | None = Masker() if settings.privacy.mask else None
        self._roster: dict[str, list[Agent]] = {}
        for agent in people.roster_of(store):
            self._roster.setdefault(agent.agent_id, []).append(agent)

    # --- calls --------------------------------------------------------------------------------------------------------

    def calls(self, sha256s: Sequence[str]) -> Iterator[CallView]:
        """These calls, in this order, those that could not be processed included (with their error)."""
        for start in range(0, len(sha256s), CHUNK):
            chunk = sha256s[start : start + CHUNK]
            with self.store.read() as connection:
                rows = [(sha256, self._read(connection, sha256)) for sha256 in chunk]
            for sha256, row in rows:
                yield self._view(sha256, *row)

    def inputs(self, sha256s: Sequence[str]) -> Iterator[tuple[Dialogue, CallFacts, ModelScores]]:
        """What rules read of these calls, unmasked; calls that were not finished are left out."""
        for sha256 in sha256s:
            with self.store.read() as connection:
                made = results.current(connection, sha256, {"dialogue": Dialogue, "model": ModelScores})
                facts = connection.scalar(sa.select(jobs.c.facts).where(jobs.c.sha256 == sha256))
            if len(made) == 2 and facts is not None:
                yield made["dialogue"], load(CallFacts, facts), made["model"]

    def masked(self, text: str) -> str:
        """A text about a call, with personal data masked when that is asked for."""
        return text if self._masker is None else self._masker.mask_turns([text])[0].text

    def all_calls(
        self, *, agent_id: str | None = None, since: str | None = None, until: str | None = None
    ) -> list[str]:
        """Hashes of the store's calls, by start time; failed ones too unless a filter is given."""
        query = (
            sa.select(jobs.c.sha256)
            .outerjoin(calls, calls.c.sha256 == jobs.c.sha256)
            .order_by(calls.c.started_at, jobs.c.sha256)
        )
        if agent_id is not None:
            query = query.where(calls.c.agent_id == agent_id)
        if since is not None:
            query = query.where(calls.c.started_at >= since)
        if until is not None:
            query = query.where(calls.c.started_at < until)
        with self.store.read() as connection:
            return list(connection.scalars(query))

    def find(self, name: str) -> list[str]:
        """Hashes of the calls meant by `name`: a key, a call id, or a file's name."""
        with self.store.read() as connection:
            by_call = sa.select(calls.c.sha256).where(calls.c.call_id == name)
            found = list(connection.scalars(by_call))
            if not found and len(name) >= 6:
                by_key = sa.select(jobs.c.sha256).where(jobs.c.sha256.startswith(name.lower(), autoescape=True))
                found = list(connection.scalars(by_key))
            if not found:
                by_name = (
                    sa.select(sightings.c.sha256).where(sightings.c.name.endswith(name, autoescape=True)).distinct()
                )
                found = list(connection.scalars(by_name))
        return found

    def _read(self, connection: sa.Connection, sha256: str) -> tuple[Any, ...]:
        made = results.current(connection, sha256, STAGE_RECORDS)
        names = results.sightings_of(connection, sha256)
        job = connection.execute(sa.select(jobs).where(jobs.c.sha256 == sha256)).first()
        kind = connection.scalar(sa.select(recordings.c.kind).where(recordings.c.sha256 == sha256))
        review = connection.scalar(sa.select(calls.c.review_state).where(calls.c.sha256 == sha256))
        return made, names, job, kind, review

    def _view(self, sha256: str, made: dict[str, Any], names: Any, job: Any, kind: Any, review: Any) -> CallView:
        facts = load(CallFacts, job.facts) if job is not None else CallFacts()
        base = CallView(
            sha256=sha256,
            key=sha256[:KEY_CHARS],
            kind=kind or "audio",
            names=tuple(recording.name for recording, _ in names),
            facts=self._masked_facts(facts),
            agent=self.agent_on(facts),
        )
        if job is not None and job.state in ("failed", "set_aside"):
            return replace(base, error=(job.error_code, _sentence(job)))
        if "score" not in made:
            return replace(base, error=("unfinished", "尚未处理完"))
        state: ReviewState = review if review in get_args(ReviewState) else "machine"
        dialogue: Dialogue = made["dialogue"]
        view = replace(
            base,
            audio=made.get("audio"),
            dialogue=dialogue,
            findings=made["findings"].findings,
            model=made["model"],
            score=made["score"],
            notes=_notes_of(made),
            review_state=state,
            rulebook_version=made["findings"].rulebook_version,
            asr=f"{made['transcript'].engine} {made['transcript'].model}" if "transcript" in made else "",
        )
        return view if self._masker is None else mask_call(view, self._masker)

    def _masked_facts(self, facts: CallFacts) -> CallFacts:
        if self._masker is None or not facts.extra:
            return facts
        masked = self._masker.mask_turns([f"{name}：{value}" for name, value in facts.extra.items()])
        kept = {name: hit.text.partition("：")[2] for (name, _), hit in zip(facts.extra.items(), masked, strict=True)}
        return replace(facts, extra=kept)

    def agent_on(self, facts: CallFacts) -> Agent | None:
        """The roster line of the call's agent that was valid on the day of the call; never matched by name."""
        lines = self._roster.get(facts.agent_id or "", [])
        day = (facts.started_at or "")[:10]
        for line in reversed(lines):
            if not day or ((line.valid_from or "") <= day and day <= (line.valid_to or "9999")):
                return line
        return None

    def latest_agent(self, agent_id: str) -> Agent | None:
        """The newest roster line of a 工号, None when the roster does not know it."""
        lines = self._roster.get(agent_id, [])
        return lines[-1] if lines else None

    # --- failures -----------------------------------------------------------------------------------------------------

    def failures(self, sha256s: Iterable[str]) -> list[FailureView]:
        """What could not be processed among these, and every file that could not be read at all."""
        wanted = set(sha256s)
        with self.store.read() as connection:
            bad = jobs.c.state.in_(["failed", "set_aside"])
            found = []
            for job in connection.execute(sa.select(jobs).where(bad).order_by(jobs.c.sha256)):
                if job.sha256 not in wanted:
                    continue
                facts = load(CallFacts, job.facts)
                for recording, _ in results.sightings_of(connection, job.sha256):
                    found.append(
                        FailureView(
                            recording.name,
                            job.state,
                            job.error_code,
                            job.error_title,
                            job.error_what,
                            job.error_hint or "",
                            job.sha256,
                            facts.agent_id,
                        )
                    )
            found += [
                FailureView(row.name, "unread", row.error_code, row.error_title, row.error_what, row.error_hint)
                for row in connection.execute(sa.select(unread_files).order_by(unread_files.c.path))
            ]
        return found


def _sentence(job: Any) -> str:
    return f"{job.error_title}：{job.error_what}" + (f"。{job.error_hint}" if job.error_hint else "")


def _notes_of(made: dict[str, Any]) -> tuple[Note, ...]:
    """Every note of the call's stages, in the order of the data's path."""
    return tuple(note for stage in ("audio", "transcript", "dialogue") if stage in made for note in made[stage].notes)


# --- masking ---------------------------------------------------------------------------------------------------------


def mask_call(view: CallView, masker: Masker) -> CallView:
    """The view with personal data masked everywhere text of the call stands; evidence offsets follow."""
    if view.dialogue is None:
        return view
    turns = view.dialogue.turns
    masked = masker.mask_turns([turn.text for turn in turns])
    by_index = {turn.index: mask for turn, mask in zip(turns, masked, strict=True)}
    shown = tuple(
        replace(turn, text=mask.text, raw_text="", offsets=(), words=())
        for turn, mask in zip(turns, masked, strict=True)
    )
    spans = tuple(
        MaskedSpan(index, start, end, hit.kind)
        for index, mask in by_index.items()
        if not mask.withheld
        for hit in mask.hits
        for start, end in [mask.map_span(hit.start, hit.end)]
    )
    findings = tuple(_mask_finding(finding, by_index, masker) for finding in view.findings)
    return replace(
        view,
        dialogue=replace(view.dialogue, turns=shown),
        findings=findings,
        masked=spans,
        score=_mask_score(view.score, findings),
        model=_mask_model(view.model, masker),
    )


def _mask_finding(finding: Finding, by_index: dict[int, Masked], masker: Masker) -> Finding:
    evidence = tuple(_mask_evidence(item, by_index, masker) for item in finding.evidence)
    why = finding.why
    for before, after in zip(finding.evidence, evidence, strict=True):
        if before.quote:
            why = why.replace(before.quote, after.quote)
    return replace(finding, evidence=evidence, why=masker.mask_turns([why])[0].text)


def _mask_evidence(item: Evidence, by_index: dict[int, Masked], masker: Masker) -> Evidence:
    mask = by_index.get(item.turn) if item.turn is not None else None
    if mask is None or item.start is None or item.end is None:
        return replace(item, quote=masker.mask_turns([item.quote])[0].text)
    if mask.withheld:
        return replace(item, quote=mask.text, start=0, end=len(mask.text))
    start, end = mask.map_span(item.start, item.end)
    return replace(item, quote=mask.text[start:end], start=start, end=end)


def _mask_score(score: CallScore | None, findings: Sequence[Finding]) -> CallScore | None:
    if score is None:
        return None
    whys = {finding.rule_id: finding.why for finding in findings}
    dimensions = tuple(
        replace(
            dimension,
            lines=tuple(replace(line, why=whys.get(line.rule_id, line.why)) for line in dimension.lines),
        )
        for dimension in score.dimensions
    )
    return replace(score, dimensions=dimensions)


def _mask_model(model: ModelScores | None, masker: Masker) -> ModelScores | None:
    if model is None:
        return None
    turns = tuple(
        replace(turn, words=tuple(mask.text for mask in masker.mask_turns(turn.words))) if turn.words else turn
        for turn in model.politeness_turns
    )
    return replace(model, politeness_turns=turns)
