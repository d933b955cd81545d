"""Names the parts of whole bones and organs by simple geometry, where the part is sure to lie in the field of view.

Label maps name wholes; people ask for the manubrium or the iliac crest. Every rule reads the wholes of one person and
yields parts. Lengths are those of adults in textbooks of anatomy, in mm.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from anatembed.geometry import spacing_mm, transform_points
from scipy import ndimage
from scipy.spatial import cKDTree

from research.training.subject import OUTSIDE, UNNAMED, Subject

UP, DOWN = np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, -1.0])
OUTWARD = {"left": -1.0, "right": 1.0}  # the sign of lateral: +R is the patient's right
SPECK = 0.02  # pieces of a label below this share of it are noise, which would pose as its end
MARGIN = 9.0  # what must be seen beyond an end before it is one; with less, the scan may end there
STERNUM_LENGTH = (115.0, 260.0)  # shorter ones are cut or lack a part
MANUBRIUM_SHARE, MANUBRIUM_LENGTH = 0.33, (42.0, 60.0)  # of manubrium and body: the body is twice as long
XIPHOID_NARROW = 0.55  # the xiphoid process is about half as wide as the lower body of the sternum
XIPHOID_SIZE, BONE_HU = (16.0, 9.0, 27.0), 120.0  # R, A, S: it is 25 to 40 mm long, and its tip is cartilage
NOTCH_RADIUS = 9.5  # the jugular notch is a finger wide
CLAVICLE_END, CLAVICLE_TO_STERNUM = 25.0, 25.0  # the widened end; a joint is narrower than this
FEMORAL_HEAD, HUMERAL_HEAD = (17.5, 30.0), (16.0, 28.0)  # radii: 38 to 58 mm wide; the humeral head is flatter
HUMERAL_HEAD_RADIUS = 22.0  # the ball inside head and tubercles is smaller than the head, which is 44 mm wide
JOINT_SPACE = 12.0  # between the ball in a joint's head and the other bone: cartilage, and what the ball leaves out
TROCHANTER_SIDE, TROCHANTER_DROP = 1.5, 1.6  # in radii of the head: 36 mm lateral of its middle, ends 38 mm below it
CREST_DEPTH, CREST_RISE = 15.0, 75.0  # the rim from spine to spine; both iliac spines are 75 mm below the summit
SYMPHYSIS_REACH, SYMPHYSIS_HALF = 9.0, 12.0  # the disc is at most 8 mm wide, its bones are thick beside it
ISTHMUS = 5.0  # the middle 10 mm of the thyroid belong to neither lobe
PSOAS_TO_MIDLINE = 65.0  # between crest and sacrum the psoas lies beside the spine, the iliacus on the ilium
CARINA_HEIGHT, CARINA_HALF_WIDTH = 12.0, 10.0  # the widened end of the trachea, 20 mm wide
BRONCHUS_LENGTH = {"left": 50.0, "right": 28.0}  # from the carina to the first lobar bronchus
BRONCHUS_AREA = 60.0  # mm2: a main bronchus is at least 9 mm wide
APEX_HEIGHT = 25.0  # the lung rises this far above the clavicle and first rib
FORK_RADIUS = 10.0  # half of the aorta's width above its end
POLE_SHARE, KIDNEY_LENGTH = 0.2, (75.0, 160.0)  # kidneys are 100 to 120 mm long; others are cut or deformed


@dataclass(frozen=True)
class Voxels:
    """Voxel indices (N,3) in KJI and their positions (N,3) in RAS mm."""

    kji: np.ndarray
    ras: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> Voxels:
        return Voxels(self.kji[chosen], self.ras[chosen])

    def __len__(self) -> int:
        return len(self.kji)

    def on_grid(self) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """The voxels as bool in a box with a margin of one, and their indices in it."""
        mask = np.zeros(np.ptp(self.kji, axis=0) + 3, bool)
        places = tuple((self.kji - self.kji.min(axis=0) + 1).T)
        mask[places] = True
        return mask, places

    def within(self, radius_mm: float, centre_ras: np.ndarray) -> Voxels:
        return self[np.linalg.norm(self.ras - centre_ras, axis=1) < radius_mm]

    def gap_to(self, other: Voxels) -> np.ndarray:
        """Distance in mm (N,) from each voxel to the nearest one of `other`."""
        return cKDTree(other.ras).query(self.ras)[0]

    def long_axis(self) -> np.ndarray:
        """Unit vector (RAS) along the longest extent, upwards."""
        axis = np.linalg.eigh(np.cov(self.ras.T))[1][:, -1]
        return axis * np.sign(axis[2] or 1.0)


Parts = Iterator[tuple[str, Voxels]]


class Body:
    """What the rules ask of a person: where the wholes were before any rule, and what the scan shows."""

    def __init__(self, subject: Subject):
        self.labels, self.ijk_to_ras = subject.labels_kji.copy(), subject.ijk_to_ras
        self.ras_to_ijk = np.linalg.inv(subject.ijk_to_ras)
        self.spacing = float(spacing_mm(subject.ijk_to_ras).max())
        self.ct = subject.ct_kji
        self.named_kji = np.argwhere(self.labels > UNNAMED)
        self.indices: dict[str, list[int]] = {}
        for index, (concepts, name) in enumerate(zip(subject.label_concepts, subject.label_names, strict=True)):
            # A bone lent by another body is bent and has holes: it says where, not which shape.
            if len(concepts) == 1 and not name.startswith("lent "):
                self.indices.setdefault(concepts[0], []).append(index)

    def voxels(self, kji: np.ndarray) -> Voxels:
        return Voxels(kji, transform_points(self.ijk_to_ras, kji[:, ::-1]))

    def whole(self, *concepts: str) -> Voxels:
        """The voxels of these concepts but for specks; none where the person lacks them."""
        indices = [i for concept in concepts for i in self.indices.get(concept, [])]
        every = self.voxels(self.named_kji[np.isin(self.labels[tuple(self.named_kji.T)], indices)])
        if not len(every):
            return every
        mask, places = every.on_grid()
        piece = ndimage.label(mask, np.ones((3, 3, 3)))[0][places]
        return every[np.bincount(piece)[piece] >= SPECK * len(every)]

    def unnamed_near(self, centre_ras: np.ndarray, radius_mm: float) -> Voxels:
        middle = np.rint(transform_points(self.ras_to_ijk, centre_ras)).astype(int)[::-1]
        reach = int(np.ceil(radius_mm / self.spacing)) + 1
        low = np.maximum(middle - reach, 0)
        k, j, i = (slice(*ends) for ends in zip(low, np.maximum(middle + reach + 1, 0), strict=True))
        return self.voxels(np.argwhere(self.labels[k, j, i] == UNNAMED) + low).within(radius_mm, centre_ras)

    def sees(self, positions_ras: np.ndarray) -> np.ndarray:
        """Whether each position (N,3) lies in the scan; where there is a CT, whether it lies in the person."""
        kji = np.rint(transform_points(self.ras_to_ijk, positions_ras)).astype(int)[:, ::-1]
        seen = ((kji >= 0) & (kji < self.labels.shape)).all(axis=1)
        if self.ct is not None:  # else the body's outline is only guessed from the labels
            seen[seen] = self.labels[tuple(kji[seen].T)] != OUTSIDE
        return seen

    def uncut(self, part: Voxels) -> bool:
        """Whether no voxel lies at the front, the back or the sides of the volume."""
        return bool(((part.kji > 0) & (part.kji < np.array(self.labels.shape) - 1))[:, 1:].all())

    def ends(self, part: Voxels, direction: np.ndarray) -> bool:
        """Whether `part` ends in that direction (a unit vector in RAS) rather than being cut by the field of view."""
        along = part.ras @ direction
        tip = part.ras[along > along.max(initial=-np.inf) - 1.5 * self.spacing]
        return len(tip) > 0 and bool(self.sees(tip + MARGIN * direction).mean() > 0.5)


def name_parts(subject: Subject, vocabulary_ids: frozenset[str]) -> list[str]:
    """Give the parts of wholes labels of their own, in place; returns the names of the parts.

    Parts that the vocabulary lacks or that the subject annotates itself are left alone; new ones count as annotated.
    ValueError if the grid is not RAS-canonical: rising K, J, I must be superior, anterior and the patient's right.
    """
    axes = subject.ijk_to_ras[:3, :3]
    if (np.diag(axes) <= 0).any() or not np.allclose(axes, np.diag(np.diag(axes))):
        raise ValueError(f"expected a RAS-canonical grid, got the axes {axes.tolist()}")
    body, named = Body(subject), {}
    known = {concept for options in subject.label_concepts for concept in options} | subject.annotated
    if len(subject.label_names) + 4 * len(RULES) > np.iinfo(subject.labels_kji.dtype).max:
        subject.labels_kji = subject.labels_kji.astype(np.uint16)
    for rule, side in RULES:
        for part, voxels in rule(body, side):
            if part in vocabulary_ids and part not in known and len(voxels):
                named[part] = len(subject.label_names)
                subject.label_concepts.append((part,))
                subject.label_names.append(part)
                subject.labels_kji[tuple(voxels.kji.T)] = named[part]
    subject.annotated |= set(named)
    return list(named)


def sternum_parts(body: Body, _: str) -> Parts:
    """Manubrium, body and xiphoid process along the bone's own axis, and the notch between the clavicles."""
    bone = body.whole("sternum")
    level = body.whole("clavicula_left", "clavicula_right", "rib_left_1", "rib_right_1", "vertebrae_T2", "vertebrae_T3")
    if len(bone) < 100 or not len(level) or not body.ends(bone, UP) or not body.uncut(bone):
        return
    if level.ras[:, 2].max() < bone.ras[:, 2].max() - MARGIN:
        return
    depth = -bone.ras @ Voxels(bone.kji, bone.ras * (0, 1, 1)).long_axis()  # a short piece is wider than high
    depth -= depth.min()
    if not body.ends(bone, DOWN):  # what is left above the cut holds no xiphoid process
        if MANUBRIUM_LENGTH[0] < depth.max() < STERNUM_LENGTH[0]:
            yield "manubrium", bone[depth < MANUBRIUM_LENGTH[0]]
            yield "sternum_body", bone[depth > MANUBRIUM_LENGTH[1]]
    elif STERNUM_LENGTH[0] < depth.max() < STERNUM_LENGTH[1]:
        tail = narrow_tail(bone, depth)
        manubrium, xiphoid = depth < MANUBRIUM_SHARE * (depth.max() - tail), depth > depth.max() - tail
        yield "manubrium", bone[manubrium]
        yield "sternum_body", bone[~manubrium & ~xiphoid]
        if tail:
            yield "xiphoid_process", bone[xiphoid]
        else:
            yield "xiphoid_process", unlabelled_xiphoid(body, bone.ras[depth > depth.max() - MARGIN].mean(axis=0))
    top = bone[depth < CLAVICLE_END]
    middle = (top.ras[:, 0].min() + top.ras[:, 0].max()) / 2
    column = top.ras[np.abs(top.ras[:, 0] - middle) < 5]
    if len(column):
        highest = column[column[:, 2] > column[:, 2].max() - 1].mean(axis=0)
        yield "sternal_notch", body.unnamed_near(highest, NOTCH_RADIUS)


