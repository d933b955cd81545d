"""Affine registration of a scan to an image, as a baseline of what needs no training (SimpleITK)."""
from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from anatembed.model.preprocessing import PreparedVolume

HEIGHTS_MM = range(-300, 301, 50)
SEED = 1
"""Of the sampled voxels: the same scans are registered the same way every time."""


def affine(scan: PreparedVolume, image_kji: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    """4x4 from RAS of a scan to RAS of an image in HU on an axis-aligned grid.

    Begins with the moments of the bodies and the best of several heights (a scan shows a part of the other one), then
    affine by mutual information; where that runs away, it stays where it began.
    """
    fixed, moving = _image(scan.array_kji, scan.ijk_to_ras), _image(image_kji, ijk_to_ras)
    start = sitk.CenteredTransformInitializer(
        fixed > -500, moving > -500, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(0.1, SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 120)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2])
    method.SetSmoothingSigmasPerLevel([2, 1])
    method.SetInitialTransform(_best_height(method, start, fixed, moving), inPlace=False)
    try:
        transform = method.Execute(fixed, moving)
    except RuntimeError:  # it ran away: where it began is all that is known
        transform = method.GetInitialTransform()
    return _matrix(transform)


def _best_height(method, start: sitk.Transform, fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    """`start` moved along S to where the metric is best."""
    best, best_value = start, np.inf
    for shift in HEIGHTS_MM:
        moved = sitk.AffineTransform(start)
        moved.SetTranslation([*moved.GetTranslation()[:2], moved.GetTranslation()[2] + shift])
        method.SetInitialTransform(moved, inPlace=False)
        try:
            value = method.MetricEvaluate(fixed, moving)
        except RuntimeError:  # too little overlap to measure
            continue
        if value < best_value:
            best, best_value = moved, value
    return best


def _matrix(transform: sitk.Transform) -> np.ndarray:
    """Both images carry RAS coordinates as if they were ITK's world: the transform then maps RAS to RAS."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(transform.TransformPoint(unit.tolist())) - origin for unit in np.eye(3)]
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([*columns, origin])
    return matrix


def _image(array_kji: np.ndarray, ijk_to_ras: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(np.clip(array_kji, -1000, 1000).astype(np.float32))
    image.SetSpacing([float(s) for s in np.diag(ijk_to_ras)[:3]])
    image.SetOrigin([float(s) for s in ijk_to_ras[:3, 3]])
    return image
