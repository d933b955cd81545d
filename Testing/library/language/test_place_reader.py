"""A typed text as a place and the name of a structure."""

import itertools

import pytest
from anatembed.language.query.place_words import load_place_words
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)


def read(text: str):
    """Outcome, ids and the place as (kind, directions, share)."""
    found = RESOLVER.resolve(text)
    place = found.place
    short = place and (place.kind, place.directions, place.share)
    return found.outcome, [one.id for one in found.candidates], short


def part(*directions, share="third"):
    return "part", directions, share


@pytest.mark.parametrize(("text", "concept", "place"), [
    ("upper pole of the spleen", "spleen", part("superior", share="pole")),
    ("spleen, upper pole", "spleen", part("superior", share="pole")),
    ("please show me the lower half of the sternum", "sternum", part("inferior", share="half")),
    ("upper third of the oesophagus", "esophagus", part("superior")),
    ("distal esophagus", "esophagus", part("inferior")),
    ("proximal left femur", "femur_left", part("superior")),
    ("mid aorta", "aorta", part("middle")),
    ("interpolar region of the left kidney", "kidney_left", part("middle")),
    ("posterior part of the liver", "liver", part("posterior")),
    ("top of the liver", "liver", part("superior")),
    ("dome of the liver", "liver", part("superior")),
    ("apex of the heart", "heart", part("inferior", "left", "anterior")),
    ("tip of the spleen", "spleen", part("inferior", share="tip")),
    ("lateral border of the right kidney", "kidney_right", part("lateral", share="tip")),
    ("right kidney lateral border", "kidney_right", part("lateral", share="tip")),
    ("post wall of the stomach", "stomach", part("posterior", share="tip")),
    ("posterolateral part of the prostate", "prostate", part("posterior", "lateral")),
    ("posterior part of the left lower lobe", "lung_lower_lobe_left", part("posterior")),
    ("upper and anterior part of the liver", "liver", part("superior", "anterior")),
    ("oberer Pol der rechten Niere", "kidney_right", part("superior", share="pole")),
    ("oberes Drittel der Speiseröhre", "esophagus", part("superior")),
    ("tiers supérieur de l'œsophage", "esophagus", part("superior")),
    ("tercio superior del esófago", "esophagus", part("superior")),
    ("partie postérieure du foie", "liver", part("posterior")),
    ("upper third of kidney L", "kidney_left", part("superior")),
    ("upper 1/3 of oesophagus", "esophagus", part("superior")),
    ("superior endplate of L3", "vertebrae_L3", part("superior", share="tip")),
    ("inf end plate T11", "vertebrae_T11", part("inferior", share="tip")),
    ("spinous process L4", "vertebrae_L4", part("posterior")),
    ("genu of the corpus callosum", "corpus_callosum", part("anterior")),
    ("splenium of the corpus callosum", "corpus_callosum", part("posterior")),
    ("anterior horn of the right lateral ventricle", "lateral_ventricle_right", part("anterior")),
    ("medial limb of the left adrenal", "adrenal_gland_left", part("medial")),
    ("posterior limb of internal capsule on the left", "internal_capsule_left", part("posterior")),
    ("floor of the right orbit", "orbit_right", part("inferior")),
    ("apex of the left ventricle", "heart_ventricle_left", part("inferior", "anterior")),
    ("left bladder wall", "urinary_bladder", part("left", share="tip")),
    ("proximal RCA", "right_coronary_artery", part("superior")),
    ("acromial end of the right clavicle", "clavicula_right", part("lateral")),
    ("posterior elements of L4", "vertebrae_L4", part("posterior")),
    ("hilum of the left kidney", "kidney_left", part("medial")),
])
def test_a_part_is_read_with_its_structure(text, concept, place):
    assert read(text) == ("accept", [concept], place)


