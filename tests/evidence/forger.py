"""Somebody with the journal's key, who changes a bundle and signs it again.

Rows are plain JSON here, so that nothing of the verifier is used to deceive it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keys.private import load_signer
from keys.statement import sign_statement

Row = dict[str, Any]


class Forger:
    def __init__(self, folder: Path, key: Path, certificate: Path) -> None:
        self.folder = folder
        self.signer = load_signer("journal-1", key, certificate)

    def rows(self, table: str) -> list[Row]:
        text = (self.folder / f"{table}.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def write(self, table: str, rows: list[Row]) -> None:
        """Both forms of a table, its digests in the manifest, and the signature."""
        columns = next(csv.reader([(self.folder / f"{table}.csv").read_text("utf-8").split("\n")[0]]))
        plain = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
        (self.folder / f"{table}.jsonl").write_text(plain, "utf-8")
        with (self.folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([row[name] for name in columns] for row in rows)
        manifest = self.manifest()
        for name in (f"{table}.jsonl", f"{table}.csv"):
            content = (self.folder / name).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            manifest["files"][name] = {"rows": len(rows), "sha256": digest, "size_bytes": len(content)}
        self.sign(manifest)

    def change(self, table: str, act: Callable[[list[Row]], object]) -> None:
        rows = self.rows(table)
        act(rows)
        self.write(table, rows)

    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_bytes())
        return found

    def sign(self, manifest: dict[str, Any]) -> None:
        manifest["certificate"] = base64.b64encode(self.signer.certificate_der).decode()
        manifest["algorithm"] = self.signer.algorithm
        content = json.dumps(manifest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        (self.folder / "manifest.json").write_bytes(content)
        (self.folder / "manifest.sig").write_bytes(sign_statement(self.signer, content))

    def write_history(self, events: list[Row]) -> None:
        """A journal of these events, every hash made anew, and a manifest that ends with it."""
        previous = hashlib.sha256(b"bankgate journal").hexdigest()
        for number, event in enumerate(events, start=1):
            event["event"] = number
            event["body_sha256"] = hashlib.sha256(event["body"].encode()).hexdigest()
            running = hashlib.sha256()
            for part in (previous, event["recorded_at"], event["kind"], event["body_sha256"]):
                running.update(len(part.encode()).to_bytes(8, "big") + part.encode())
            event["hash"] = previous = running.hexdigest()
        self.write("events", events)
        self.write("heads", [])
        self.sign({**self.manifest(), "event": len(events), "hash": previous})
