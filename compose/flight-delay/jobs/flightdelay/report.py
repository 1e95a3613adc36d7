"""The report for people: made from metrics.json's content, at most WIDTH characters a line."""

import textwrap
from typing import Any, Final

from flightdelay.features import PARTS
from flightdelay.train import MODELS

WIDTH: Final = 100
LABEL: Final = 13
COLUMNS: Final = (
    ("AUC", "auc"),
    ("PR AUC", "pr_auc"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("F1", "f1"),
    ("accuracy", "accuracy"),
)


def report(metrics: dict[str, Any]) -> str:
    """The whole report, with what the tasks of this submission and the stored steps before them know."""
    head = f"FLIGHT DELAYS  {metrics['label']['delayed_minutes']} minutes late or more on arrival"
    tail = f"{metrics['language']}, Spark {metrics['spark']}, {metrics['seconds']:.0f} s"
    lines = [f"{head}{tail:>{WIDTH - len(head)}}", "─" * WIDTH]
    lines += _data(metrics["input"], metrics["label"])
    if metrics["features"]:
        lines += _features(metrics["features"], metrics["split"])
    if metrics["models"]:
        lines += ["", *_models(metrics), ""]
    lines += _section("Output", [f"{metrics['output']}: {', '.join(metrics['files'])}"])
    mlflow = metrics["mlflow"]
    if mlflow["logged"]:
        lines += _section("MLflow", [f"run {mlflow['run_id']} of {mlflow['experiment']} at {mlflow['uri']}"])
    else:
        lines += _section("MLflow", [f"not logged ({mlflow['problem']})"])
    return "\n".join(lines) + "\n"


def _section(label: str, paragraphs: list[str]) -> list[str]:
    lines = []
    for text in paragraphs:
        lines += textwrap.wrap(text, WIDTH - LABEL, break_on_hyphens=False) or [""]
    return [f"{label if not i else '':<{LABEL}}{line}" for i, line in enumerate(lines)]


def _data(data: dict[str, Any], label: dict[str, Any]) -> list[str]:
    files, bad = len(data["files"]), sum(data["bad"].values())
    text = [
        f"{data['path']}, {files} file{'s' * (files != 1)}, {data['rows']:,} rows, "
        f"{data['first_date']} to {data['last_date']}",
        f"{data['usable']:,} usable, {data['cancelled']:,} cancelled, {data['diverted']:,} diverted, {bad:,} bad",
    ]
    text += [f"bad: {n:,} x {why}, first: {data['bad_example'][why]}" for why, n in data["bad"].items()]
    text += [
        f"passed over: {skip['file'].removeprefix(data['path'] + '/')} ({skip['why']})" for skip in data["skipped"][:3]
    ]
    if len(data["skipped"]) > 3:
        text.append(f"passed over: {len(data['skipped']) - 3} more files")
    return [
        *_section("Data", text),
        *_section("Label", [f"{label['delayed']:,} of {label['rows']:,} late ({label['rate']:.1%})"]),
    ]


def _features(features: dict[str, Any], split: dict[str, Any]) -> list[str]:
    text = [", ".join(features["used"])]
    if features["unavailable"]:
        lacking = (f"{name} (needs {', '.join(needs)})" for name, needs in features["unavailable"].items())
        text.append(f"not available: {', '.join(lacking)}")
    if features["pca"]:
        text.append(f"reduced to {features['pca']} principal components")
    parts = [
        f"{name:<11}{split[name]['rows']:>10,} flights, {split[name]['delayed'] / split[name]['rows']:6.1%} late, "
        f"{split[name]['from']} to {split[name]['to']}"
        for name in PARTS
    ]
    lines = _section("Features", text)
    return lines + [f"{'Parts' if not i else '':<{LABEL}}{part}" for i, part in enumerate(parts)]


def _models(metrics: dict[str, Any]) -> list[str]:
    lines = [f"{'Model':<22}" + "".join(f"{title:>11}" for title, _ in COLUMNS) + f"{'threshold':>12}"]
    for name, model in metrics["models"].items():
        title = f"{MODELS[name]}{' *' if name == metrics['best'] else ''}"
        numbers = "".join(f"{model['test'][key]:>11.3f}" for _, key in COLUMNS)
        lines.append(f"{title:<22}{numbers}{model['threshold']:>12.3f}")
    base = metrics["baseline"]
    numbers = f"{0.5:>11.3f}{base['delayed']:>11.3f}{'-':>11}{0:>11.3f}{'-':>11}{base['accuracy']:>11.3f}"
    lines.append(f"{'always on time':<22}{numbers}")
    best = metrics["models"][metrics["best"]]
    lines.append(
        f"* best by validation AUC ({best['validation']['auc']:.3f}); all measured on the test part, the latest"
    )
    top = ", ".join(f"{entry['feature']} {entry['weight']:.2f}" for entry in best["top"][:8])
    return [*lines, "", *_section("Weighs most", [top])]