@pytest.mark.parametrize(("text", "concept", "others"), [
    ("aorta at L3", "aorta", ["vertebrae_L3"]),
    ("spinal canal at T12", "spinal_canal", ["vertebrae_T12"]),
    ("IVC at the level of the renal veins", "inferior_vena_cava", ["renal_vein_left", "renal_vein_right"]),
    ("Aorta auf Höhe von L3", "aorta", ["vertebrae_L3"]),
    ("aorte au niveau de L3", "aorta", ["vertebrae_L3"]),
    ("aorta a nivel de L3", "aorta", ["vertebrae_L3"]),
    ("aorta L3 level", "aorta", ["vertebrae_L3"]),
])
def test_a_level_is_given_by_another_structure(text, concept, others):
    found = RESOLVER.resolve(text)
    assert (found.outcome, found.candidates[0].id, found.place.kind) == ("accept", concept, "level")
    assert [one.id for one in found.place.others] == others


@pytest.mark.parametrize(("text", "first", "second"), [
    ("between the liver and the stomach", "liver", "stomach"),
    ("the space between aorta and IVC", "aorta", "inferior_vena_cava"),
    ("between left and right kidney", "kidney_left", "kidney_right"),
    ("between the kidneys", "kidney_left", "kidney_right"),
    ("between both kidneys", "kidney_left", "kidney_right"),
    ("zwischen Leber und Magen", "liver", "stomach"),
    ("entre le foie et l'estomac", "liver", "stomach"),
    ("entre el hígado y el estómago", "liver", "stomach"),
])
def test_between_joins_two_structures(text, first, second):
    found = RESOLVER.resolve(text)
    assert (found.outcome, found.place.kind) == ("accept", "between")
    assert (found.candidates[0].id, found.place.others[0].id) == (first, second)


@pytest.mark.parametrize(("text", "concept", "directions"), [
    ("above the liver", "liver", ("superior",)), ("below the spleen", "spleen", ("inferior",)),
    ("in front of the aorta", "aorta", ("anterior",)), ("behind the stomach", "stomach", ("posterior",)),
    ("the fat posterior to the bladder", "urinary_bladder", ("posterior",)),
    ("soft tissue cuff encasing the SMA", "superior_mesenteric_artery", ()),
    ("lateral to the left kidney", "kidney_left", ("lateral",)), ("next to the gallbladder", "gallbladder", ()),
    ("around the left kidney", "kidney_left", ()), ("hinter der Milz", "spleen", ("posterior",)),
    ("au-dessus du foie", "liver", ("superior",)), ("detrás del estómago", "stomach", ("posterior",)),
])
def test_beside_is_read_with_its_direction(text, concept, directions):
    assert read(text) == ("accept", [concept], ("beside", directions, ""))


@pytest.mark.parametrize(("text", "concept", "directions"), [
    ("left cerebellar hemisphere", "cerebellum", ("left",)), ("right sacral ala", "sacrum", ("right", "superior")),
    ("mandibular angle left", "mandible", ("left", "posterior", "inferior")),
    ("lateral malleolus left", "fibula_left", ("inferior",)), ("acromion r", "scapula_right", ("superior", "lateral")),
    ("tibial plateau rt", "tibia_right", ("superior",)), ("posterior tracheal wall", "trachea", ("posterior",)),
    ("dens", "vertebrae_C2", ("superior",)), ("chin", "mandible", ("anterior",)),
])
def test_a_landmark_that_is_no_structure_is_confirmed_with_its_part(text, concept, directions):
    outcome, ids, place = read(text)
    assert (outcome, ids[0], place[1]) == ("confirm", concept, directions)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("landmark", sorted(load_place_words().landmarks_with_sides))
@pytest.mark.parametrize("text", [
    "{side} {landmark} of {name}", "{name} {landmark} {side}", "{name} {side} {landmark}",
    "{landmark} of {name}, {side}",
])
def test_the_side_of_a_landmark_is_never_turned_round(text, side, landmark):
    for concept in load_place_words().landmarks[landmark]:
        name = "L4" if concept == "vertebrae" else VOCABULARY.name(concept)
        found = RESOLVER.resolve(text.format(side=side, landmark=landmark, name=name))
        said = {one.side for one in found.candidates} | set(found.place.directions if found.place else ())
        assert {"left": "right", "right": "left"}[side] not in said