def unlabelled_xiphoid(body: Body, lower_end_ras: np.ndarray) -> Voxels:
    """Bone without a name below the body of the sternum, or its usual place where there is no CT to look at."""
    middle = lower_end_ras + XIPHOID_SIZE[2] / 2 * DOWN
    near = body.unnamed_near(middle, XIPHOID_SIZE[2])
    near = near[(np.abs(near.ras - middle) < np.array(XIPHOID_SIZE) / 2).all(axis=1)]
    return near if body.ct is None else near[body.ct[tuple(near.kji.T)] > BONE_HU]


def narrow_tail(bone: Voxels, depth: np.ndarray) -> float:
    """Length of the lower end that is too narrow for the body of the sternum; 0 where the label has no xiphoid."""
    edges = np.arange(0, depth.max(), 6.0)
    slabs = [bone.ras[(depth >= edge) & (depth <= edge + 6.0), 0] for edge in edges]
    widths = np.array([np.ptp(slab) if len(slab) else 0.0 for slab in slabs])
    wide = np.flatnonzero(widths >= XIPHOID_NARROW * widths[edges > depth.max() / 2].max())
    tail = float(depth.max() - edges[wide[-1]] - 6.0)
    return tail if tail > MARGIN else 0.0


def clavicle_end(body: Body, side: str) -> Parts:
    bone, sternum = body.whole(f"clavicula_{side}"), body.whole("sternum", "manubrium")
    if not len(bone) or not len(sternum):
        return
    inward = -OUTWARD[side] * bone.ras[:, 0]
    tip = bone.ras[inward > inward.max() - 6].mean(axis=0)
    end = bone.within(CLAVICLE_END, tip)
    near = np.linalg.norm(sternum.ras - tip, axis=1).min() < CLAVICLE_TO_STERNUM
    if near and np.ptp(inward) > CLAVICLE_END and body.ends(end, UP) and body.ends(end, DOWN):
        yield f"clavicle_medial_end_{side}", end


