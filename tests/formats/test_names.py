"""One form for a name, strict comparison, and the classes of near matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.names import (
    NameMatch,
    compare_names,
    differing_names,
    legacy_characters,
    normalize_name,
    normalize_names,
)


@pytest.mark.parametrize("separator", "\u2022\u30fb\u2027\u22c5\uff0e\u25cf\u2219\uff65\u00b7")
def test_every_separator_becomes_the_middle_dot(separator: str) -> None:
    assert normalize_names([f"阿依古丽{separator}买买提"]) == ["阿依古丽\u00b7买买提"]


@pytest.mark.parametrize(
    ("name", "normalized"),
    [
        ("ＪＯＨＮ　ｓｍｉｔｈ", "JOHN smith"),
        ("  John   Smith ", "John Smith"),
        ("张\u3000三", "张 三"),
        (" 张三", "张三"),
        ("张三 ", "张三"),
        ("龑", "龑"),
        ("䶮", "䶮"),
        ("東方", "東方"),
        ("（张三）", "（张三）"),
        ("张三1２", "张三1２"),
        ("\ue863", "\ue863"),
    ],
)
def test_only_separators_letters_and_spaces_are_folded(name: str, normalized: str) -> None:
    assert normalize_name(name) == normalized
    assert normalize_names(["李四", name, "王五"]) == ["李四", normalized, "王五"]


def test_ordinary_names_are_the_same_list() -> None:
    names = ["张三", "阿依古丽·买买提", "John Smith"]
    assert normalize_names(names) is names


@given(st.lists(st.text(alphabet="张 \u3000Ａb·•\ue863")))
def test_the_column_form_is_the_single_form_and_normalizing_twice_changes_nothing(names: list[str]) -> None:
    once = normalize_names(names)
    assert once == [normalize_name(name) for name in names]
    assert normalize_names(once) == once


@pytest.mark.parametrize(
    ("ours", "theirs", "match"),
    [
        ("张三", "张三", NameMatch.EQUAL),
        ("阿依•古丽", "阿依·古丽", NameMatch.EQUAL),
        ("阿依·古丽", "阿依古丽", NameMatch.SEPARATOR),
        ("阿依·古丽", "阿依.古丽", NameMatch.SEPARATOR),
        ("张 三", "张三", NameMatch.SEPARATOR),
        ("第（2）组", "第(2)组", NameMatch.WIDTH),
        ("李\ue863", "李䶮", NameMatch.LEGACY),
        ("李\ue816", "李\U00020087", NameMatch.LEGACY),
        ("李\ue7c7", "李\u1e3f", NameMatch.LEGACY),
        ("阿依古丽·买买提", "阿依古丽·买", NameMatch.TRUNCATED),
        ("阿依古丽·买买提", "阿依古丽·?", NameMatch.TRUNCATED),
        ("张三", "张", NameMatch.DIFFERENT),
        ("张三", "李四", NameMatch.DIFFERENT),
        ("龑", "䶮", NameMatch.DIFFERENT),
        ("東", "东", NameMatch.DIFFERENT),
        ("张三", "", NameMatch.DIFFERENT),
    ],
)
def test_classes_of_matches(ours: str, theirs: str, match: NameMatch) -> None:
    assert compare_names(ours, theirs) is match
    assert compare_names(theirs, ours) is match


def test_differing_names_by_position() -> None:
    assert differing_names(["张三", "阿•里", "王五"], ["张三", "阿·里", "王伍"]) == [2]
    assert differing_names(["张三"], ["张三"]) == []


def test_legacy_characters_are_told_with_the_standard_one() -> None:
    assert legacy_characters("李\ue863三") == [("\ue863", "䶮")]
    assert legacy_characters("李䶮") == []


def test_legacy_places_follow_the_bytes_fe50_to_fea0() -> None:
    found = [legacy_characters(chr(point))[0][1] for point in (0xE815, 0xE843, 0xE844, 0xE864)]
    assert found == ["\u2e81", "\u9fb9", "\u4723", "\u9fbb"]
