import pytest
from AnatomicalEmbeddingLib.Signal import Signal


def test_every_connected_slot_gets_the_arguments_in_the_order_of_connection():
    signal, calls = Signal(), []
    signal.connect(lambda *arguments: calls.append(("first", arguments)))
    signal.connect(lambda *arguments: calls.append(("second", arguments)))
    signal.emit(1, "two")
    assert calls == [("first", (1, "two")), ("second", (1, "two"))]


def test_a_slot_that_is_connected_twice_is_called_once():
    signal, calls = Signal(), []
    signal.connect(calls.append)
    signal.connect(calls.append)
    signal.emit(7)
    assert calls == [7]


def test_a_disconnected_slot_is_not_called_again():
    signal, calls = Signal(), []
    signal.connect(calls.append)
    signal.disconnect(calls.append)
    signal.emit(7)
    assert calls == []


def test_a_slot_may_disconnect_itself_while_it_runs():
    signal, calls = Signal(), []

    def once(value):
        calls.append(value)
        signal.disconnect(once)

    signal.connect(once)
    signal.connect(calls.append)
    signal.emit(1)
    signal.emit(2)
    assert calls == [1, 1, 2]


def test_disconnecting_an_unknown_slot_is_an_error():
    with pytest.raises(ValueError, match="expected a connected slot"):
        Signal().disconnect(print)
