"""qa_monitor: quality monitor for Chinese call-centre conversations (客服录音智能质检)."""

__version__ = "0.1.0"
