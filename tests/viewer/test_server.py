"""What the viewer's server says when it cannot serve: a port that is none, a browser that leaves, nothing finished."""

import socket
import struct
import threading

import pytest

from helpers.report_samples import run_settings, write_area
from slipmap.errors import InputError
from slipmap.viewer.server import HOST, Viewer
from slipmap.viewer.shown import load


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    write_area(folder)
    return load("valley", run_settings(), folder)


@pytest.mark.parametrize("port", [99_999, -1])
def test_a_port_that_is_none_is_one_sentence(port, shown):
    with pytest.raises(InputError, match=f"--port {port} is no port; give one from 1024 to 65535"):
        Viewer(shown, port)


def test_a_browser_that_leaves_is_no_error(shown, capfd):
    """It drops the connection (RST) before its answer: nothing on the terminal, and the next one is served."""
    server = Viewer(shown, port=0)
    server.daemon_threads, server.block_on_close = False, True  # so that closing waits for the answers under way
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(3):
        with socket.create_connection((HOST, server.server_port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(b"GET / HT")
    server.shutdown()
    server.server_close()
    assert "Exception occurred" not in capfd.readouterr().err


def test_another_error_of_the_server_is_not_hidden(shown, capfd):
    server = Viewer(shown, port=0)
    try:
        raise RuntimeError("a fault of ours")
    except RuntimeError:
        server.handle_error(None, (HOST, 1))
    server.server_close()
    assert "a fault of ours" in capfd.readouterr().err


def test_before_anything_is_finished_the_way_to_look_is_named(tmp_path):
    with pytest.raises(InputError, match="nothing of valley is finished here yet"):
        load("valley", run_settings(), tmp_path)
