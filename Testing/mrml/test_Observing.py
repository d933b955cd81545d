"""Observers that neither keep their owner alive nor outlive it."""

import weakref

import slicer
import vtk
from AnatomicalEmbeddingLib.Observing import Observers, weak


class Listener:
    def __init__(self, node) -> None:
        self.heard = 0
        self.observers = Observers(self)
        self.observers.add(node, vtk.vtkCommand.ModifiedEvent, self.listen)

    def listen(self, *_) -> int:
        self.heard += 1
        return self.heard


def test_a_listener_hears_until_it_has_had_enough():
    node = slicer.vtkMRMLScalarVolumeNode()
    listener = Listener(node)
    node.Modified()
    assert listener.heard == 1
    listener.observers.removeAll()
    listener.observers.removeAll()
    node.Modified()
    assert listener.heard == 1


def test_a_listener_that_is_dropped_is_gone_at_once_and_so_is_its_observation():
    node = slicer.vtkMRMLScalarVolumeNode()
    observed = node.HasObserver(vtk.vtkCommand.ModifiedEvent)
    listener = Listener(node)
    assert node.HasObserver(vtk.vtkCommand.ModifiedEvent)
    alive = weakref.ref(listener)
    del listener
    assert alive() is None
    assert node.HasObserver(vtk.vtkCommand.ModifiedEvent) == observed


def test_a_weak_call_answers_while_there_is_somebody_to_answer():
    listener = Listener(slicer.vtkMRMLScalarVolumeNode())
    call = weak(listener.listen)
    assert call("anything") == 1
    del listener
    assert call() is None
