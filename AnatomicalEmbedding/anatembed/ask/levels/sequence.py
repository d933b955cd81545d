"""Vertebrae as one sequence along the canal: a hidden semi-Markov chain over levels; NumPy only.

States are the levels from C1 to S1 with the anomalies that people have: 11 or 13 thoracic and 4 or 6 lumbar ones. A
state's place is the middle of its vertebra; the distance to the next one is the usual one times the person's scale.
The probabilities are sums over all ways of counting and all scales (forward-backward), the places are those of the
best one (Viterbi).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from anatembed.ask.levels.canal import STEP_MM
from anatembed.ask.levels.spine_atlas import LEVELS

STATES = (*LEVELS[:19], "T13", *LEVELS[19:24], "L6", "S1")
LOOKS_LIKE = {"T13": "T12", "L6": "L5"}
LEVEL_OF_STATE = np.array([LEVELS.index(LOOKS_LIKE.get(state, state)) for state in STATES])
ORDINAL = np.array([{"T13": 18.5, "L6": 23.5}.get(state, float(LEVEL_OF_STATE[n])) for n, state in enumerate(STATES)])
"""Place of every state in the usual order: C1 is 0, T1 is 7, L1 is 19, S1 is 24."""
RARE = {"T13": 0.01, "L6": 0.03}
FOLLOWS = {
    "L1": {"T11": 0.01, "T12": 0.98, "T13": 1.0}, "T13": {"T12": 0.01}, "L6": {"L5": 0.03},
    "S1": {"L4": 0.02, "L5": 0.95, "L6": 1.0},
}  # fmt: skip
"""Which state may come above one, with its probability, where that is not only the one before it in STATES: lumbar and
thoracic variants are found in a few people of a hundred each (Thawait et al. 2012, doi 10.1016/j.acra.2012.04.003, give
more for transitional forms, most of which can be counted as usual)."""
SCALES = np.array([0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15])
SCALE_SD = 0.08
DISTANCE_SD = 0.1
"""Relative: how much distances of neighbours vary in a person of one scale."""
SHORTEST, LONGEST = 0.6, 1.45
NEAR_END = 0.9
"""The first and the last vertebra lie within this share of their height of an end of the canal, unless ..."""
ABOVE_C1_MM, BELOW_S1_MM = (15.0, 60.0), (40.0, 140.0)
"""... the skull is above or the sacrum below: free of cost so far, and at most so far."""
EMPTY_COST = 0.1
"""Log probability lost per mm of canal without vertebrae beyond that."""
NEVER = -1e9


@dataclass(frozen=True)
class Decoding:
    """The best way of counting: states and steps of the canal (n,) from above, the person's scale, and how probable
    each state's middle is at each step: posterior (states, S)."""

    states: np.ndarray
    steps: np.ndarray
    scale: float
    posterior: np.ndarray


@cache
def predecessors(state: int) -> tuple[tuple[int, float], ...]:
    """States that may lie above a state, with log probabilities."""
    name = STATES[state]
    if name in FOLLOWS:
        return tuple((STATES.index(one), float(np.log(p))) for one, p in FOLLOWS[name].items())
    return ((state - 1, 0.0),) if state else ()


def decode(evidence: list[np.ndarray], heights_mm: np.ndarray) -> Decoding:
    """Count: evidence is one array (S, states) of log-likelihoods per scale in SCALES, from below upwards; heights_mm
    (states,) of a person of scale 1."""
    results = [_one_scale(one[::-1], heights_mm * scale) for one, scale in zip(evidence, SCALES, strict=True)]
    priors = -0.5 * ((SCALES - 1) / SCALE_SD) ** 2
    totals = np.array([one.total for one in results]) + priors
    whole = _log_sum(totals[:, None])[0]
    posterior = sum(np.exp(one.joint + prior - whole) for one, prior in zip(results, priors, strict=True))
    best = int(np.argmax([one.best + prior for one, prior in zip(results, priors, strict=True)]))
    last = len(evidence[0]) - 1
    states, steps = np.array(results[best].path, int).reshape(-1, 2).T
    return Decoding(states, last - steps, float(SCALES[best]), posterior[:, ::-1])


@dataclass(frozen=True)
class _Scale:
    total: float
    joint: np.ndarray
    best: float
    path: list[tuple[int, int]]


