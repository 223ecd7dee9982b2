"""What a method is; which there are, says `flags.methods`."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from nascore.runs.config import SEARCH_END


class Method(NamedTuple):
    """What the scripts need to know of a method.

    Attributes:
      title: for people.
      config: its settings, a dataclass with their defaults.
      module: puts a search together, see `nascore.search.assemble`.
      settings: those that make it this method.
      compared: the settings that a comparison gives it, with their defaults
        there; its own if None.
      measures: what its architectures are ranked by. Only methods that
        agree in it are compared.
      rival: the method that searches at random in the same way; empty for
        that itself.
      work: settings that change no result, such as processes.
      script: the module that runs it from the data to the figures, by
        `run(method, config, folder, run_config, work)`.
      end: the file that a run ends with.
      alone: settings of a run that is one of a comparison.
      preset: the one that runs where no settings are given; empty: defaults.
      published: that of the published protocol.
    """

    title: str
    config: Any
    module: str
    settings: Mapping[str, Any] = {}
    compared: Any = None
    measures: str = "accuracy"
    rival: str = ""
    work: Any = None
    script: str = "experiments.support.search_run"
    end: str = SEARCH_END
    alone: Mapping[str, Any] = {}
    preset: str = ""
    published: str = ""

    def with_strategy(self, title: str, strategy: Any) -> "Method":
        """The method that asks another strategy, compared or alone.

        Args:
          title: for people.
          strategy: its settings.
        """
        config, compared = (
            each and dataclasses.replace(each, strategy=strategy)
            for each in (self.config, self.compared)
        )
        return self._replace(title=title, config=config, compared=compared)
