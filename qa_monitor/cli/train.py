"""`train`: fine-tune the classifier on a centre's own labels and compare it with the one in use."""

from __future__ import annotations

from pathlib import Path

import click

from qa_monitor.cli.chinese import ChineseCommand
from qa_monitor.errors import SetupError
from qa_monitor.settings import load_settings


@click.command(
    cls=ChineseCommand, help="用自己的标注微调分类模型，训练后与现用模型在同一批留出的通话上比较，由您决定是否换用。"
)
@click.option(
    "--data", "files", multiple=True, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="标注文件（JSONL，每行一通，格式见 data/guideline.md 第七节），可写多次",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="新模型的目录，默认 工作目录/classifier")
@click.option("--epochs", type=click.FloatRange(0.1, 50), default=4.0, show_default=True, help="遍数")
@click.option("--seed", type=int, default=1, show_default=True, help="随机种子")
@click.pass_obj
def train(home: Path, files: tuple[Path, ...], out: Path | None, epochs: float, seed: int) -> None:
    try:
        from qa_monitor.training.centre import adapt
    except ModuleNotFoundError as error:
        raise SetupError(
            f"训练需要 {error.name}，还没有安装", hint="请运行：pip install 'qa-monitor[train]'"
        ) from error
    settings = load_settings(home)
    folder = out or home / "classifier"
    in_use = Path(settings.classifier.model) if settings.classifier.model else None
    comparison = adapt(
        files, folder, in_use=in_use, epochs=epochs, seed=seed, report=lambda line: click.echo(line, err=True)
    )
    click.echo(f"学习 {comparison.learnt} 通，留出 {comparison.kept} 通比较：")
    for name in comparison.new:
        old, new = comparison.old.get(name), comparison.new[name]
        click.echo(f"  {name:28s} 现用 {old:.4f}  新 {new:.4f}")
    click.echo(f'新模型在 {folder}。要换用，请在 {home / "qa_monitor.toml"} 写：\n[classifier]\nmodel = "{folder}"')
