"""Upload and download over loopback, as ratios to OpenSSH's own clients in the same run.

    python -m tests.bench.bench_sftp [MEGABYTES]

Each figure is the best of three, the connection included. Above 1 means faster than `sftp`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import paramiko

from channels import open_sftp
from tests.bench.measure import Ratio, compare
from tests.servers import OpenSshServer

MEGABYTE = 1_000_000


class Ground:
    """One server, one local file, and the ways of carrying it there and back."""

    def __init__(self, server: OpenSshServer, folder: Path, size_bytes: int) -> None:
        self.server = server
        self.size_bytes = size_bytes
        self.source = folder / "source"
        self.source.write_bytes(os.urandom(size_bytes))
        self.sink = folder / "sink"
        self.remote = server.root / "remote"
        known = folder / "known_hosts"
        known.write_text(f"[{server.host}]:{server.port} {server.host_key_line}\n")
        self.options = ["-q", "-P", str(server.port), "-i", str(server.client_key_path), "-F", "none"]
        for option in (f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"):
            self.options += ["-o", option]

    def ours_up(self) -> None:
        with open_sftp(self.server.settings()) as channel, self.source.open("rb") as source:
            channel.put("remote", source, self.size_bytes)

    def ours_down(self) -> None:
        with open_sftp(self.server.settings()) as channel, self.sink.open("wb") as sink:
            channel.get("remote", sink, self.size_bytes)

    def sftp_up(self) -> None:
        self._sftp(f"put {self.source} {self.remote}")

    def sftp_down(self) -> None:
        self._sftp(f"get {self.remote} {self.sink}")

    def scp_up(self) -> None:
        subprocess.run(["scp", *self.options, str(self.source), self._address], check=True)

    def scp_down(self) -> None:
        subprocess.run(["scp", *self.options, self._address, str(self.sink)], check=True)

    def paramiko_up(self) -> None:
        with self._paramiko() as transport, paramiko.SFTPClient.from_transport(transport) as client:
            client.put(str(self.source), str(self.remote))

    def paramiko_down(self) -> None:
        with self._paramiko() as transport, paramiko.SFTPClient.from_transport(transport) as client:
            client.get(str(self.remote), str(self.sink), max_concurrent_prefetch_requests=64)

    @property
    def _address(self) -> str:
        return f"{self.server.user}@{self.server.host}:{self.remote}"

    def _sftp(self, command: str) -> None:
        destination = f"{self.server.user}@{self.server.host}"
        subprocess.run(
            ["sftp", *self.options, "-b", "-", destination],
            input=command.encode(),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def _paramiko(self) -> paramiko.Transport:
        transport = paramiko.Transport((self.server.host, self.server.port))
        key = paramiko.Ed25519Key.from_private_key_file(str(self.server.client_key_path))
        transport.connect(username=self.server.user, pkey=key)
        return transport


def run(megabytes: int = 64) -> list[Ratio]:
    """Ours, scp and plain paramiko beside OpenSSH's sftp, by wall time: others' processes work too."""
    size_bytes = megabytes * MEGABYTE
    ratios = []
    with tempfile.TemporaryDirectory() as name, OpenSshServer(Path(name)) as server:
        ground = Ground(server, Path(name), size_bytes)
        for direction, verb, made in (("up", "upload", ground.remote), ("down", "download", ground.sink)):
            for way in ("ours", "scp", "paramiko"):
                baseline, other = compare(
                    _anew(getattr(ground, f"sftp_{direction}"), made),
                    _anew(getattr(ground, f"{way}_{direction}"), made),
                    time.perf_counter,
                )
                if made.read_bytes() != ground.source.read_bytes():
                    sys.exit(f"{way} {verb} carried other bytes")
                ratios.append(
                    Ratio(
                        name=f"SFTP {verb}, {way}",
                        baseline="OpenSSH sftp (wall time)",
                        baseline_microseconds=baseline / megabytes * 1e6,
                        our_microseconds=other / megabytes * 1e6,
                        unit="MB",
                    )
                )
    return ratios


def _anew(act: Callable[[], None], made: Path) -> Callable[[], None]:
    """The same after what an earlier round left is removed."""

    def act_anew() -> None:
        made.unlink(missing_ok=True)
        act()

    return act_anew


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 64):
        print(ratio.line())
