"""Flights of a day, block by block: aircraft that fly legs, one after the other."""

import datetime
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from flightgen import world
from flightgen.world import Integers, Numbers

BLOCK: Final = 200_000
LEGS: Final = 6
LATE: Final = 15
LAST_DEPARTURE: Final = 1350  # 22:30


def days_of(year: int, rows: int) -> Iterator[tuple[datetime.date, int]]:
    """Each day of the year with its share of the rows; days without any are left out."""
    first = datetime.date(year, 1, 1)
    days = (datetime.date(year + 1, 1, 1) - first).days
    for i in range(days):
        count = rows * (i + 1) // days - rows * i // days
        if count:
            yield first + datetime.timedelta(days=i), count


def flights(day: datetime.date, count: int, seed: int) -> Iterator[pa.RecordBatch]:
    """The count flights of a day as record batches of at most BLOCK rows, in BTS columns."""
    weather_rng = np.random.default_rng([seed, day.toordinal()])
    chance = world.bad_weather_chance(day.timetuple().tm_yday)
    weather = weather_rng.random(len(chance)) < chance
    for number, start in enumerate(range(0, count, BLOCK)):
        rng = np.random.default_rng([seed, day.toordinal(), number])
        yield _block(day, min(BLOCK, count - start), weather, number * BLOCK, rng)


def _block(
    day: datetime.date, count: int, weather: np.ndarray, offset: int, rng: np.random.Generator
) -> pa.RecordBatch:
    """Let aircraft fly until the block is full."""
    aircraft = count // 3 + 4  # they fly about 4 legs a day
    flown = _fly(day, aircraft, weather, rng)
    while len(flown["tail"]) < count:
        aircraft *= 2
        flown = _fly(day, aircraft, weather, rng)
    flown["tail"] += offset
    # More were flown than asked for: keep whole aircraft as far as they go, then put the day in order.
    keep = np.lexsort((flown["leg"], flown["tail"]))[:count]
    flown = {name: values[keep] for name, values in flown.items()}
    order = np.lexsort((flown["tail"], flown["departure"]))
    return _batch(day, {name: values[order] for name, values in flown.items()})


