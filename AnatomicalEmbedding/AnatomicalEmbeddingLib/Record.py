"""What a scene remembers of the work: the questions that were asked, in a node that is saved with the scene."""

import json

from .SceneNodes import nodesOfClass

_CLASS, _ROLE, _HISTORY = "vtkMRMLScriptedModuleNode", "AnatomicalEmbedding.Record", "history"
LONGEST = 50


class Record:
    """The history of one scene, newest first, each text once; without a question there is no node."""

    def __init__(self, scene) -> None:
        self._scene = scene

    def history(self) -> list[str]:
        """The texts that were asked; empty where a scene holds something else than this software wrote."""
        node = self._node()
        try:
            texts = json.loads(node.GetParameter(_HISTORY) or "[]") if node else []
        except ValueError:
            texts = []
        return [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []

    def add(self, text: str) -> None:
        """Put a text in front; what is older than LONGEST texts is dropped."""
        text = text.strip()
        if not text:
            return
        texts = [text, *(one for one in self.history() if one.casefold() != text.casefold())][:LONGEST]
        node = self._node() or self._addNode()
        node.SetParameter(_HISTORY, json.dumps(texts))

    def _node(self):
        return next((node for node in nodesOfClass(self._scene, _CLASS) if node.GetAttribute(_ROLE)), None)

    def _addNode(self):
        node = self._scene.CreateNodeByClass(_CLASS)
        node.UnRegister(None)  # the Python variable owns it until the scene does
        node.SetName("Anatomical Embedding record")
        node.SetAttribute(_ROLE, "1")
        node.SetHideFromEditors(True)
        return self._scene.AddNode(node)
