"""The page: predicted beside measured power, how far they are apart, and what that says about the turbine."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html
from flask import jsonify

from windpower import places
from windpower.columns import TIME
from windpower.metrics import WINDOW_DAYS
from windpower.running import ended
from windpower.state import State, age, figure, links, state

REFRESH_SECONDS = 5
# What the first graph shows: three days.
RECENT = 432

GOOD, BAD, WAITS = "#1a7f37", "#b3261e", "#57606a"
PREDICTED, MEASURED = "#0969da", "#bc4c00"
CARD = {"border": "1px solid #d0d7de", "borderRadius": "6px", "padding": "8px 14px", "minWidth": "150px"}
GRAPH = {"displayModeBar": False}


def _card(title: str, value: str, below: str = "", bad: bool = False) -> html.Div:
    return html.Div(
        [
            html.Div(title, style={"color": WAITS, "fontSize": "13px"}),
            html.Div(value, style={"fontSize": "22px", "color": BAD if bad else "inherit"}),
            html.Div(below, style={"color": WAITS, "fontSize": "13px"}),
        ],
        style=CARD,
    )


def _cards(now: State) -> list[html.Div]:
    found, model = now.health, now.model
    cards = [
        _card(
            f"MAE, last {WINDOW_DAYS} days",
            figure(found.mae, "kW"),
            f"threshold {figure(found.mae_limit, 'kW')}",
            "MAE" in found.over,
        ),
        _card(
            f"MAPE, last {WINDOW_DAYS} days",
            figure(found.mape, "%"),
            f"threshold {figure(found.mape_limit, '%')}",
            "MAPE" in found.over,
        ),
        _card("Measured of predicted", figure(found.produced, "%"), f"last {WINDOW_DAYS} days"),
    ]
    if model is None:
        cards.append(_card("Model", "none yet"))
    else:
        below = f"trained {age(model['trained'])} ago, MAE {figure(model['test_mae'], 'kW')} on its test part"
        cards.append(_card("Model", f"{places.MODEL} version {model['version']}", below))
    last = f"up to {now.points[TIME].iloc[-1]:%Y-%m-%d %H:%M}" if len(now.points) else ""
    counts = now.counts
    cards.append(_card("Points", f"{counts['predictions']:,} of {counts['measurements']:,} predicted", last))
    return cards


def _figure(title: str, unit: str) -> go.Figure:
    made = go.Figure()
    made.update_layout(
        title={"text": title, "font": {"size": 15}},
        height=260,
        margin={"l": 60, "r": 20, "t": 40, "b": 30},
        legend={"orientation": "h", "y": 1.15, "x": 1, "xanchor": "right"},
        template="plotly_white",
        uirevision=title,
    )
    made.update_yaxes(title=unit, rangemode="tozero")
    return made


def _power(points: pd.DataFrame) -> go.Figure:
    made = _figure("Power", "kW")
    for name, color in (("measured", MEASURED), ("predicted", PREDICTED)):
        made.add_scatter(x=points[TIME], y=points[name], name=name, line={"width": 1.5, "color": color})
    return made


def _rolling(points: pd.DataFrame, name: str, title: str, unit: str, limit: float | None) -> go.Figure:
    made = _figure(title, unit)
    made.add_scatter(x=points[TIME], y=points[name], name=name.upper(), line={"width": 1.5, "color": PREDICTED})
    if limit is not None:
        made.add_hline(y=limit, line={"dash": "dash", "color": BAD}, annotation_text=f"threshold {limit:,.1f} {unit}")
    return made


def view() -> list[Any]:
    """The page's changing part; what goes wrong with the database is said on it."""
    try:
        now = state()
    except (sqlite3.Error, OSError) as problem:
        return [html.H3(f"The database {places.database_file()} cannot be read: {problem}", style={"color": BAD})]
    known = now.health.mae is not None
    color = (BAD if now.health.over else GOOD) if known and now.model is not None else WAITS
    limits = now.health
    scored = now.points.dropna(subset=["mae"])
    return [
        html.H3(now.sentence(), id="sentence", style={"color": color}),
        html.Div(_cards(now), style={"display": "flex", "gap": "10px", "flexWrap": "wrap"}),
        dcc.Graph(id="power", figure=_power(now.points.tail(RECENT)), config=GRAPH),
        dcc.Graph(
            id="mae",
            figure=_rolling(scored, "mae", f"Rolling MAE, {WINDOW_DAYS} days", "kW", limits.mae_limit),
            config=GRAPH,
        ),
        dcc.Graph(
            id="mape",
            figure=_rolling(scored, "mape", f"Rolling MAPE, {WINDOW_DAYS} days", "%", limits.mape_limit),
            config=GRAPH,
        ),
    ]


def layout() -> html.Div:
    """The page as it is when it is opened."""
    anchors = [html.A(name, href=url, target="_blank", style={"marginRight": "16px"}) for name, url in links().items()]
    return html.Div(
        [
            html.H2("Wind power", style={"marginBottom": "4px"}),
            html.Div(anchors),
            html.Div(view(), id="view"),
            dcc.Interval(id="tick", interval=REFRESH_SECONDS * 1000),
        ],
        style={"fontFamily": "system-ui, sans-serif", "maxWidth": "1100px", "margin": "0 auto", "padding": "0 16px"},
    )


def make_page() -> Dash:
    """The page with its refresh, and `/health`, which reads the database as the page does."""
    page = Dash(__name__, title="Wind power", update_title="")
    page.layout = layout
    page.callback(Output("view", "children"), Input("tick", "n_intervals"), prevent_initial_call=True)(lambda _: view())

    @page.server.get("/health")  # type: ignore[untyped-decorator]
    def healthy() -> Any:
        try:
            now = state()
        except (sqlite3.Error, OSError) as problem:
            return jsonify(status="error", problem=str(problem)), 503
        version = now.model["version"] if now.model else None
        return jsonify(status="ok", **now.counts, model=version, over=now.health.over)

    return page


def main() -> int:
    """Serves the page until it is ended."""
    from waitress import serve

    serve(make_page().server, host=places.host(), port=int(places.number("PORT", 8050, 1, 65_535)), threads=4)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main))
