"""What typed text means: accept, confirm, ask or refuse, and never a wrong side."""

import pytest
from anatembed.language.finding_words import load_finding_words
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)
FINDINGS = load_finding_words().structures
SEARCHED = [term for term in VOCABULARY.terms if (term.base or term.id) not in FINDINGS]
PAIRED = [term for term in SEARCHED if term.laterality == "none" and VOCABULARY.sides(term.id)]
SIDE_FORMS = [
    "{side} {name}",
    "{name} {side}",
    "{name}, {side}",
    "{short} {name}",
    "{short}. {name}",
    "{letter} {name}",
    "{letter}. {name}",
    "({letter}) {name}",
    "{name} ({letter})",
    "{side}-sided {name}",
    "{side} sided {name}",
    "{name} on the {side}",
    "{name} of the {side} side",
    "show me the {side} {name} please",
    "take a second look at the patient's {side} {name}",
]


def resolve(text):
    return RESOLVER.resolve(text)


def ids(text):
    return [one.id for one in resolve(text).candidates]


def assert_accepts(text, term_id):
    resolution = resolve(text)
    assert (resolution.outcome, [one.id for one in resolution.candidates]) == ("accept", [term_id]), resolution.reason


def sided(form, name, side):
    return form.format(name=name, side=side, letter=side[0].upper(), short={"left": "lt", "right": "rt"}[side])


@pytest.mark.parametrize("form", SIDE_FORMS)
def test_every_paired_structure_keeps_its_side(form):
    """Exhaustive: every English and Latin name of every paired structure, both sides."""
    flips = []
    lost = []
    for term in PAIRED:
        synonyms = [one.text for one in term.synonyms if one.lang in ("en", "la") and one.type != "adjective"]
        for name in [term.preferred, *synonyms]:
            for side in ("left", "right"):
                resolution = resolve(sided(form, name, side))
                if any(one.side != side for one in resolution.candidates):
                    flips.append((sided(form, name, side), resolution))
                if VOCABULARY.sides(term.id)[side] not in [one.id for one in resolution.candidates]:
                    lost.append((sided(form, name, side), resolution))
    assert flips == []
    assert lost == []


@pytest.mark.parametrize("form", SIDE_FORMS)
def test_the_preferred_name_with_a_side_is_accepted(form):
    for term in PAIRED:
        for side in ("left", "right"):
            assert_accepts(sided(form, term.preferred, side), VOCABULARY.sides(term.id)[side])


_NOISE = st.sampled_from(
    ["", "please", "show me the", "xyzzy", "scan", "quickly", "mass", "upper", "wall", "12", "cyst"]
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [one for term in PAIRED for one in (term.preferred, *(x.text for x in term.synonyms if x.lang == "en"))]
    ),
    st.sampled_from(["left", "right"]),
    st.sampled_from(SIDE_FORMS),
    _NOISE,
    _NOISE,
    st.integers(0, 200),
)
def test_a_resolved_side_is_the_side_in_the_text(name, side, form, before, after, place):
    """Also with a typing error anywhere in the name and with unknown words around it."""
    place %= max(1, len(name) - 1)
    misspelt = name[:place] + name[place + 1 : place + 2] + name[place : place + 1] + name[place + 2 :]
    for written in (name, misspelt):
        resolution = resolve(f"{before} {sided(form, written, side)} {after}")
        sides = {one.side for one in resolution.candidates}
        if resolution.outcome in ("accept", "confirm"):
            assert sides <= {side, None}, resolution
        else:
            assert sides != {"left", "right"} - {side}, resolution


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_gets_an_answer_with_a_reason(text):
    resolution = resolve(text)
    assert resolution.outcome in ("accept", "confirm", "ask", "refuse")
    assert resolution.reason.endswith((".", "?"))
    assert all(0 <= one.confidence <= 1 for one in resolution.candidates)


def test_every_english_and_latin_name_finds_its_structure():
    lost = []
    for term in SEARCHED:
        for name in [term.preferred, *(one.text for one in term.synonyms if one.lang in ("en", "la"))]:
            wanted = VOCABULARY.sides(term.id).values() if term.laterality == "none" else ()
            if not set(wanted or [term.id]) <= set(ids(name)):
                lost.append((name, term.id))
    assert lost == []


def test_every_translation_finds_its_structure():
    lost = []
    for term in SEARCHED:
        for synonym in term.synonyms:
            wanted = VOCABULARY.sides(term.id).values() if term.laterality == "none" else ()
            if synonym.type == "translation" and not set(wanted or [term.id]) <= set(ids(synonym.text)):
                lost.append((synonym.text, term.id))
    assert lost == []