@pytest.mark.parametrize(("text", "question"), [
    ("acromion left", "The text describes it, but is not its name. Go to “upper lateral part of left scapula”?"),
    ("right cerebellum", "“right half of cerebellum” is probably meant. Go there?"),
])
def test_the_question_names_the_place_to_which_it_would_go(text, question):
    assert RESOLVER.resolve(text).reason == question


@pytest.mark.parametrize(("text", "concept", "side"), [
    ("right cerebellum", "cerebellum", "right"), ("left basal ganglia", "basal_ganglia", "left"),
    ("Mandible_L", "mandible", "left"), ("brainstem on the right", "brainstem", "right"),
])
def test_the_half_of_what_is_known_as_a_whole_is_confirmed(text, concept, side):
    assert read(text) == ("confirm", [concept], ("part", (side,), "half"))


@pytest.mark.parametrize("text", ["right spleen", "left L3", "left trachea", "left liver", "both mandibles"])
def test_what_has_no_halves_or_parts_with_names_is_not_halved(text):
    assert (RESOLVER.resolve(text).outcome, RESOLVER.resolve(text).place) == ("refuse", None)


@pytest.mark.parametrize("landmark", sorted(load_place_words().landmarks))
def test_the_choice_that_is_offered_for_a_landmark_means_the_same_place(landmark):
    for concept in load_place_words().landmarks[landmark]:
        name = "L4" if concept == "vertebrae" else VOCABULARY.name(concept)
        for side in ("left", "right"):
            asked = RESOLVER.resolve(f"{side} {landmark} of {name}")
            if asked.place:
                chosen = RESOLVER.resolve(asked.place.label(asked.candidates[0].name))
                assert (chosen.outcome, chosen.candidates[0].id) == ("accept", asked.candidates[0].id)
                assert set(chosen.place.directions) == set(asked.place.directions)


@pytest.mark.parametrize("text", [
    "left pedicle of L5", "L5 left pedicle", "L5 pedicle on the left", "pedicle of L5, left",
])
def test_a_landmark_of_an_unpaired_structure_has_a_side(text):
    assert read(text) == ("accept", ["vertebrae_L5"], part("left"))


@pytest.mark.parametrize("text", ["lateral to the left pedicle of L3", "anterior to the spinous process of L4"])
def test_outside_a_landmark_is_not_a_part_of_its_structure(text):
    place = RESOLVER.resolve(text).place
    assert place is None or place.kind != "part"


@pytest.mark.parametrize("text", [
    "left of the mandible", "to the right of the cerebellum", "left side of the image", "left and right cerebellum",
])
def test_beside_or_both_is_no_half(text):
    place = RESOLVER.resolve(text).place
    assert place is None or place.share != "half"


@pytest.mark.parametrize("text", ["superior mesenteric artery wall", "superior mesenteric artery base"])
def test_a_direction_in_a_name_is_no_place(text):
    assert RESOLVER.resolve(text).place is None


@pytest.mark.parametrize("text", [
    "upper lobe of left lung", "head of pancreas", "skull base", "anterior mediastinum", "superior vena cava",
    "upper pole of the right kidney", "apex of the left lung", "medial end of left clavicle", "L3",
    "at the level of L3", "left lobe of liver", "middle lobe",
])
def test_what_the_vocabulary_knows_stays_a_structure(text):
    assert RESOLVER.resolve(text).place is None
    assert RESOLVER.resolve(text).outcome == "accept"


