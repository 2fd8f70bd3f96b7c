"""Typed settings: one model a block, read from `qa_monitor.toml`, every field described in Chinese.

The descriptions are what `qa-monitor init` writes as comments and what the README's table is checked against.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa_monitor.errors import SettingsError

CONFIG_NAME = "qa_monitor.toml"
_PACKAGE_DIR = Path(__file__).resolve().parent


def resource_dir(name: Literal["rules", "models"]) -> Path:
    """The shipped `rules/` or `models/` folder: beside the package in a checkout, inside it in a wheel."""
    checkout = _PACKAGE_DIR.parent / name
    return checkout if checkout.is_dir() else _PACKAGE_DIR / "_shipped" / name


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecordingSettings(_Block):
    """Which files are looked at and where a call's facts come from."""

    file_name_pattern: str = Field(
        default=r"^(?P<agent_id>[A-Za-z]?\d{3,12})[_-](?P<started_at>\d{8}[_-]?\d{6})(?:[_-](?P<call_id>[^_]+))?",
        description="录音文件名中提取信息的正则(RE2)，命名组可用 call_id agent_id started_at direction business customer",
    )
    sidecar: str = Field(default="*.csv", description="录音文件夹内随录信息表的文件名（通配符），逐列按表头识别")
    follow_symlinks: bool = Field(default=False, description="是否跟随符号链接（默认不跟随，只计数）")
    settle_s: float = Field(default=2.0, ge=0, description="文件大小多少秒内无变化才视为写完")
    timezone: str = Field(default="Asia/Shanghai", description="随录信息表和文件名里没有时区的时间按此时区理解")


class AudioSettings(_Block):
    """Decoding and voice activity."""

    max_hours: float = Field(default=6.0, gt=0, description="超过此时长（小时）的录音不处理")
    min_s: float = Field(default=2.0, ge=0, description="短于此秒数的录音只登记，不评分")
    min_complete_share: float = Field(default=0.5, ge=0, le=1, description="残缺录音至少保留多大比例才评分")
    decode_timeout_s: float = Field(default=300.0, gt=0, description="单个文件解码最长用时（秒），超时视为解码器故障")
    decode_memory_mb: int = Field(default=1024, ge=256, description="解码进程内存上限（MB）")
    raw_codec: str = Field(
        default="", description="裸音频（无文件头 pcm/vox/g729）的编码，如 pcm_s16le、adpcm_ima_oki、g729"
    )
    raw_rate: int = Field(default=8000, description="裸音频采样率")
    raw_channels: int = Field(default=1, description="裸音频声道数")


class TranscriptSettings(_Block):
    """Speech recognition."""

    engine: str = Field(default="faster-whisper", description="识别引擎：faster-whisper 或 sherpa-onnx")
    model: str = Field(default="whisper-base", description="模型名（见 qa-monitor models list）或本地模型目录")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="识别所用设备")
    allow_cpu_fallback: bool = Field(default=False, description="要求 GPU 而没有时是否退回 CPU")
    compute_type: str = Field(default="int8", description="CTranslate2 计算精度")
    threads: int = Field(default=0, ge=0, description="每个工作进程的线程数，0 为自动")
    beam_size: int = Field(default=5, ge=1, le=10, description="束宽，也是按上下文挑选的读法数：1 最快，5 较准")
    language: str = Field(default="zh", description="语种")
    hotwords_file: str = Field(default="hotwords.txt", description="热词表，位于规则目录")
    correct_domain_words: bool = Field(default=True, description="低置信度处按读音纠正行业词（保留原文）")
    correct_homophones: bool = Field(
        default=True, description="按上下文挑选读法，按读音和上下文改正听错的同音字（保留原文）"
    )


class DialogueSettings(_Block):
    """Who speaks."""

    agent_channel: int | None = Field(default=None, description="坐席所在声道（0 左 1 右），留空则由随录信息或话语判断")
    max_speakers: int = Field(default=3, ge=1, le=6, description="单声道录音最多区分几个说话人（第三个人须明显不同）")
    min_role_confidence: float = Field(default=0.6, ge=0, le=1, description="角色置信度低于此值记为未知并提示")
    silence_s: float = Field(default=3.0, gt=0, description="双方都不说话超过多少秒记为静音")
    overlap_s: float = Field(default=0.5, gt=0, description="两人同时说话超过多少秒记为抢话重叠")


