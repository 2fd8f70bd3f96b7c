"""The error tree. Three families decide the exit code and the retry.

    QaMonitorError
    ├── RecordingError            the recording is bad: reported by name, the batch goes on      (exit 1)
    │   ├── EmptyFile             0 bytes
    │   ├── NotAudio              text, spreadsheet, play list, random bytes … whatever its name says
    │   ├── RawAudio              headerless pcm/vox/g729 without a declared codec
    │   ├── NoSound               a header and no samples
    │   ├── TooManyChannels       more than two channels and no channel map
    │   ├── TooLong               longer than `audio.max_hours`
    │   ├── Incomplete            too little of the claimed length is there to score
    │   ├── Unreadable            permission, vanished or changed while it was read
    │   ├── DecoderCrashed        the decoder process died, hung or ate its memory
    │   ├── BadDialogue           a line of a dialogue file that cannot be used
    │   └── Poisoned              crashed the worker repeatedly and was set aside
    ├── MachineError              the machine is short: retried with back-off                     (retry, then exit 1)
    │   ├── DiskFull
    │   ├── OutOfMemory
    │   ├── StoreBusy
    │   └── StillGrowing          the file is being written: looked at again on the next pass
    └── SetupError                the set-up is wrong: stop before the first recording            (exit 2)
        ├── SettingsError
        ├── ModelMissing
        ├── ModelCorrupt
        ├── StoreError            network drive, read-only, corrupt, newer than this program
        ├── RuleFileError         file, line and a suggestion
        ├── TrainingDataError     a labelled dialogue that cannot be read: file, line, the right form
        ├── RecordsFileError      roster, sidecar or performance table that cannot be read
        ├── DeviceMissing         asked for a GPU that is not there
        └── ReportNotWritten      a report's target is open elsewhere or not writable; what was there stays

Every message says what is wrong, where, and what to type next, in Chinese.
"""

from __future__ import annotations


class QaMonitorError(Exception):
    """Root of every error this package raises on purpose.

    Parameters
    ----------
    what : what is wrong, one Chinese clause with the figures that matter.
    where : file name, `file:line`, table row … already safe to display; empty when there is none.
    hint : what the user can do or type next.
    """

    code = "error"
    title = "错误"

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.title}：{self.where}：{self.what}" if self.where else f"{self.title}：{self.what}"
        return f"{head}。{self.hint}" if self.hint else head

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders; keyword-only arguments need help to survive pickling.
        return (_rebuild, (type(self), self.what, self.where, self.hint))


def _rebuild(kind: type[QaMonitorError], what: str, where: str, hint: str) -> QaMonitorError:
    return kind(what, where=where, hint=hint)


class RecordingError(QaMonitorError):
    """The recording is bad. Reported with its code; the batch goes on."""

    code = "bad_recording"
    title = "录音有问题"


class EmptyFile(RecordingError):
    code = "empty_file"
    title = "空文件"


class NotAudio(RecordingError):
    code = "not_audio"
    title = "不是音频"


class RawAudio(RecordingError):
    code = "raw_audio"
    title = "无文件头的裸音频"


class NoSound(RecordingError):
    code = "no_sound"
    title = "没有声音"


class TooManyChannels(RecordingError):
    code = "too_many_channels"
    title = "声道过多"


class TooLong(RecordingError):
    code = "too_long"
    title = "录音过长"


class Incomplete(RecordingError):
    code = "incomplete"
    title = "录音不完整"


class Unreadable(RecordingError):
    code = "unreadable"
    title = "无法读取"


class DecoderCrashed(RecordingError):
    code = "decoder_crashed"
    title = "解码失败"


class BadDialogue(RecordingError):
    code = "bad_dialogue"
    title = "对话格式有误"


class Poisoned(RecordingError):
    code = "poisoned"
    title = "已搁置"


class MachineError(QaMonitorError):
    """The machine is short of something. Retried with back-off."""

    code = "machine"
    title = "机器资源不足"


class DiskFull(MachineError):
    code = "disk_full"
    title = "磁盘已满"


class OutOfMemory(MachineError):
    code = "out_of_memory"
    title = "内存不足"


class StoreBusy(MachineError):
    code = "store_busy"
    title = "数据库繁忙"


class StillGrowing(MachineError):
    code = "still_growing"
    title = "文件仍在写入"


class SetupError(QaMonitorError):
    """The set-up is wrong. Work stops before the first recording."""

    code = "setup"
    title = "设置有误"


class SettingsError(SetupError):
    code = "settings"
    title = "配置有误"


class ModelMissing(SetupError):
    code = "model_missing"
    title = "缺少模型"


class ModelCorrupt(SetupError):
    code = "model_corrupt"
    title = "模型校验不符"


class StoreError(SetupError):
    code = "store"
    title = "数据库不可用"


class RuleFileError(SetupError):
    code = "rule_file"
    title = "规则文件有误"


class TrainingDataError(SetupError):
    code = "training_data"
    title = "标注文件有误"


class RecordsFileError(SetupError):
    code = "records_file"
    title = "表格文件有误"


class DeviceMissing(SetupError):
    code = "device_missing"
    title = "缺少设备"


class ReportNotWritten(SetupError):
    code = "report_not_written"
    title = "报告未能写入"
