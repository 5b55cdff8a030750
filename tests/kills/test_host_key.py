"""A server with another host key than the pinned one gets nothing, not even a login, until persons act."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.sites import CITY
from tests.kills.histories import Theatre
from tests.kills.scene import Scene
from tests.proxy import Proxy
from tests.servers import OpenSshServer


class _Address(Proxy):
    """An address behind which another server may stand from one connection to the next."""

    def aim(self, server: OpenSshServer) -> None:
        self._target = (server.host, server.port)


def _change_pin(scene: Scene, old: OpenSshServer, new: OpenSshServer) -> None:
    ring = scene.configuration.with_name("keys.toml")
    text = ring.read_text("utf-8")
    assert text.count(old.host_key_line) == 1
    ring.write_text(text.replace(old.host_key_line, new.host_key_line), "utf-8")


def _put_clear(scene: Scene) -> None:
    with scene.open() as gateway:
        assert scene.sign(gateway, f"bank:{CITY}", "clear", "reviewer-a")


@pytest.mark.heavy
def test_changed_host_key(theatre: Theatre, tmp_path: Path) -> None:
    with (
        OpenSshServer(tmp_path) as other,
        _Address(theatre.server.host, theatre.server.port) as address,
    ):
        (other.root.parent / "sshd" / "authorized_keys").write_bytes(
            (theatre.folder / "sshd" / "authorized_keys").read_bytes()
        )
        scene = theatre.scene("host-key", banks=[CITY], port=address.port)
        scene.use_migrated_ledger()
        assert scene.command("submit").code == 0
        address.aim(other)
        refused = scene.command("run")
        assert (refused.code, "host key" in refused.output) == (4, True)
        assert (scene.states(), list(scene.fronts[CITY].requests.iterdir())) == (["sealed", "sealed"], [])
        assert "Accepted publickey" not in other.log_path.read_text()
        scene.pass_time()

        connections = address.connections
        held = scene.command("run")
        assert (held.code, address.connections) == (4, connections)
        scene.pass_time()

        # A new pin alone does not end the hold, nor does a person alone make the key right.
        _put_clear(scene)
        assert (scene.command("run").code, scene.states()) == (4, ["sealed", "sealed"])
        _change_pin(scene, theatre.server, other)
        assert (scene.command("run").code, scene.states()) == (4, ["sealed", "sealed"])
        _put_clear(scene)
        assert (scene.command("run").code, scene.states()) == (0, ["sent", "sent"])
        scene.pass_time()
        scene.finish()
        assert scene.decided == {}
