"""The program of the page on keys runs as it stands, on keys that the command makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "keys.md"
CONTENT = "明细|6231990000001208674|买买提·艾力\r\n".encode("gb18030") * 50_000


def key_new(folder: Path, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("bankgate")), "key", "new", *arguments]
    made = subprocess.run(
        [*command, "--folder", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def test_the_program_signs_encrypts_and_opens(tmp_path: Path) -> None:
    (program,) = blocks(PAGE, "python")
    for name, use in (("ours", "sign"), ("bank-receive", "receive")):
        key_new(tmp_path, name, "--kind", "sm2", "--subject", f"CN={name},C=CN", "--self-signed", "30",
                "--use", use)  # fmt: skip
    (tmp_path / "file.txt").write_bytes(CONTENT)
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "sm2-sm3 CN=ours,C=CN\n", "")
    assert (tmp_path / "opened.txt").read_bytes() == CONTENT
    assert CONTENT[:40] not in (tmp_path / "file.p7m").read_bytes()
