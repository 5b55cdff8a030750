"""GB 18030-2022 over a codec of 2000, legacy code points, two-byte labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.charset import ENCODING_LABELS, UNWRITABLE, Charset, RareForm, to_standard

GB18030 = Charset("gb18030")

TWO_BYTE = {
    0xA8BC: 0x1E3F, 0xA6D9: 0xFE10, 0xA6DA: 0xFE12, 0xA6DB: 0xFE11, 0xA6DC: 0xFE13, 0xA6DD: 0xFE14,
    0xA6DE: 0xFE15, 0xA6DF: 0xFE16, 0xA6EC: 0xFE17, 0xA6ED: 0xFE18, 0xA6F3: 0xFE19, 0xFE59: 0x9FB4,
    0xFE61: 0x9FB5, 0xFE66: 0x9FB6, 0xFE67: 0x9FB7, 0xFE6D: 0x9FB8, 0xFE7E: 0x9FB9, 0xFE90: 0x9FBA,
    0xFEA0: 0x9FBB,
}  # fmt: skip
FOUR_BYTE = {
    0xFE51: (0x20087, "95329031"), 0xFE52: (0x20089, "95329033"), 0xFE53: (0x200CC, "95329730"),
    0xFE6C: (0x215D7, "9536B937"), 0xFE76: (0x2298F, "9630BA35"), 0xFE91: (0x241FE, "9635B630"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "character"), TWO_BYTE.items())
def test_nineteen_are_written_in_two_bytes(code: int, character: int) -> None:
    raw = code.to_bytes(2, "big")
    assert GB18030.decode(raw) == chr(character)
    assert GB18030.encode(chr(character)) == raw
    four = Charset("gb18030", RareForm.FOUR_BYTE).encode(chr(character))
    assert (len(four), GB18030.decode(four)) == (4, chr(character))


@pytest.mark.parametrize(("code", "form"), FOUR_BYTE.items())
def test_six_are_written_in_four_bytes(code: int, form: tuple[int, str]) -> None:
    character, proper = form
    raw = code.to_bytes(2, "big")
    assert GB18030.decode(raw) == chr(character)
    assert GB18030.encode(chr(character)) == bytes.fromhex(proper)
    assert Charset("gb18030", RareForm.TWO_BYTE).encode(chr(character)) == raw
    assert Charset("gbk").encode(chr(character)) == raw


def test_legacy_range_in_order() -> None:
    trails = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    expected = "".join(GB18030.decode(bytes((0xFE, trail))) for trail in trails)
    assert to_standard("".join(chr(code) for code in range(0xE815, 0xE865))) == expected
    assert GB18030.decode("\ue863".encode("gb18030")) == "䶮"
    assert GB18030.encode("\ue863") == b"\xfe\x9f"


def test_middle_dot_is_not_the_katakana_one() -> None:
    for label in ("gb2312", "gbk", "gb18030"):
        assert Charset(label).decode(b"\xa1\xa4") == "·"
        assert Charset(label).encode("·") == b"\xa1\xa4"


@pytest.mark.parametrize("label", ["gbk", "gb2312"])
def test_narrow_labels_write_no_four_bytes(label: str) -> None:
    charset = Charset(label)
    with pytest.raises(UnicodeEncodeError):
        charset.encode("王𠀀")
    assert charset.encode_column(["王𠀀", "李"]) is None
    assert charset.decode("王𠀀".encode("gb18030")) == "王𠀀"
    assert charset.encode_column(["王䶮", ""]) == ["王䶮".encode("gb18030").decode("latin-1"), ""]


def test_columns_stand_for_bytes() -> None:
    assert GB18030.encode_column(["東", "", "a𠀀"]) == [
        "\x96\x7c",
        "",
        "a" + "𠀀".encode("gb18030").decode("latin-1"),
    ]
    for unusual in ("\u1e3f", "\ue863", "\n", "\x85", "\ud800", "\u2028", "\ufe10"):
        assert GB18030.encode_column(["王", unusual]) is None


def test_joined_cells_are_decoded_to_standard_characters() -> None:
    assert GB18030.decode_joined(b"\xa8\xbc\n\x96\x7c") == "\u1e3f\n東"
    assert GB18030.decode_joined(b"\x96\n\x7c") is None
    assert GB18030.decode_joined("王\u2028".encode("gb18030")) is None


def test_unknown_label() -> None:
    with pytest.raises(ValueError, match="no such encoding"):
        Charset("big5")


def test_half_width_kana_are_one_byte_in_cp932() -> None:
    charset = Charset("cp932")
    assert charset.encode("ﾃｽﾄ ﾀﾛｳ") == b"\xc3\xbd\xc4 \xc0\xdb\xb3"
    assert charset.encode_column(["ｶ)", "表"]) == ["\xb6)", "\x95\\"]
    assert charset.decode(b"\x95\\") == "表"


def test_din_66003_has_letters_for_eight_signs() -> None:
    charset = Charset("din-66003")
    assert charset.encode("MÜLLER & SÖHNE, Straße §1") == b"M]LLER & S\\HNE, Stra~e @1"
    assert charset.decode(b"]\\[ }|{ ~ @") == "ÜÖÄ üöä ß §"
    assert charset.encode_column(["Ä", "AE"]) == ["[", "AE"]
    assert charset.decode_joined(b"[\nAE") == "Ä\nAE"
    for sign in "@[\\]{|}~é":
        with pytest.raises(UnicodeEncodeError):
            charset.encode(sign)
        assert charset.encode_column(["A", sign]) is None


@given(
    st.sampled_from(sorted(ENCODING_LABELS)), st.lists(st.text("AÄß·王𠀀䶮\u1e3f\u9fb4ｶﾀ|~[ "), min_size=1)
)
def test_columns_are_what_single_texts_are(label: str, cells: list[str]) -> None:
    """The bulk way is quicker, and never another one."""
    charset = Charset(label)
    try:
        single = [charset.encode(cell) for cell in cells]
    except UnicodeEncodeError:
        assert charset.encode_column(cells) is None
        return
    bulk = charset.encode_column(cells)
    if bulk is not None:
        assert [cell.encode("latin-1") for cell in bulk] == single
    joined = charset.decode_joined(b"\n".join(single))
    assert joined is not None
    assert joined.split("\n") == [charset.decode(raw) for raw in single] == cells


@given(st.sampled_from(sorted(ENCODING_LABELS)), st.binary(max_size=40))
def test_any_bytes_are_texts_or_none(label: str, raw: bytes) -> None:
    charset = Charset(label)
    joined = charset.decode_joined(raw)
    try:
        text = charset.decode(raw)
    except UnicodeDecodeError:
        assert joined is None
        return
    assert joined == text or (joined is None and UNWRITABLE.search(text))