@pytest.mark.parametrize("text", [
    "upper banana", "upper pole of the banana", "between liver and banana", "above the banana", "banana at L3",
    "posterior tibial artery", "lateral meniscus", "third part of the duodenum",
    "above the knee amputation", "the organ above the liver", "not the upper pole of the spleen",
    "left of the liver", "upper third rib", "liver at banana", "left upper pole of the spleen",
    "right side of the image", "left and right part of the bladder", "apex of the stomach",
    "distal liver", "above the fat kidney", "upper arm bone",
])
def test_what_is_not_a_place_and_a_name_keeps_its_answer(text):
    found = RESOLVER.resolve(text)
    assert found.place is None
    assert found.outcome == RESOLVER._name(text).outcome


def test_a_direction_alone_is_only_a_question():
    found = RESOLVER.resolve("upper spleen")
    assert (found.outcome, found.place.directions) == ("confirm", ("superior",))
    assert found.reason.endswith("?")


def test_without_a_side_both_are_offered_and_the_place_is_kept():
    outcome, ids, place = read("middle third of the clavicle")
    assert (outcome, ids, place) == ("ask", ["clavicula_left", "clavicula_right"], part("middle"))
    assert "middle third of clavicle" in RESOLVER.resolve("middle third of the clavicle").reason
    assert RESOLVER.resolve("upper pole of the kidney").outcome == "ask"


def test_between_a_structure_and_one_of_two_sides_asks_for_the_side():
    found = RESOLVER.resolve("between liver and kidney")
    assert found.outcome == "ask"
    assert [one.id for one in found.candidates] == ["kidney_left", "kidney_right"]
    assert [one.id for one in found.place.others] == ["liver"]


@pytest.mark.parametrize(("text", "directions"), [
    ("left part of the bladder", ("left",)), ("bladder, right side", ("right",)),
    ("upper left part of the liver", ("superior", "left")), ("right half of the heart", ("right",)),
])
def test_left_and_right_of_what_has_no_sides_are_directions(text, directions):
    outcome, _, place = read(text)
    assert (outcome, place[1]) == ("accept", directions)


def test_a_side_that_a_structure_does_not_have_stays_refused():
    for text in ("left upper pole of the spleen", "upper pole of the right spleen", "lower half of the right lingula"):
        assert RESOLVER.resolve(text).outcome == "refuse", text


PAIRED = [term for term in VOCABULARY.terms if term.laterality in ("left", "right") and term.base]
FORMS = ("upper third of the {side} {name}", "{side} {name} lateral border", "{name} {side} anterior part",
         "{side} lower half {name}", "medial aspect of {name}, {side}", "{name} at L3, {side}",
         "below the {side} {name}")


@pytest.mark.parametrize("form", FORMS)
def test_no_part_of_any_paired_structure_changes_its_side(form):
    understood = 0
    for term in PAIRED:
        text = form.format(side=term.laterality, name=VOCABULARY.name(term.base))
        found = RESOLVER.resolve(text)
        if found.outcome in ("accept", "confirm"):
            assert found.candidates[0].side in (term.laterality, None), text
            assert found.place is None or not {"left", "right"} & set(found.place.directions), text
            understood += found.place is not None
        elif found.outcome == "ask":
            assert {one.side for one in found.candidates} != {VOCABULARY[term.pair].laterality}, text
    if "at L3" not in form:
        assert understood > 0.8 * len(PAIRED)


def test_what_is_offered_as_a_choice_means_itself():
    texts = ("upper third of {}", "lateral border of {}", "{} at L3", "above {}", "around {}", "between {} and liver",
             "middle part of {}", "inferior tip of {}")
    for text, name in itertools.product(texts, ("femur", "lung", "psoas major muscle", "kidney")):
        question = RESOLVER.resolve(text.format(name))
        assert question.outcome == "ask", text.format(name)
        for one in question.candidates:
            again = RESOLVER.resolve(question.place.label(one.name))
            assert (again.outcome, [c.id for c in again.candidates]) == ("accept", [one.id])
            assert (again.place.kind, again.place.directions) == (question.place.kind, question.place.directions)
            assert {c.id for c in again.place.others} == {c.id for c in question.place.others}
