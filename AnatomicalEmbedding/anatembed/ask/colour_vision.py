"""How far apart two colours are for people with and without colour blindness.

CIELAB under D65 from sRGB (IEC 61966-2-1); colour blindness after Machado, Oliveira and Fernandes, "A
physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15 (2009), severity 1.0.
"""

import numpy as np

VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ]),
}
"""Matrices on linear RGB: what is seen of a colour."""

_RGB_TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041],
])
_WHITE = _RGB_TO_XYZ.sum(axis=1)
_EDGE = 6 / 29


def lab_of(rgb, vision: str = "normal") -> np.ndarray:
    """CIELAB (..., 3) of sRGB (..., 3) in 0..255 as seen with a vision of VISIONS."""
    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISIONS[vision].T, 0, 1)
    t = seen @ _RGB_TO_XYZ.T / _WHITE
    f = np.where(t > _EDGE**3, np.cbrt(t), t / (3 * _EDGE**2) + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def rgb_of(lab) -> np.ndarray:
    """sRGB (..., 3) float in 0..255 of CIELAB; NaN where the screen has no such colour."""
    light, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    y = (light + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(f > _EDGE, f**3, 3 * _EDGE**2 * (f - 4 / 29)) * _WHITE
    linear = xyz @ np.linalg.inv(_RGB_TO_XYZ).T
    inside = ((linear > -1e-4) & (linear < 1 + 1e-4)).all(axis=-1, keepdims=True)
    linear = np.clip(linear, 0, 1)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.where(inside, 255 * value, np.nan)


def least_distance(one, other) -> np.ndarray:
    """Distance (...) in CIELAB (1976) of sRGB colours (..., 3) for whoever sees them least apart."""
    return np.min([np.linalg.norm(lab_of(one, v) - lab_of(other, v), axis=-1) for v in VISIONS], axis=0)