@pytest.mark.parametrize("term_id", ["kidney_left", "vertebrae_L1", "rib_left_5", "iliac_vena_right", "VERTEBRAE_T12"])
def test_an_id_is_accepted(term_id):
    assert_accepts(term_id, term_id.lower().replace("_l1", "_L1").replace("_t12", "_T12"))


@pytest.mark.parametrize(
    ("text", "term_id"),
    [
        ("LV", "heart_ventricle_left"),
        ("GB", "gallbladder"),
        ("IVC", "inferior_vena_cava"),
        ("RUL", "lung_upper_lobe_right"),
        ("SMA", "superior_mesenteric_artery"),
        ("sma", "superior_mesenteric_artery"),
        ("R IJV", "internal_jugular_vein_right"),
        ("LA", "heart_atrium_left"),
        ("show me the LA", "heart_atrium_left"),
        ("superior segment RLL", "lung_segment_rll_superior"),
    ],
)
def test_abbreviations(text, term_id):
    assert_accepts(text, term_id)


@pytest.mark.parametrize(
    ("text", "term_id"),
    [
        ("show me the spleen", "spleen"),
        ("take a second look at the left ventricle", "heart_ventricle_left"),
        ("Where is the pancreas?", "pancreas"),
        ("go back to the liver", "liver"),
        ("can you find the bladder", "urinary_bladder"),
        ("Wo ist die linke Niere?", "kidney_left"),
        ("où est le rein gauche", "kidney_left"),
        ("upper pole of the right kidney", "kidney_upper_pole_right"),
        ("lt kidney (upper pole)", "kidney_upper_pole_left"),
        ("看一下左肺上叶", "lung_upper_lobe_left"),
    ],
)
def test_commands_around_a_name_are_understood(text, term_id):
    assert_accepts(text, term_id)


@pytest.mark.parametrize(
    ("text", "term_id"),
    [
        ("pancreas tail", "pancreas_tail"),
        ("femur neck left", "femoral_neck_left"),
        ("hepatic right lobe", "liver_right_lobe"),
        ("abdominal aorta", "abdominal_aorta"),
        ("gall bladder", "gallbladder"),
        ("breastbone", "sternum"),
        ("left colon", "descending_colon"),
        ("I would like to see the spleen", "spleen"),
        ("right colon", "ascending_colon"),
        ("left diaphragm", "hemidiaphragm_left"),
        ("4th ventricle", "fourth_ventricle"),
        ("inf vena cava", "inferior_vena_cava"),
        ("L spine", "lumbar_spine"),
    ],
)
def test_word_order_inflection_and_spelling_variants(text, term_id):
    assert_accepts(text, term_id)


@pytest.mark.parametrize(
    ("text", "term_id"),
    [
        ("kidny lft", "kidney_left"),
        ("prostrate gland", "prostate"),
        ("right adrenl", "adrenal_gland_right"),
        ("gallblader", "gallbladder"),
        ("oesophogus", "esophagus"),
        ("left ventricel", "heart_ventricle_left"),
        ("left infrspinatus", "infraspinatus_left"),
        ("cotsa I dextra", "rib_right_1"),
        ("left eghth rib", "rib_left_8"),
        ("fitfh lumbar vertebra", "vertebrae_L5"),
        ("right S6 segmetn", "lung_segment_rll_superior"),
    ],
)
def test_a_plain_typing_error_is_corrected_and_named(text, term_id):
    assert_accepts(text, term_id)
    assert "was read as" in resolve(text).reason
    assert resolve(text).candidates[0].confidence < 1


@pytest.mark.parametrize("text", ["heard", "chess", "river", "live", "hart", "bowls", "think", "lever", "splendid"])
def test_a_real_word_is_never_taken_for_a_typing_error(text):
    assert resolve(text).outcome == "refuse"


@pytest.mark.parametrize(("text", "term_id"), [("ileum", "ileum"), ("terminal ilium", "terminal_ileum")])
def test_ileum_and_ilium_are_not_swapped(text, term_id):
    assert ids(text) == [term_id]
    assert set(ids("ilium")) == {"ilium_left", "ilium_right"}


@pytest.mark.parametrize("text", ["RIIX", "LADD", "SMB", "IVD", "GBB"])
def test_a_typing_error_is_never_corrected_into_an_abbreviation(text):
    assert resolve(text).outcome == "refuse"


@pytest.mark.parametrize("text", ["rigth kidney", "lefft kidney"])
def test_a_misspelt_side_must_be_confirmed(text):
    assert resolve(text).outcome == "confirm"


@pytest.mark.parametrize(
    "text", ["kidney", "kidneys", "both kidneys", "left and right kidney", "Niere", "not the left kidney"]
)
def test_a_paired_name_without_one_side_asks_for_the_side(text):
    resolution = resolve(text)
    assert resolution.outcome == "ask"
    assert [one.side for one in resolution.candidates] == ["left", "right"]