class ClassifierSettings(_Block):
    """The classifier."""

    model: str = Field(default="", description="分类模型的目录（qa-monitor train 训练所得），留空用随软件提供的模型")


class RulesSettings(_Block):
    """Rule packs and scorecard."""

    directory: str = Field(default="", description="规则目录，留空用随软件提供的 rules/")
    packs: list[str] = Field(default=["common", "power_95598"], description="启用的规则包（规则目录下的文件夹）")
    scorecard: str = Field(default="scorecards/power_95598.yaml", description="评分表，相对规则目录")
    policy: str = Field(default="policy/default.yaml", description="绩效办法，相对规则目录；留空则成绩单不算等级和系数")


class PrivacySettings(_Block):
    """Masking and retention."""

    mask: bool = Field(default=True, description="报告中是否遮盖个人信息")
    retention_days: int = Field(default=180, ge=1, description="通话内容保存天数，到期由 qa-monitor purge 删除")


class StoreSettings(_Block):
    """Where results live."""

    url: str = Field(default="", description="数据库地址，留空用工作目录下的 SQLite 文件 store.db")
    lease_s: float = Field(default=60.0, gt=0, description="工作进程租约秒数，逾期未续则由其他进程接手")
    max_attempts: int = Field(default=2, ge=1, description="同一录音导致工作进程崩溃几次后搁置")


class ReportSettings(_Block):
    """What reports show."""

    directory: str = Field(default="reports", description="报告输出目录，相对工作目录")
    min_calls: int = Field(default=5, ge=1, description="通话少于此数的坐席标注样本不足，不排名")
    new_staff_days: int = Field(default=90, ge=0, description="入职不满多少天的坐席标注新员工")
    call_link: str = Field(
        default="",
        pattern=r"^$|^https?://\S+$",
        description="成绩单里通话链接的模板，如 http://质检服务器:8000/calls/{key}；留空不加链接",
    )


class Settings(_Block):
    """All of it. `home` is the folder that holds the configuration, the store, the spool and the reports."""

    recordings: RecordingSettings = RecordingSettings()
    audio: AudioSettings = AudioSettings()
    transcript: TranscriptSettings = TranscriptSettings()
    dialogue: DialogueSettings = DialogueSettings()
    classifier: ClassifierSettings = ClassifierSettings()
    rules: RulesSettings = RulesSettings()
    privacy: PrivacySettings = PrivacySettings()
    store: StoreSettings = StoreSettings()
    reports: ReportSettings = ReportSettings()
    home: Path = Field(default=Path("qa_data"), exclude=True)

    @property
    def rules_dir(self) -> Path:
        chosen = self.rules.directory
        return (self.home / chosen).resolve() if chosen else resource_dir("rules")

    @property
    def store_url(self) -> str:
        return self.store.url or f"sqlite:///{(self.home / 'store.db').resolve()}"

    @property
    def spool_dir(self) -> Path:
        """Decoded audio of the recordings in progress; emptied by `status`/`audit` when its owner is gone."""
        return self.home / "spool"

    @property
    def reports_dir(self) -> Path:
        return self.home / self.reports.directory


def load_settings(home: Path, overrides: dict[str, dict[str, Any]] | None = None) -> Settings:
    """Settings of the workspace `home`: defaults, then `home/qa_monitor.toml`, then `overrides` by block and field.

    Raises SettingsError naming the file and field for a syntax error, an unknown key or a value out of range.
    """
    path = home / CONFIG_NAME
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"不是有效的 TOML：{error}", where=str(path), hint="请按提示的行号改正，或运行 qa-monitor init 重新生成"
            ) from error
    for block, fields in (overrides or {}).items():
        given = {name: value for name, value in fields.items() if value is not None}
        values[block] = {**values.get(block, {}), **given}
    try:
        return Settings(**values, home=home)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"配置项 {field} 不可用：{first['msg']}（收到 {first.get('input')!r}）",
            where=str(path) if path.exists() else "命令行参数",
            hint=f"共 {error.error_count()} 处，改正后重试；运行 qa-monitor init 可查看全部配置项的说明",
        ) from error