def humeral_head(body: Body, side: str) -> Parts:
    bone = body.whole(f"humerus_{side}")
    for centre, radius in joint_ball(body, bone, body.whole(f"scapula_{side}"), HUMERAL_HEAD):
        yield f"humeral_head_{side}", bone.within(max(radius, HUMERAL_HEAD_RADIUS), centre)


def femur_parts(body: Body, side: str) -> Parts:
    """The head, and the greater trochanter where the bone goes on below it."""
    bone = body.whole(f"femur_{side}")
    for centre, radius in joint_ball(body, bone, body.whole(f"hip_{side}"), FEMORAL_HEAD):
        lateral, height = OUTWARD[side] * (bone.ras - centre)[:, 0], (bone.ras - centre)[:, 2]
        if height.min() < -TROCHANTER_DROP * radius - MARGIN:
            lies_there = (lateral > TROCHANTER_SIDE * radius) & (height > -TROCHANTER_DROP * radius)
            yield f"greater_trochanter_{side}", bone[lies_there]
        yield f"femoral_head_{side}", bone.within(radius, centre)


def joint_ball(
    body: Body, bone: Voxels, socket: Voxels, radii: tuple[float, float]
) -> Iterator[tuple[np.ndarray, float]]:
    """Centre (RAS) and radius in mm of the largest ball in `bone` beside `socket`, if it is a whole joint's head."""
    if len(bone) < 100 or len(socket) < 100:
        return
    mask, places = bone.on_grid()
    depth = ndimage.distance_transform_edt(mask)[places] * body.spacing
    depth[bone.gap_to(socket) > depth + JOINT_SPACE] = 0  # the shaft and the trochanters are further away
    centre = bone.ras[depth > depth.max() - body.spacing / 2].mean(axis=0)
    radius = float(depth.max()) + body.spacing / 2  # depth counts from the first voxel outside
    around = centre + (radius + body.spacing) * np.vstack([np.eye(3), -np.eye(3)])
    if radii[0] < radius < radii[1] and body.sees(around).all():
        yield centre, radius