def _fly(day: datetime.date, aircraft: int, weather: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """All legs of a day; what one leg is late beyond the slack of the turnaround delays the next."""
    carrier = rng.choice(len(world.CARRIER_SHARE), aircraft, p=world.CARRIER_SHARE)
    at = rng.choice(len(world.AIRPORT_SHARE), aircraft, p=world.AIRPORT_SHARE)
    ready = np.round(rng.triangular(300, 360, 960, aircraft))
    late, slack = np.zeros(aircraft), np.zeros(aircraft)
    legs = []
    for leg in range(LEGS):
        flying = ready < LAST_DEPARTURE
        dest = rng.choice(len(world.AIRPORT_SHARE), aircraft, p=world.AIRPORT_SHARE)
        dest = np.where(dest == at, (dest + 1) % len(world.AIRPORT_SHARE), dest)
        columns = _leg(day, carrier, at, dest, ready, np.maximum(0, late - slack), weather, rng)
        columns["tail"], columns["leg"] = np.arange(aircraft), np.full(aircraft, leg)
        legs.append({name: values[flying] for name, values in columns.items()})
        turnaround = np.round(35 + rng.exponential(40, aircraft))
        ready = columns["sched_arrival"] + turnaround
        slack = turnaround - 30
        late = np.where(columns["cancelled"], 0, columns["arr_delay"])
        at = dest
    return {name: np.concatenate([leg[name] for leg in legs]) for name in legs[0]}


def _leg(
    day: datetime.date,
    carrier: Integers,
    origin: Integers,
    dest: Integers,
    departure: Numbers,
    carried: Numbers,
    weather: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """One flight per aircraft. carried: minutes of delay that the aircraft brings along."""
    size = len(carrier)
    miles = world.MILES[origin, dest]
    elapsed = np.round(38 + miles / 7.6 + rng.normal(0, 4, size))
    odds = (
        world.BASE
        + world.CARRIER_EFFECT[carrier]
        + world.AIRPORT_EFFECT[origin]
        + world.DEST_EFFECT * world.AIRPORT_EFFECT[dest]
        + world.hour_effect(departure)
        + world.season_effect(day.timetuple().tm_yday)
        + world.WEEKDAY_EFFECT[day.weekday()]
        + world.WEATHER_ORIGIN * weather[origin]
        + world.WEATHER_DEST * weather[dest]
    )
    event = rng.random(size) < 1 / (1 + np.exp(-odds))
    own = np.where(event, LATE + rng.exponential(38, size), np.minimum(rng.normal(-7, 9, size), LATE - 1))
    arr_delay = np.round(np.maximum(own, -40) + carried)
    taxi_out, taxi_in = (np.round(low + rng.gamma(3, 3, size)) for low in (6, 2))
    # Most of a delay happens at the gate; what is left is lost or won in the air.
    dep_delay = np.round(np.where(arr_delay > 0, arr_delay * rng.uniform(0.75, 1.0, size), rng.normal(-3, 3, size)))
    bad = weather[origin] | weather[dest]
    cancelled = rng.random(size) < np.where(bad, 0.07, 0.005)
    diverted = ~cancelled & (rng.random(size) < np.where(bad, 0.010, 0.001))
    return {
        "carrier": carrier,
        "origin": origin,
        "dest": dest,
        "departure": departure,
        "elapsed": elapsed,
        "sched_arrival": departure + elapsed + 60 * (world.ZONE[dest] - world.ZONE[origin]),
        "miles": miles,
        "dep_delay": dep_delay,
        "arr_delay": arr_delay,
        "taxi_out": taxi_out,
        "taxi_in": taxi_in,
        "carried": np.minimum(carried, np.maximum(arr_delay, 0)),
        "bad": bad,
        "cancelled": cancelled,
        "diverted": diverted,
        "split": rng.random(size),
    }


def _hhmm(minutes: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Minutes as hhmm; midnight is 2400, as in BTS."""
    of_day = (minutes.astype(np.int64) - 1) % 1440 + 1
    return pa.array(_CLOCK[of_day], pa.string(), mask=missing)


_CLOCK: Final = np.array([f"{m // 60:02d}{m % 60:02d}" for m in range(1441)], dtype=object)


def _number(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    return pa.array(values.astype(np.float64) + 0.0, mask=missing)


def _code(codes: tuple[str, ...], index: np.ndarray) -> pa.Array:
    return pa.array(np.array(codes, dtype=object)[index], pa.string())


def _batch(day: datetime.date, f: dict[str, np.ndarray]) -> pa.RecordBatch:
    """Put a block into the columns of BTS's prezipped files, with what they leave empty left empty."""
    size = len(f["carrier"])
    cancelled = f["cancelled"]
    no_arrival = cancelled | f["diverted"]
    out = f["departure"] + f["dep_delay"]
    off = out + f["taxi_out"]
    landed = f["sched_arrival"] + f["arr_delay"]
    actual = f["elapsed"] + f["arr_delay"] - f["dep_delay"]
    no_cause = no_arrival | (f["arr_delay"] < LATE)
    knock_on = np.round(f["carried"])
    rest = f["arr_delay"] - knock_on
    weather = np.where(f["bad"], np.round(rest * 0.6), 0)
    nas = np.round((rest - weather) * f["split"])
    carrier_delay = rest - weather - nas
    same: dict[str, object] = {
        "Year": day.year,
        "Quarter": (day.month + 2) // 3,
        "Month": day.month,
        "DayofMonth": day.day,
        "DayOfWeek": day.isoweekday(),
    }
    tail = f["tail"]
    tails = np.array(
        [f"N{100 + i % 900}{chr(65 + i // 900 % 26)}{chr(65 + i // 23400 % 26)}" for i in tail], dtype=object
    )
    columns: dict[str, pa.Array] = {name: pa.array(np.full(size, value)) for name, value in same.items()}
    columns |= {
        "FlightDate": pa.array(np.full(size, day.isoformat(), dtype=object), pa.string()),
        "Reporting_Airline": _code(world.CARRIER_CODES, f["carrier"]),
        "DOT_ID_Reporting_Airline": pa.array(world.CARRIER_IDS[f["carrier"]]),
        "Tail_Number": pa.array(tails, pa.string()),
        "Flight_Number_Reporting_Airline": pa.array((tail * 7 + f["leg"] * 1009) % 6000 + 1),
        "OriginAirportID": pa.array(world.AIRPORT_IDS[f["origin"]]),
        "Origin": _code(world.AIRPORT_CODES, f["origin"]),
        "DestAirportID": pa.array(world.AIRPORT_IDS[f["dest"]]),
        "Dest": _code(world.AIRPORT_CODES, f["dest"]),
        "CRSDepTime": _hhmm(f["departure"]),
        "DepTime": _hhmm(out, cancelled),
        "DepDelay": _number(f["dep_delay"], cancelled),
        "DepDelayMinutes": _number(np.maximum(f["dep_delay"], 0), cancelled),
        "DepDel15": _number(f["dep_delay"] >= LATE, cancelled),
        "TaxiOut": _number(f["taxi_out"], cancelled),
        "WheelsOff": _hhmm(off, cancelled),
        "WheelsOn": _hhmm(landed - f["taxi_in"], no_arrival),
        "TaxiIn": _number(f["taxi_in"], no_arrival),
        "CRSArrTime": _hhmm(f["sched_arrival"]),
        "ArrTime": _hhmm(landed, no_arrival),
        "ArrDelay": _number(f["arr_delay"], no_arrival),
        "ArrDelayMinutes": _number(np.maximum(f["arr_delay"], 0), no_arrival),
        "ArrDel15": _number(f["arr_delay"] >= LATE, no_arrival),
        "Cancelled": _number(cancelled),
        "CancellationCode": pa.array(np.where(f["bad"], "B", "A").astype(object), pa.string(), mask=~cancelled),
        "Diverted": _number(f["diverted"]),
        "CRSElapsedTime": _number(f["elapsed"]),
        "ActualElapsedTime": _number(actual, no_arrival),
        "AirTime": _number(np.maximum(actual - f["taxi_out"] - f["taxi_in"], 15), no_arrival),
        "Flights": _number(np.ones(size)),
        "Distance": _number(f["miles"]),
        "CarrierDelay": _number(carrier_delay, no_cause),
        "WeatherDelay": _number(weather, no_cause),
        "NASDelay": _number(nas, no_cause),
        "SecurityDelay": _number(np.zeros(size), no_cause),
        "LateAircraftDelay": _number(knock_on, no_cause),
    }
    return pa.RecordBatch.from_pydict(columns)
