from anatembed.model.blocks import Blocks, blocks_within
from hypothesis import given
from hypothesis import strategies as st

STRIDE = 8
PLANS = st.builds(
    Blocks,
    planes=st.integers(1, 60).map(lambda n: n * STRIDE),
    core=st.integers(1, 60).map(lambda n: n * STRIDE),
    margin=st.integers(0, 6).map(lambda n: n * STRIDE),
    stride=st.just(STRIDE),
)


@given(PLANS)
def test_every_plane_is_kept_once_and_has_its_margin_where_there_are_planes(blocks):
    kept = []
    for first, start, stop, last in blocks:
        kept += range(start, stop)
        assert first == max(0, start - blocks.margin)
        assert last == min(blocks.planes, stop + blocks.margin)
        assert not (first % STRIDE or last % STRIDE)
    assert kept == list(range(blocks.planes))
    assert blocks.planes <= blocks.computed <= len(list(blocks)) * blocks.largest


@given(PLANS)
def test_smaller_blocks_need_less_until_there_are_none(blocks):
    sizes = [blocks.largest]
    while blocks := blocks.smaller():
        sizes.append(blocks.largest)
        assert blocks.core >= STRIDE
    assert sizes == sorted(set(sizes), reverse=True)
    assert len(sizes) < 8


@given(st.integers(1, 60).map(lambda n: n * STRIDE), st.integers(1, 600), st.integers(0, 40))
def test_blocks_need_no_more_than_allowed_if_that_is_possible(planes, most, margin):
    blocks = blocks_within(planes, most, margin, STRIDE)
    assert blocks.margin >= margin
    assert blocks.largest <= most or blocks.core == STRIDE
    assert (len(list(blocks)) == 1) == (planes <= most or planes <= blocks.core)


def test_the_core_is_halved_but_not_where_that_changes_nothing():
    assert Blocks(64, 64, 0, 8).smaller().core == 32
    assert Blocks(96, 48, 32, 8).smaller().core == 8  # 24 in the middle, with two margins, would be larger than 48
    assert Blocks(64, 64, 64, 8).smaller() is None