def test_a_side_of_the_image_asks_for_the_side_of_the_patient():
    resolution = resolve("the kidney on the left of the image")
    assert resolution.outcome == "ask"
    assert "patient" in resolution.reason


@pytest.mark.parametrize("text", ["to the left of the kidney", "left of the spleen"])
def test_a_place_beside_a_structure_is_not_its_left_side(text):
    assert resolve(text).outcome in ("ask", "confirm")
    assert "left" not in [one.side for one in resolve(text).candidates if resolve(text).outcome == "confirm"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("left spleen", "only one spleen"),
        ("spleen on the right", "only one spleen"),
        ("both spleens", "only one spleen"),
        ("left liver", "left lobe of liver"),
        ("right heart", "right ventricle of heart"),
        ("right lingula", "on the left only"),
        ("right LV", "on the left only"),
        ("left middle lobe", "on the right only"),
        ("right gastric artery", "on the left only"),
        ("left L3", "no left and right"),
        ("both mandibles", "as a whole"),
    ],
)
def test_a_side_that_does_not_exist_is_refused_with_the_reason(text, words):
    resolution = resolve(text)
    assert resolution.outcome == "refuse"
    assert words in resolution.reason
    assert all(one.confidence <= 0.2 for one in resolution.candidates)


@pytest.mark.parametrize(
    "text",
    ["carburetor", "president", "asdf qwer", "tumor", "hello", "42", "next slice", "!!!", "TV remote", "T1 weighted"],
)
def test_what_is_not_anatomy_is_refused(text):
    assert resolve(text).outcome == "refuse"
    assert resolve(text).reason


@pytest.mark.parametrize("text", ["window", "group", "tree", "small", "system", "lobe", "rules", "ties", "left"])
def test_an_everyday_part_of_a_name_is_not_a_structure(text):
    assert resolve(text).outcome == "refuse"


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_text_is_refused(text):
    assert resolve(text).outcome == "refuse"
    assert "Nothing was typed" in resolve(text).reason


@pytest.mark.parametrize("text", ["please", "show me", "the left one", "both"])
def test_words_without_a_structure_are_refused(text):
    assert resolve(text).outcome == "refuse"


@pytest.mark.parametrize("text", ["kidney nerve", "hepatic nerve", "lumbar artery", "splenic ligament"])
def test_an_unknown_structure_is_not_its_neighbour(text):
    resolution = resolve(text)
    assert resolution.outcome == "refuse"
    assert resolution.candidates and resolution.candidates[0].confidence <= 0.2


@pytest.mark.parametrize(
    ("text", "term_id", "words"),
    [
        ("upper spleen", "spleen", "upper part"),
        ("enlarged RUL", "lung_upper_lobe_right", "enlarged"),
        ("dilated abdominal aorta", "abdominal_aorta", "dilated"),
        ("body of spleen", "spleen", "body"),
        ("cirrhotic liver", "liver", "cirrhotic"),
        ("not spleen", "spleen", "not"),
        ("rate", "spleen", "everyday"),
        ("la", "heart_atrium_left", "everyday"),
        ("mitral", "mitral_valve", "incomplete"),
        ("segment 7", "liver_segment_7", "lung"),
        ("thoracic aorta", "thoracic_aorta", "not its name"),
    ],
)
def test_what_is_not_fully_explained_must_be_confirmed(text, term_id, words):
    resolution = resolve(text)
    assert (resolution.outcome, resolution.candidates[0].id) == ("confirm", term_id)
    assert words in resolution.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("liver and spleen", {"liver", "spleen"}),
        ("left kidney and spleen", {"kidney_left", "spleen"}),
        ("left adrenal, right kidney", {"adrenal_gland_left", "kidney_right"}),
        ("superior and inferior vena cava", {"superior_vena_cava", "inferior_vena_cava"}),
        ("mesenteric artery", {"superior_mesenteric_artery", "inferior_mesenteric_artery"}),
        ("LMCA", {"left_main_coronary_artery", "middle_cerebral_artery_left"}),
        ("right zygoma", {"zygomatic_bone_right", "zygomatic_arch_right"}),
        ("lobe of liver", {"liver_left_lobe", "liver_right_lobe"}),
        ("left hip", {"hip_left", "hip_joint_left"}),
    ],
)
def test_several_structures_are_a_question(text, expected):
    assert resolve(text).outcome == "ask"
    assert set(ids(text)) == expected


def test_a_very_long_text_is_answered():
    assert resolve("left kidney " * 10_000).outcome in ("accept", "confirm", "ask", "refuse")
