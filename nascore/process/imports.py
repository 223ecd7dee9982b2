"""Keras without what it imports for parts of it that nobody uses here.

Keras imports scikit-learn (and with it SciPy), matplotlib's pyplot and pandas
if they are installed: for its scikit-learn wrappers, its galleries of images
and for data frames in `fit`. That is nearly half of the time until TensorFlow
is there. It is made for their absence, so while it is imported they are not
found. Whoever imports them for themselves finds them, before and after.
"""

import importlib.abc
import importlib.machinery
import sys
import threading
import types
from collections.abc import Sequence

_SPARED = ("matplotlib", "pandas", "sklearn")


class _Loader(importlib.abc.Loader):
    """Loads Keras; hides the others from the thread that does.

    Args:
      loader: Keras's own.
      finder: is told when to hide them.
    """

    def __init__(
        self, loader: importlib.abc.Loader, finder: "SparingFinder"
    ) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(
        self, spec: importlib.machinery.ModuleSpec
    ) -> types.ModuleType | None:
        """As the loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        """As the loader does."""
        spec = module.__spec__
        if spec is not None:
            # What asks for the loader later, such as for files of the
            # package, shall find Keras's own.
            spec.loader = module.__loader__ = self._loader
        self._finder.hides_from = threading.get_ident()
        try:
            self._loader.exec_module(module)
        finally:
            self._finder.hides_from = None
            sys.meta_path.remove(self._finder)


class SparingFinder(importlib.abc.MetaPathFinder):
    """Waits for the import of Keras; to stand first in `sys.meta_path`.

    Attributes:
      hides_from: the thread that is importing Keras, if one is.
    """

    def __init__(self) -> None:
        self.hides_from: int | None = None

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`.

        Raises:
          ModuleNotFoundError: Keras asks for a package that it can spare.
        """
        if self.hides_from is not None:
            if fullname in _SPARED and self.hides_from == threading.get_ident():
                raise ModuleNotFoundError(
                    f"{fullname} is not for Keras", name=fullname
                )
        elif fullname == "keras":
            spec = importlib.machinery.PathFinder.find_spec(fullname, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self)
            return spec
        return None


def spare() -> None:
    """Lets the next import of Keras do without them."""
    if not any(isinstance(f, SparingFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, SparingFinder())