def _one_scale(evidence: np.ndarray, heights_mm: np.ndarray) -> _Scale:
    """Forward-backward and Viterbi for one scale; here steps count from above."""
    steps = len(evidence)
    heights = heights_mm / STEP_MM
    moves = {(a, b): _moves(heights[a], heights[b], w) for b in range(len(STATES)) for a, w in predecessors(b)}
    begin, end = _ends(steps, heights)
    forward, viterbi = np.full((2, len(STATES), steps), NEVER)
    came_from: list[tuple[np.ndarray, np.ndarray]] = []
    for state in range(len(STATES)):
        above = [one for one, _ in predecessors(state)]
        sums, bests = [begin[state][None]], [begin[state][None]]
        sources, distances = [np.array([-1])], [np.array([0])]
        for one in above:
            distance, cost = moves[one, state]
            sums.append(_shifted(forward[one], distance) + cost[:, None])
            bests.append(_shifted(viterbi[one], distance) + cost[:, None])
            sources.append(np.full(len(distance), one))
            distances.append(distance)
        best = np.concatenate(bests)
        choice = best.argmax(axis=0)
        came_from.append((np.concatenate(sources)[choice], np.concatenate(distances)[choice]))
        forward[state] = _log_sum(np.concatenate(sums)) + evidence[:, state]
        viterbi[state] = best[choice, np.arange(steps)] + evidence[:, state]
    backward = end.copy()
    for state in reversed(range(len(STATES))):
        terms = [end[state][None]]
        for (one, below), (distance, cost) in moves.items():
            if one == state:
                after = (backward[below] + evidence[:, below])[::-1]
                terms.append(_shifted(after, distance)[:, ::-1] + cost[:, None])
        backward[state] = _log_sum(np.concatenate(terms))
    total = _log_sum((forward + end).reshape(-1, 1))[0]
    final = viterbi + end
    return _Scale(float(total), forward + backward, float(final.max()), _path(final, came_from))


def _path(final: np.ndarray, came_from) -> list[tuple[int, int]]:
    state, step = map(int, np.unravel_index(final.argmax(), final.shape))
    path = []
    while state >= 0:
        path.append((state, step))
        sources, distances = came_from[state]
        state, step = int(sources[step]), step - int(distances[step])
    return path[::-1]


def _moves(above: float, below: float, log_probability: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances in steps of two neighbours of these heights, and their log probabilities."""
    usual = (above + below) / 2
    distance = np.arange(max(2, int(usual * SHORTEST)), int(np.ceil(usual * LONGEST)) + 1)
    spread = DISTANCE_SD * usual
    cost = -0.5 * ((distance - usual) / spread) ** 2 - np.log(spread * np.sqrt(2 * np.pi))
    return distance, cost + log_probability


def _ends(steps: int, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities (states, S) that a state is the first or the last one in view."""
    begin, end = np.full((2, len(STATES), steps), NEVER)
    from_above = np.arange(steps) * STEP_MM
    for state, name in enumerate(STATES):
        near = int(np.ceil(heights[state] * NEAR_END))
        begin[state, :near] = np.log(RARE.get(name, 1.0) / len(LEVELS))
        end[state, -near:] = 0.0
    skull, sacrum = _empty(from_above, *ABOVE_C1_MM), _empty(from_above[::-1], *BELOW_S1_MM)
    begin[0] = np.maximum(begin[0], skull - np.log(len(LEVELS)))
    end[-1] = np.maximum(end[-1], sacrum)
    return begin, end


def _empty(length_mm: np.ndarray, free_mm: float, most_mm: float) -> np.ndarray:
    return np.where(length_mm <= most_mm, -EMPTY_COST * np.maximum(length_mm - free_mm, 0), NEVER)


def _shifted(values: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """values (S,) moved down by each of several distances: (n,S), NEVER where there is none."""
    source = np.arange(len(values)) - np.asarray(distances)[:, None]
    return np.where(source >= 0, values[np.maximum(source, 0)], NEVER)


def _log_sum(values: np.ndarray) -> np.ndarray:
    """log of the sum of exponentials over the first axis."""
    highest = values.max(axis=0)
    return highest + np.log(np.exp(values - highest).sum(axis=0))