def iliac_crest(body: Body, side: str) -> Parts:
    """The rim of the ilium: what is near the highest point of each coronal slice between the iliac spines."""
    bone = body.whole(f"hip_{side}")
    high_enough = len(bone) > 1000 and np.ptp(bone.ras[:, 2]) > CREST_RISE + MARGIN
    if not high_enough or not body.ends(bone, UP) or not body.uncut(bone):
        return
    by_height = bone[np.argsort(-bone.ras[:, 2], kind="stable")]
    border = by_height[np.unique(by_height.kji[:, 1], return_index=True)[1]]
    border = border[border.ras[:, 2] > bone.ras[:, 2].max() - CREST_RISE]
    yield f"iliac_crest_{side}", bone[bone.gap_to(border) < CREST_DEPTH]


def symphysis(body: Body, _: str) -> Parts:
    """The unnamed tissue between the two pubic bones."""
    bones = [body.whole("hip_left"), body.whole("hip_right")]
    if not all(len(bone) for bone in bones):
        return
    middle = (bones[0].ras[:, 0].max() + bones[1].ras[:, 0].min()) / 2
    bones = [bone[np.abs(bone.ras[:, 0] - middle) < SYMPHYSIS_HALF] for bone in bones]
    if all(len(bone) > 20 and body.ends(bone, DOWN) for bone in bones):
        near = body.unnamed_near(np.vstack([bone.ras for bone in bones]).mean(axis=0), 40.0)
        gap = np.maximum(*(near.gap_to(bone) for bone in bones))
        # Between them: a line from left to right meets both bones.
        rows = [(voxels.kji[:, :2] @ [body.labels.shape[1], 1]) for voxels in (near, *bones)]
        yield "pubic_symphysis", near[np.isin(rows[0], np.intersect1d(*rows[1:])) & (gap < SYMPHYSIS_REACH)]


def thyroid_lobe(body: Body, side: str) -> Parts:
    gland, trachea = body.whole("thyroid_gland"), body.whole("trachea")
    beside = trachea[trachea.ras[:, 2] > gland.ras[:, 2].min(initial=np.inf)]
    if len(beside) > 20:
        outward = OUTWARD[side] * (gland.ras[:, 0] - np.median(beside.ras[:, 0]))
        yield f"thyroid_lobe_{side}", gland[outward > ISTHMUS]


