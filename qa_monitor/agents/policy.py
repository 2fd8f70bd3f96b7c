"""What a pay policy says, as typed values. Written by HR in `rules/policy/*.yaml`, read by `read_policy`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _number(value: object) -> object:
    """`98%` is 0.98; everything else is left to pydantic."""
    if isinstance(value, str) and value.strip().endswith(("%", "％")):
        return f"{float(value.strip()[:-1]) / 100:.10g}"
    return value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]
Weight = Annotated[Number, Field(ge=0, le=1000)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AuditPart(_Part):
    """The audit score. `unconfirmed: exclude` lets only calls that a person confirmed count."""

    weight: Weight
    figure: Literal["points", "adjusted", "shrunken"] = "adjusted"
    unconfirmed: Literal["exclude", "include"] = "exclude"
    appealed: Literal["exclude", "include"] = "exclude"


class IndicatorPart(_Part):
    """A performance record as 0–100 points: `zero` gives 0, `full` gives 100, straight lines between."""

    metric: Text
    weight: Weight
    zero: Number
    full: Number

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.zero == self.full:
            raise ValueError("zero 与 full 不能相同")
        return self


class CountPart(_Part):
    """Points for each of a record's counts (表扬, 投诉), at most `cap` in all."""

    metric: Text
    points: Annotated[Number, Field(gt=0, le=100)]
    cap: Annotated[Number, Field(gt=0, le=100)] = 100.0


class Level(_Part):
    """A grade, from its points on (absolute) or for its share of those graded, best first (forced)."""

    grade: Text
    coefficient: Annotated[Number, Field(ge=0, le=10)]
    from_: Annotated[Number, Field(ge=0, le=200)] | None = Field(default=None, alias="from")
    share: Share | None = None


class Grades(_Part):
    method: Literal["absolute", "forced"] = "absolute"
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        names = [level.grade for level in self.levels]
        if len(set(names)) != len(names):
            raise ValueError("等级名重复")
        if self.method == "absolute":
            self._check_cuts()
        else:
            self._check_shares()
        return self

    def _check_cuts(self) -> None:
        cuts = [level.from_ for level in self.levels]
        if any(level.share is not None for level in self.levels) or any(cut is None for cut in cuts):
            raise ValueError("method: absolute 时每个等级写 from，不写 share")
        if cuts != sorted((cut for cut in cuts if cut is not None), reverse=True) or len(set(cuts)) != len(cuts):
            raise ValueError("from 应从高到低，互不相同")
        if cuts[-1] != 0:
            raise ValueError("最低一级的 from 应为 0，否则有人没有等级")

    def _check_shares(self) -> None:
        shares = [level.share for level in self.levels]
        if any(level.from_ is not None for level in self.levels) or any(share is None for share in shares):
            raise ValueError("method: forced 时每个等级写 share，不写 from")
        total = sum(share for share in shares if share is not None)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"各等级的 share 之和应为 100%，现在是 {total:.1%}")


class Veto(_Part):
    """From so many vetoed calls on, at best this grade. `confirmed: yes` counts only calls that a person confirmed."""

    calls: Annotated[int, Field(ge=1)] = 1
    grade: Text
    confirmed: bool = True


class Ungraded(_Part):
    """Who is not graded, and the coefficient they get meanwhile."""

    calls: Annotated[int, Field(ge=1)] = 5
    coefficient: Annotated[Number, Field(ge=0, le=10)] = 1.0


class NewStaff(_Part):
    """`graded: no` leaves agents in their first `days` days without a grade."""

    days: Annotated[int, Field(ge=0, le=3650)] = 90
    graded: bool = False
    coefficient: Annotated[Number, Field(ge=0, le=10)] = 1.0


class Limits(_Part):
    points_min: Number = 0.0
    points_max: Number = 100.0
    coefficient_min: Number = 0.0
    coefficient_max: Number = 10.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.points_min > self.points_max or self.coefficient_min > self.coefficient_max:
            raise ValueError("下限大于上限")
        return self


class Policy(_Part):
    """The whole of a policy file; `version` is what HR calls it, the file's own hash is kept beside it."""

    name: Text
    version: Text = "1"
    description: str = ""
    audit: AuditPart
    indicators: tuple[IndicatorPart, ...] = ()
    missing: Literal["skip", "zero"] = "skip"
    minimum: Ungraded = Ungraded()
    grades: Grades
    rewards: tuple[CountPart, ...] = ()
    deductions: tuple[CountPart, ...] = ()
    veto: Veto | None = None
    new_staff: NewStaff = NewStaff()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.audit.weight + sum(part.weight for part in self.indicators) <= 0:
            raise ValueError("各项权重之和应大于 0")
        names = [part.metric for part in self.indicators]
        if len(set(names)) != len(names):
            raise ValueError("indicators 里有重复的指标")
        if self.veto is not None and self.veto.grade not in {level.grade for level in self.grades.levels}:
            raise ValueError(f"veto.grade 写的 {self.veto.grade} 不在 grades 里")
        return self