def psoas(body: Body, side: str) -> Parts:
    """The iliopsoas above the sacrum, without the iliacus; lower down the two are not told apart."""
    muscle, hip = body.whole(f"iliopsoas_{side}"), body.whole(f"hip_{side}")
    sacrum = body.whole("sacrum", "vertebrae_S1")
    if len(hip) and len(sacrum) and body.ends(hip, UP):
        height, lateral = muscle.ras[:, 2], np.abs(muscle.ras[:, 0] - np.median(sacrum.ras[:, 0]))
        beside_spine = (height > sacrum.ras[:, 2].max()) & (lateral < PSOAS_TO_MIDLINE)
        yield f"psoas_major_{side}", muscle[beside_spine | (height > hip.ras[:, 2].max())]


def airway_fork(body: Body, _: str) -> Parts:
    """The carina, and what leaves it to either side."""
    tube = body.whole("trachea", "main_bronchus_left", "main_bronchus_right")
    for level in fork_levels(body, tube):
        height = tube.ras[:, 2] - level
        stem = tube.ras[(height > CARINA_HEIGHT) & (height < 2.5 * CARINA_HEIGHT)]
        if not len(stem):
            return
        lateral, low = tube.ras[:, 0] - np.median(stem[:, 0]), height < CARINA_HEIGHT
        fork = low & (height > -body.spacing / 2) & (np.abs(lateral) < CARINA_HALF_WIDTH)
        if not fork.any():
            return
        for side, sign in OUTWARD.items():
            branch = tube[low & ~fork & (sign * lateral > 0)]
            yield f"main_bronchus_{side}", branch.within(BRONCHUS_LENGTH[side], tube.ras[fork].mean(axis=0))
        yield "carina", tube[fork]
        return


def fork_levels(body: Body, tube: Voxels) -> Iterator[float]:
    """RAS heights of the slices in which the airway is two tubes, from the top."""
    for height in np.unique(tube.ras[:, 2])[::-1]:
        plane = np.zeros(body.labels.shape[1:], bool)
        plane[tuple(tube.kji[tube.ras[:, 2] == height, 1:].T)] = True
        areas = np.bincount(ndimage.label(plane, np.ones((3, 3)))[0].ravel())[1:] * body.spacing**2
        if (areas > BRONCHUS_AREA).sum() > 1:
            yield float(height)


def lung_apex(body: Body, side: str) -> Parts:
    lung = body.whole(f"lung_{side}", f"lung_upper_lobe_{side}")
    if len(lung) > 1000 and body.ends(lung, UP):
        yield f"lung_apex_{side}", lung[lung.ras[:, 2] > lung.ras[:, 2].max() - APEX_HEIGHT]


def aortic_fork(body: Body, _: str) -> Parts:
    """The end of the aorta, where both common iliac arteries touch it."""
    aorta, iliacs = body.whole("abdominal_aorta", "aorta"), [body.whole(f"iliac_artery_{side}") for side in OUTWARD]
    if len(aorta) and all(len(iliac) for iliac in iliacs):
        gap = np.maximum(*(aorta.gap_to(iliac) for iliac in iliacs))
        if gap.min() < FORK_RADIUS:
            yield "aortic_bifurcation", aorta.within(FORK_RADIUS, aorta.ras[gap.argmin()])


def kidney_poles(body: Body, side: str) -> Parts:
    kidney = body.whole(f"kidney_{side}")
    if len(kidney) < 500 or not (body.ends(kidney, UP) and body.ends(kidney, DOWN) and body.uncut(kidney)):
        return
    along = kidney.ras @ kidney.long_axis()
    low, high = np.percentile(along, (0.5, 99.5))
    pole = POLE_SHARE * (high - low)
    if kidney.long_axis()[2] > 0.6 and KIDNEY_LENGTH[0] < high - low < KIDNEY_LENGTH[1]:
        yield f"kidney_upper_pole_{side}", kidney[along > high - pole]
        yield f"kidney_lower_pole_{side}", kidney[along < low + pole]


SIDED = (clavicle_end, humeral_head, femur_parts, iliac_crest, thyroid_lobe, psoas, lung_apex, kidney_poles)
RULES: tuple[tuple[Callable[[Body, str], Parts], str], ...] = (
    *((rule, side) for rule in SIDED for side in OUTWARD),
    *((rule, "") for rule in (sternum_parts, symphysis, airway_fork, aortic_fork)),
)
